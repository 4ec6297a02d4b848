//! Where to call and as whom: addresses, trust, and a token that stays fresh.
use async_trait::async_trait;
use eduhub_auth::{AuthedChannel, IssuedToken, ServiceIdentity, TokenSource};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::identity::v1::token_service_client::TokenServiceClient;
use eduhub_proto::identity::v1::{
    ClientSecret, IssueTokenRequest, Password, issue_token_request::Proof as Sent,
};
use eduhub_runtime::client::{self, ClientError, ClientTls, GrpcChannel, Repeats};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use time::OffsetDateTime;
use tonic::Status;

/// What the API's service config says about asking again, for all channels of the process.
static REPEATS: LazyLock<Option<Arc<Repeats>>> =
    LazyLock::new(|| Repeats::parse(eduhub_proto::SERVICE_CONFIG).ok().map(Arc::new));

/// A channel whose calls are asked again as the API's service config says.
///
/// # Errors
/// [`ClientError`]: not a URL, or no authority to trust.
pub fn channel(url: &str, tls: &ClientTls) -> Result<GrpcChannel, ClientError> {
    match &*REPEATS {
        Some(repeats) => client::repeating_channel(url, tls, repeats),
        None => client::channel(url, tls),
    }
}

/// Longest wait for a token.
const ISSUE: Duration = Duration::from_secs(10);
/// A token given from outside is taken as good for so long at a time; the server knows better.
const GIVEN_LIFE: Duration = Duration::from_secs(900);

/// How somebody proves who they are.
#[derive(Clone, Debug)]
pub enum Proof {
    /// An API client.
    Client {
        /// Client id.
        id: String,
        /// Secret.
        secret: SecretString,
    },
    /// An officer with a local account.
    Officer {
        /// User name.
        user: String,
        /// Password.
        password: SecretString,
    },
    /// A token that was issued before; it is not renewed.
    Token(SecretString),
}

impl Proof {
    /// An API client's id and secret.
    pub fn client(id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self::Client { id: id.into(), secret: secret.into() }
    }

    /// An officer's user name and password.
    pub fn officer(user: impl Into<String>, password: impl Into<SecretString>) -> Self {
        Self::Officer { user: user.into(), password: password.into() }
    }
}

/// Somebody who is signed in. Cheap to clone; the token is renewed at two thirds of its life while a clone lives.
#[derive(Clone)]
pub struct Session {
    identity: ServiceIdentity,
    first: IssuedToken,
}

impl Session {
    /// Signs in.
    ///
    /// # Errors
    /// What identity answers: UNAUTHENTICATED/BAD_CREDENTIALS, PERMISSION_DENIED/GRANT_REVOKED, RESOURCE_EXHAUSTED/OVERLOADED,
    /// UNAVAILABLE.
    pub async fn sign_in(identity: GrpcChannel, proof: Proof) -> Result<Self, Status> {
        let source = Source { identity, proof, first: Mutex::new(None) };
        let first = source.ask().await?;
        *source.first.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(first.clone());
        Ok(Self { identity: ServiceIdentity::with_source(source), first })
    }

    /// A channel that sends the token with every call.
    pub fn channel(&self, channel: GrpcChannel) -> AuthedChannel {
        self.identity.channel(channel)
    }

    /// The token of the sign-in, with its end.
    pub fn first_token(&self) -> &IssuedToken {
        &self.first
    }
}

struct Source {
    identity: GrpcChannel,
    proof: Proof,
    /// The token of the sign-in, until the keeper takes it.
    first: Mutex<Option<IssuedToken>>,
}

impl Source {
    async fn ask(&self) -> Result<IssuedToken, Status> {
        let proof = match &self.proof {
            Proof::Token(token) => {
                let expires_at = OffsetDateTime::now_utc() + GIVEN_LIFE;
                return Ok(IssuedToken { token: token.clone(), expires_at });
            }
            Proof::Client { id, secret } => Sent::ClientSecret(ClientSecret {
                client_id: id.clone(),
                secret: secret.expose_secret().to_owned(),
            }),
            Proof::Officer { user, password } => Sent::Password(Password {
                user_name: user.clone(),
                password: password.expose_secret().to_owned(),
            }),
        };
        let mut request = tonic::Request::new(IssueTokenRequest { proof: Some(proof) });
        request.set_timeout(ISSUE);
        let answer = TokenServiceClient::new(self.identity.clone()).issue_token(request).await?.into_inner();
        let ends = answer.expires_at.and_then(|at| OffsetDateTime::from_unix_timestamp(at.seconds).ok());
        let expires_at = ends.ok_or_else(|| Status::internal("identity gave a token without an end"))?;
        Ok(IssuedToken { token: answer.access_token.into(), expires_at })
    }
}

#[async_trait]
impl TokenSource for Source {
    async fn issue(&self) -> Result<IssuedToken, Fault> {
        let first = self.first.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        match first {
            Some(token) => Ok(token),
            None => self.ask().await.map_err(|status| {
                Fault::new(Reason::Unavailable).detail(format!("identity answered {:?}", status.code()))
            }),
        }
    }
}

/// A service's address with the trust and the session to call it with. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    /// `https://host:port`.
    pub url: String,
    /// Whom to trust.
    pub tls: ClientTls,
    /// As whom.
    pub session: Session,
}

impl Server {
    /// A server to call as `session`.
    pub fn new(url: impl Into<String>, tls: ClientTls, session: Session) -> Self {
        Self { url: url.into(), tls, session }
    }

    /// A channel with a connection of its own, made when first used. Clones of the channel share the connection.
    ///
    /// # Errors
    /// [`ClientError`]: not a URL, or no authority to trust.
    pub fn channel(&self) -> Result<AuthedChannel, ClientError> {
        Ok(self.session.channel(channel(&self.url, &self.tls)?))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_service_config_is_read() {
        assert!(super::REPEATS.is_some());
    }
}
