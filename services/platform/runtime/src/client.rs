//! Channels to peers: lazily connected, with trace context and deadline on every call.

mod repeating;
mod repeats;
mod unsent;

use std::sync::Arc;
use std::time::Duration;

pub use repeating::Repeating;
pub use repeats::{NotAConfig, Repeats};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Request, Status};

use crate::{deadline, propagation};

/// A peer that accepts no connection in this time is down.
const CONNECT: Duration = Duration::from_secs(3);
/// A call that names no deadline, made outside of any request, gets this one: nothing waits for ever.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_PATIENCE: Duration = Duration::from_secs(10);

/// The channel that generated clients are made of: `SchoolServiceClient::new(channel)`, of type
/// `SchoolServiceClient<GrpcChannel>`. Cheap to clone; all clones share one connection.
pub type GrpcChannel = InterceptedService<Repeating<Channel>, Outgoing>;

/// Whom to trust when calling, and who to be.
#[derive(Clone, Default)]
pub struct ClientTls {
    /// Authorities that sign the peer's certificate, PEM. An `https` URL needs them.
    pub ca_pem: Option<Vec<u8>>,
    /// The name that the certificate must bear, when it is not the URL's host.
    pub domain: Option<String>,
    /// Certificate chain and key for mutual TLS, both PEM.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

/// Why a channel can't be made. Connecting comes later and fails as UNAVAILABLE.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Not an `http` or `https` URL.
    #[error("not the URL of a gRPC server: {0}")]
    Url(String),
    /// An `https` URL without authorities to trust.
    #[error("{0} needs TLS_CA: the authorities that its certificate is checked against")]
    NoCa(String),
    /// The certificates are not usable.
    #[error("TLS: {0}")]
    Tls(tonic::transport::Error),
}

/// Makes a channel to `url` (`http://host:port` or `https://host:port`). It connects when first used and again
/// after each loss.
///
/// A call made while answering a request carries that request's remaining time; otherwise it gets 30 s unless it
/// names its own (`Request::set_timeout`). On a streaming call that bounds the wait for the answer's head only.
///
/// # Errors
/// [`ClientError`].
pub fn channel(url: &str, tls: &ClientTls) -> Result<GrpcChannel, ClientError> {
    made(url, tls, None)
}

/// As [`channel`], and calls are asked again as a service config says: for programs at the edge, such as the command line.
/// Services answer UNAVAILABLE instead and leave it to their callers, so that attempts do not multiply.
///
/// # Errors
/// [`ClientError`].
pub fn repeating_channel(
    url: &str,
    tls: &ClientTls,
    repeats: &Arc<Repeats>,
) -> Result<GrpcChannel, ClientError> {
    made(url, tls, Some(repeats.clone()))
}

fn made(url: &str, tls: &ClientTls, repeats: Option<Arc<Repeats>>) -> Result<GrpcChannel, ClientError> {
    let channel = endpoint(url, tls)?.connect_lazy();
    Ok(InterceptedService::new(Repeating::new(channel, repeats), Outgoing(())))
}

/// The endpoint behind [`channel`], for callers that want to connect at once or change a setting.
///
/// # Errors
/// [`ClientError`].
pub fn endpoint(url: &str, tls: &ClientTls) -> Result<Endpoint, ClientError> {
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|_| ClientError::Url(url.to_owned()))?;
    let endpoint = match endpoint.uri().scheme_str() {
        Some("http") => endpoint,
        Some("https") => {
            crate::install_crypto_provider();
            endpoint.tls_config(tls.config(url)?).map_err(ClientError::Tls)?
        }
        _ => return Err(ClientError::Url(url.to_owned())),
    };
    Ok(endpoint
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .initial_stream_window_size(crate::STREAM_WINDOW)
        .initial_connection_window_size(crate::CONNECTION_WINDOW)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_PATIENCE)
        .keep_alive_while_idle(true))
}

impl ClientTls {
    /// Trusts the given authorities.
    pub fn trusting(ca_pem: impl Into<Vec<u8>>) -> Self {
        Self { ca_pem: Some(ca_pem.into()), ..Self::default() }
    }

    fn config(&self, url: &str) -> Result<ClientTlsConfig, ClientError> {
        let ca = self.ca_pem.as_ref().ok_or_else(|| ClientError::NoCa(url.to_owned()))?;
        let mut config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca)).timeout(CONNECT);
        if let Some(domain) = &self.domain {
            config = config.domain_name(domain);
        }
        if let Some((cert, key)) = &self.identity {
            config = config.identity(Identity::from_pem(cert, key));
        }
        Ok(config)
    }
}

/// Puts trace context and deadline on outgoing calls. Part of [`GrpcChannel`]; made by [`channel`].
#[derive(Clone, Debug)]
pub struct Outgoing(());

impl Interceptor for Outgoing {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        propagation::inject(request.metadata_mut());
        if request.metadata().get("grpc-timeout").is_none() {
            let left = deadline::remaining().unwrap_or(DEFAULT_DEADLINE);
            if left.is_zero() {
                return Err(Status::deadline_exceeded("the deadline passed before the call was made"));
            }
            request.set_timeout(left);
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn refuses_urls_it_cannot_call_safely() {
        let none = ClientTls::default();
        assert!(matches!(channel("https://127.0.0.1:1", &none), Err(ClientError::NoCa(_))));
        assert!(matches!(channel("ftp://127.0.0.1:1", &none), Err(ClientError::Url(_))));
        assert!(matches!(channel("not a url", &none), Err(ClientError::Url(_))));
        assert!(channel("http://127.0.0.1:1", &none).is_ok());
    }

    #[tokio::test]
    async fn a_call_carries_what_is_left_of_the_request() {
        let stamp = || {
            let request = Outgoing(()).call(Request::new(()))?;
            Ok::<_, Status>(deadline::timeout_of(&request.metadata().clone().into_headers()).unwrap())
        };
        assert_eq!(stamp().unwrap(), DEFAULT_DEADLINE);
        let limit = Duration::from_secs(5);
        let inside = deadline::within(limit, async { stamp() }).await.unwrap().unwrap();
        assert!(inside <= limit && inside > limit / 2, "{inside:?}");
        let late = deadline::within(Duration::from_millis(20), async {
            std::thread::sleep(Duration::from_millis(25)); // not awaiting: the deadline passes while it runs
            stamp()
        });
        assert_eq!(late.await.unwrap().unwrap_err().code(), tonic::Code::DeadlineExceeded);
    }
}
