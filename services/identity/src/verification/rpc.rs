//! VerificationService.
use super::{Population, model};
use crate::check::today;
use eduhub_proto::identity::v1::verification_service_server::VerificationService;
use eduhub_proto::identity::v1::{VerifyPersonsRequest, VerifyPersonsResponse};
use tonic::{Request, Response, Status};

/// Answers VerificationService.
pub struct Verifications(Population);

impl Verifications {
    /// Asks this database.
    pub fn new(population: Population) -> Self {
        Self(population)
    }
}

#[tonic::async_trait]
impl VerificationService for Verifications {
    async fn verify_persons(
        &self,
        request: Request<VerifyPersonsRequest>,
    ) -> Result<Response<VerifyPersonsResponse>, Status> {
        let persons = request.into_inner().persons;
        model::check(&persons, today())?;
        let results = self.0.verify(&persons).await?;
        tracing::info!(persons = results.len(), "persons verified");
        Ok(Response::new(VerifyPersonsResponse { results }))
    }
}
