//! IngestService.
use crate::{config::SchoolYears, peers::CodeBook, records::FacilityRecords};
use async_trait::async_trait;
use eduhub_faults::{Fault, Reason};
use eduhub_ingest::{Admits, Intake};
use eduhub_proto::{common::v1::PushOpen, dictionary::Levels, facility::v1};
use std::time::Duration;

/// When to try again while the code lists are not here: they are asked for every second until then.
const RETRY: Duration = Duration::from_secs(2);

/// The service.
pub struct Pushes(pub Intake<FacilityRecords>);

eduhub_ingest::ingest_service!(Pushes: v1);

/// What a record of facility is checked against.
pub struct Ready {
    /// Code lists.
    pub codes: CodeBook,
    /// School years that are open for data.
    pub open_years: SchoolYears,
}

#[async_trait]
impl Admits for Ready {
    async fn admit(&self, open: &PushOpen) -> Result<Levels, Fault> {
        if !self.open_years.contains(open.school_year) {
            return Err(Fault::new(Reason::SchoolYearClosed).meta("school_year", open.school_year));
        }
        // Against no lists at all every code would be unknown.
        if !self.codes.is_loaded() {
            return Err(Fault::new(Reason::Unavailable)
                .detail("code lists are not loaded yet")
                .retry_after(RETRY));
        }
        Ok(Levels::NONE)
    }
}
