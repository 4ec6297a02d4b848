//! Puts the service together: accounts, tokens, peers, routes, access.
use crate::application::{Applications, Rules};
use crate::bootstrap::{self, Mounted};
use crate::credential::Hasher;
use crate::grant::{Exclusive, Grants};
use crate::policy;
use crate::principal::Principals;
use crate::schools::Schools;
use crate::token::{Issuer, LocalTokens, LocalTrust, Tokens};
use crate::vendor::Vendors;
use crate::verification::{Population, Verifications};
use eduhub_auth::Keyring;
use eduhub_auth::policy::{Gaps, Table};
use eduhub_auth::{AuthLayer, ServiceIdentity, Verifier};
use eduhub_cache::Cache;
use eduhub_faults::Fault;
use eduhub_pg::{Failure, PgPool};
use eduhub_proto::identity::v1::application_service_server::ApplicationServiceServer;
use eduhub_proto::identity::v1::grant_service_server::GrantServiceServer;
use eduhub_proto::identity::v1::principal_service_server::PrincipalServiceServer;
use eduhub_proto::identity::v1::token_service_server::TokenServiceServer;
use eduhub_proto::identity::v1::vendor_service_server::VendorServiceServer;
use eduhub_proto::identity::v1::verification_service_server::VerificationServiceServer;
use eduhub_runtime::client::GrpcChannel;
use eduhub_runtime::config::ServerConfig;
use eduhub_runtime::server::{Server, layered};
use tonic::service::Routes;

/// Name of the service, as in its ready line and in traces.
pub const NAME: &str = "eduhub-identity";

/// What the service is built of.
pub struct Parts {
    /// Its database, migrated.
    pub pool: PgPool,
    /// Its cache.
    pub cache: Cache,
    /// Keys of tokens.
    pub keyring: Keyring,
    /// Accounts that must be there.
    pub mounted: Mounted,
    /// Registry.
    pub registry: GrpcChannel,
    /// The population database.
    pub population: Population,
    /// Approve only what a commune has forwarded.
    pub require_form2: bool,
    /// What a vendor's grant holds against others.
    pub exclusive: Exclusive,
}

/// Why the service can't be put together.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An RPC has no policy row, or a row no RPC.
    #[error(transparent)]
    Policy(#[from] Gaps),
    /// The accounts could not be made.
    #[error("accounts: {0}")]
    Accounts(Fault),
}

impl From<Failure> for BuildError {
    fn from(failure: Failure) -> Self {
        Self::Accounts(failure.into())
    }
}

/// The server, not yet bound. Makes the accounts that must be there.
///
/// # Errors
/// [`BuildError`].
pub async fn server(config: ServerConfig, parts: Parts) -> Result<Server, BuildError> {
    let table = Table::complete(policy::ROWS, policy::PACKAGE)?;
    let Parts { pool, cache, keyring, mounted, registry, population, require_form2, exclusive } = parts;
    let hasher = Hasher::new().map_err(BuildError::Accounts)?;
    let principal = bootstrap::run(&pool, &hasher, mounted).await?;
    let verifier = Verifier::with_source(LocalTrust { keyring: keyring.clone(), pool: pool.clone() });
    let issuer = Issuer::new(keyring.clone());
    let own = ServiceIdentity::with_source(LocalTokens { issuer, principal, pool: pool.clone() });
    let schools = Schools::new(own.channel(registry), cache);

    let limit = config.limits.max_message_bytes;
    let tokens = Tokens::new(pool.clone(), hasher.clone(), keyring);
    let applications = Applications::new(pool.clone(), schools, Rules { require_form2, exclusive });
    // Each form is a few KiB; the server's limit is for the longest list.
    let routes = Routes::new(TokenServiceServer::new(tokens).max_decoding_message_size(limit))
        .add_service(
            ApplicationServiceServer::new(applications)
                .max_decoding_message_size(limit)
                .max_encoding_message_size(limit),
        )
        .add_service(VendorServiceServer::new(Vendors::new(pool.clone())).max_decoding_message_size(limit))
        .add_service(
            GrantServiceServer::new(Grants::new(pool.clone(), hasher.clone()))
                .max_decoding_message_size(limit)
                .max_encoding_message_size(limit),
        )
        .add_service(
            PrincipalServiceServer::new(Principals::new(pool.clone(), hasher))
                .max_decoding_message_size(limit)
                .max_encoding_message_size(limit),
        )
        .add_service(
            VerificationServiceServer::new(Verifications::new(population)).max_decoding_message_size(limit),
        );
    Ok(Server::new(NAME, config)
        .routes(layered(routes, AuthLayer::new(verifier, table)))
        .descriptors(eduhub_proto::DESCRIPTORS)
        .ready_when(move || {
            let pool = pool.clone();
            async move { eduhub_pg::is_up(&pool).await }
        }))
}
