//! IssueService.
use crate::records::FacilityRecords;
use eduhub_ingest::WorkLists;
use eduhub_proto::facility::v1;

/// The service.
pub struct Issues(pub WorkLists<FacilityRecords>);

eduhub_ingest::issue_service!(Issues: v1);
