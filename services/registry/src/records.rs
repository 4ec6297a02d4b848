//! The records that registry holds, parents first.
use eduhub_proto::registry::v1;

eduhub_changelog::record_set! {
    /// Records of registry with their tables.
    RegistryRecords of v1 {
        School => "school_record",
        Campus => "campus_record",
        Class => "class_record",
        Staff => "staff_record",
        Pupil => "pupil_record",
        Enrolment => "enrolment_record",
        TermResult => "term_result_record",
        Health => "health_record",
        Attendance => "attendance_record",
        Retake => "retake_record",
        Graduation => "graduation_record",
        FreeCandidate => "free_candidate_record",
    }
}
