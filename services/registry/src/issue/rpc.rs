//! IssueService.
use crate::{records::RegistryRecords, verification::store};
use eduhub_faults::Fault;
use eduhub_ingest::WorkLists;
use eduhub_pg::DbError;
use eduhub_proto::{common::v1::DataDomain, registry::v1};

/// The service.
pub struct Issues(pub WorkLists<RegistryRecords>);

eduhub_ingest::issue_service!(Issues: v1, and {
    async fn get_verification(
        &self,
        request: Request<v1::GetVerificationRequest>,
    ) -> Result<Response<v1::VerificationCounts>, Status> {
        let caller = caller(&request)?;
        let school_code = request.into_inner().school_code;
        self.0.gate.any(&caller, &school_code, &[DataDomain::Pupil, DataDomain::Staff]).await?;
        let mut conn = self.0.pool.acquire().await.map_err(|e| Fault::from(DbError::from(e)))?;
        Ok(Response::new(store::counts(&mut conn, &school_code).await.map_err(Fault::from)?))
    }
});
