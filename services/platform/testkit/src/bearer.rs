//! Calls with an access token.
use eduhub_runtime::client::GrpcChannel;
use tonic::{
    Request, Status,
    metadata::AsciiMetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
};

/// Adds `authorization` to every call.
#[derive(Clone, Debug)]
pub struct Bearer(AsciiMetadataValue);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A channel whose calls carry a token.
pub type BearerChannel = InterceptedService<GrpcChannel, Bearer>;

/// The channel with this value of `authorization`, such as `TokenMint::bearer` makes.
pub fn with_bearer(channel: GrpcChannel, bearer: AsciiMetadataValue) -> BearerChannel {
    InterceptedService::new(channel, Bearer(bearer))
}
