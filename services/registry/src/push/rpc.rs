//! IngestService.
use crate::{records::RegistryRecords, school::store};
use async_trait::async_trait;
use eduhub_faults::{Fault, Reason};
use eduhub_ingest::{Admits, Intake};
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::{common::v1::PushOpen, dictionary::Levels, registry::v1};

/// The service.
pub struct Pushes(pub Intake<RegistryRecords>);

eduhub_ingest::ingest_service!(Pushes: v1);

/// School years and the levels of schools, as they are registered here.
pub struct Registered(pub PgPool);

#[async_trait]
impl Admits for Registered {
    async fn admit(&self, open: &PushOpen) -> Result<Levels, Fault> {
        let mut conn = self.0.acquire().await.map_err(DbError::from)?;
        if !store::year_is_open(&mut conn, open.school_year).await? {
            return Err(Fault::new(Reason::SchoolYearClosed).meta("school_year", open.school_year));
        }
        Ok(store::levels(&mut conn, &open.school_code).await?)
    }
}
