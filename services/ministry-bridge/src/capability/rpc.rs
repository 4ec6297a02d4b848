use std::time::Duration;

use eduhub_auth::caller;
use eduhub_faults::Fault;
use eduhub_pg::in_tx;
use eduhub_proto::bridge::v1::capability_service_server::CapabilityService;
use eduhub_proto::bridge::v1::{
    Capability, CheckMinistryRequest, ListCapabilitiesRequest, ListCapabilitiesResponse, MinistryStanding,
    SetCapabilityRequest, TransferMode,
};
use eduhub_proto::common::v1::Dataset;
use tonic::{Request, Response, Status};

use super::{standing, store};
use crate::core::Core;
use crate::error::Error;

/// Short: another replica learns of a switch through Redis within its own 2 s, without Redis within this time.
const TTL: Duration = Duration::from_secs(10);
const KEY: &str = "capabilities";
const TX: Duration = Duration::from_secs(5);

/// Way of a dataset today, read from the table itself: a transfer must not start on an old answer.
///
/// # Errors
/// [`Error`].
pub async fn mode(core: &Core, dataset: Dataset) -> Result<TransferMode, Error> {
    let mut conn = core.pool.acquire().await?;
    let all = store::list(&mut conn).await?;
    let found = all.iter().find(|capability| capability.dataset() == dataset);
    found.map(Capability::mode).ok_or_else(|| Fault::invalid("dataset", "no such dataset").into())
}

/// The RPCs.
pub struct Capabilities(pub Core);

impl Capabilities {
    async fn all(&self) -> Result<ListCapabilitiesResponse, Status> {
        let pool = self.0.pool.clone();
        let fetch = async move {
            let mut conn = pool.acquire().await.map_err(|e| Status::from(Error::from(e)))?;
            let capabilities = store::list(&mut conn).await.map_err(|e| Status::from(Error::from(e)))?;
            Ok::<_, Status>(ListCapabilitiesResponse { capabilities })
        };
        self.0.cache.get_or_fetch(KEY, TTL, fetch).await
    }
}

#[tonic::async_trait]
impl CapabilityService for Capabilities {
    async fn list_capabilities(
        &self,
        _: Request<ListCapabilitiesRequest>,
    ) -> Result<Response<ListCapabilitiesResponse>, Status> {
        Ok(Response::new(self.all().await?))
    }

    async fn check_ministry(
        &self,
        _: Request<CheckMinistryRequest>,
    ) -> Result<Response<MinistryStanding>, Status> {
        Ok(Response::new(standing::look(&self.0).await?))
    }

    async fn set_capability(
        &self,
        request: Request<SetCapabilityRequest>,
    ) -> Result<Response<Capability>, Status> {
        let by = caller(&request)?.sub;
        let asked = request.into_inner();
        let (dataset, mode) = (asked.dataset(), asked.mode());
        let mut wrong = Fault::new(eduhub_faults::Reason::InvalidRequest);
        if dataset == Dataset::Unspecified {
            wrong = wrong.violation("dataset", "required");
        }
        if mode == TransferMode::Unspecified {
            wrong = wrong.violation("mode", "required");
        }
        wrong.into_result()?;
        let all = in_tx(&self.0.pool, TX, move |conn| {
            Box::pin(async move {
                store::set(conn, dataset, mode, &by).await?;
                Ok::<_, Error>(store::list(conn).await?)
            })
        })
        .await?;
        self.0.cache.invalidate(KEY).await;
        let set = all.into_iter().find(|capability| capability.dataset() == dataset);
        Ok(Response::new(set.ok_or_else(|| Fault::invalid("dataset", "no such dataset"))?))
    }
}
