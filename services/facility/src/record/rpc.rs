//! RecordService.
use crate::records::FacilityRecords;
use eduhub_proto::facility::v1;
use eduhub_reads::Reads;

/// The service.
#[derive(Clone)]
pub struct Records(pub Reads<FacilityRecords>);

eduhub_reads::record_service!(Records: v1);
