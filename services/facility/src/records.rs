//! The records that facility holds, parents first.
use eduhub_proto::facility::v1;

eduhub_changelog::record_set! {
    /// Records of facility with their tables.
    FacilityRecords of v1 {
        Room => "room_record",
    }
}
