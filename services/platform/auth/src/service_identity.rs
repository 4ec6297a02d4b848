//! A service's own token, kept fresh, and the channel that sends it.
use async_trait::async_trait;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::identity::v1::issue_token_request::Proof;
use eduhub_proto::identity::v1::token_service_client::TokenServiceClient;
use eduhub_proto::identity::v1::{ClientSecret, IssueTokenRequest};
use eduhub_runtime::client::GrpcChannel;
use eduhub_runtime::deadline;
use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::body::Body;
use tower::Service;

/// How long a call waits for the first token after a start in any order.
const PATIENCE: Duration = Duration::from_secs(5);
const ISSUE_TIMEOUT: Duration = Duration::from_secs(5);
const FIRST_RETRY: Duration = Duration::from_millis(200);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// A token with its end.
#[derive(Clone)]
pub struct IssuedToken {
    /// The token.
    pub token: SecretString,
    /// When it ends.
    pub expires_at: OffsetDateTime,
}

/// Gives tokens for one service: identity over gRPC, or identity's own signer for itself.
#[async_trait]
pub trait TokenSource: Send + Sync + 'static {
    /// A new token.
    async fn issue(&self) -> Result<IssuedToken, Fault>;
}

struct OverGrpc {
    client: TokenServiceClient<GrpcChannel>,
    name: String,
    secret: SecretString,
}

#[async_trait]
impl TokenSource for OverGrpc {
    async fn issue(&self) -> Result<IssuedToken, Fault> {
        let secret =
            ClientSecret { client_id: self.name.clone(), secret: self.secret.expose_secret().to_owned() };
        let mut request = tonic::Request::new(IssueTokenRequest { proof: Some(Proof::ClientSecret(secret)) });
        request.set_timeout(ISSUE_TIMEOUT);
        let answer = self.client.clone().issue_token(request).await.map_err(|status| {
            Fault::new(Reason::Unavailable).detail(format!("identity answered {:?}", status.code()))
        })?;
        let answer = answer.into_inner();
        let ends = answer.expires_at.and_then(|at| OffsetDateTime::from_unix_timestamp(at.seconds).ok());
        Ok(IssuedToken {
            token: answer.access_token.into(),
            expires_at: ends.ok_or_else(|| Fault::internal("identity gave a token without an end"))?,
        })
    }
}

/// Keeps a fresh token of this service. Cheap to clone; its task ends with the last clone.
#[derive(Clone)]
pub struct ServiceIdentity(Arc<Inner>);

struct Inner {
    current: watch::Receiver<Option<Held>>,
    keeper: JoinHandle<()>,
}

#[derive(Clone)]
struct Held {
    header: HeaderValue,
    expires_at: OffsetDateTime,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl ServiceIdentity {
    /// Signs in to identity as the service `name` with its secret, now and before each token's end. Identity need not be
    /// there yet: calls wait up to 5 s for the first token and fail as UNAVAILABLE without one.
    pub fn start(identity: GrpcChannel, name: &str, secret: SecretString) -> Self {
        Self::with_source(OverGrpc {
            client: TokenServiceClient::new(identity),
            name: name.to_owned(),
            secret,
        })
    }

    /// As [`ServiceIdentity::start`], from any source.
    pub fn with_source(source: impl TokenSource) -> Self {
        let (sender, current) = watch::channel(None);
        Self(Arc::new(Inner { current, keeper: tokio::spawn(keep(source, sender)) }))
    }

    /// A channel that sends this service's token with each call.
    pub fn channel(&self, inner: GrpcChannel) -> AuthedChannel {
        AuthedChannel { inner, identity: self.clone() }
    }

    /// Whether there is a token that has not ended.
    pub fn has_token(&self) -> bool {
        self.held().is_some()
    }

    fn held(&self) -> Option<Held> {
        self.0.current.borrow().clone().filter(|held| held.expires_at > OffsetDateTime::now_utc())
    }

    async fn header(&self) -> Result<HeaderValue, Fault> {
        if let Some(held) = self.held() {
            return Ok(held.header);
        }
        let mut current = self.0.current.clone();
        let fresh =
            current.wait_for(|held| held.as_ref().is_some_and(|h| h.expires_at > OffsetDateTime::now_utc()));
        let patience = deadline::remaining().map_or(PATIENCE, |left| left.min(PATIENCE));
        let none = || Fault::new(Reason::Unavailable).detail("this service has no token yet");
        match tokio::time::timeout(patience, fresh).await {
            Ok(Ok(held)) => held.as_ref().map(|held| held.header.clone()).ok_or_else(none),
            _ => Err(none()),
        }
    }
}

async fn keep(source: impl TokenSource, sender: watch::Sender<Option<Held>>) {
    let mut retry = FIRST_RETRY;
    loop {
        let pause = match source.issue().await.and_then(|issued| hold(&issued)) {
            Ok(held) => {
                retry = FIRST_RETRY;
                let life =
                    Duration::try_from(held.expires_at - OffsetDateTime::now_utc()).unwrap_or_default();
                sender.send_replace(Some(held));
                // At two thirds there is time for many attempts before the end.
                (life * 2 / 3).max(FIRST_RETRY)
            }
            Err(fault) => {
                tracing::warn!(%fault, "no service token");
                retry = (retry * 2).min(LAST_RETRY);
                // Services that start together must not all ask together.
                retry.mul_f64(rand::rng().random_range(0.5..1.0))
            }
        };
        tokio::time::sleep(pause).await;
    }
}

fn hold(issued: &IssuedToken) -> Result<Held, Fault> {
    let mut header = HeaderValue::from_str(&format!("Bearer {}", issued.token.expose_secret()))
        .map_err(|_| Fault::internal("identity gave a token that is no header value"))?;
    header.set_sensitive(true);
    Ok(Held { header, expires_at: issued.expires_at })
}

/// A [`GrpcChannel`] that sends the service's token: `SchoolServiceClient<AuthedChannel>`. Cheap to clone.
#[derive(Clone)]
pub struct AuthedChannel {
    inner: GrpcChannel,
    identity: ServiceIdentity,
}

impl Service<Request<Body>> for AuthedChannel {
    type Response = Response<Body>;
    type Error = <GrpcChannel as Service<Request<Body>>>::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Service::<Request<Body>>::poll_ready(&mut self.inner, cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let identity = self.identity.clone();
        Box::pin(async move {
            match identity.header().await {
                Ok(header) => {
                    request.headers_mut().insert(AUTHORIZATION, header);
                    Ok(inner.call(request).await?.map(Body::new))
                }
                Err(fault) => Ok(tonic::Status::from(fault).into_http()),
            }
        })
    }
}
