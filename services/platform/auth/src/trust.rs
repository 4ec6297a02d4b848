//! Where keys and revocations come from.
use async_trait::async_trait;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::identity::v1::token_service_client::TokenServiceClient;
use eduhub_proto::identity::v1::{
    GetKeysRequest, ListRevocationsRequest, ListRevocationsResponse, PublicKey,
};
use eduhub_runtime::client::GrpcChannel;
use std::time::Duration;
use tonic::Request;

/// A call to identity that takes longer has failed; the next poll tries again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Gives keys and revocations: identity over gRPC, or identity itself from its own tables.
#[async_trait]
pub trait TrustSource: Send + Sync + 'static {
    /// All keys that verify access tokens.
    async fn keys(&self) -> Result<Vec<PublicKey>, Fault>;
    /// Revocations after a sequence, rising, one page.
    async fn revocations(&self, after: i64) -> Result<ListRevocationsResponse, Fault>;
}

/// Identity over gRPC.
pub struct IdentityTrust(TokenServiceClient<GrpcChannel>);

impl IdentityTrust {
    /// Asks identity on this channel.
    pub fn new(channel: GrpcChannel) -> Self {
        Self(TokenServiceClient::new(channel))
    }
}

#[async_trait]
impl TrustSource for IdentityTrust {
    async fn keys(&self) -> Result<Vec<PublicKey>, Fault> {
        let answer = self.0.clone().get_keys(timed(GetKeysRequest {})).await.map_err(unavailable)?;
        Ok(answer.into_inner().keys)
    }

    async fn revocations(&self, after: i64) -> Result<ListRevocationsResponse, Fault> {
        let request = timed(ListRevocationsRequest { after_sequence: after });
        Ok(self.0.clone().list_revocations(request).await.map_err(unavailable)?.into_inner())
    }
}

fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(PATIENCE);
    request
}

fn unavailable(status: tonic::Status) -> Fault {
    Fault::new(Reason::Unavailable).detail(format!("identity answered {:?}", status.code()))
}
