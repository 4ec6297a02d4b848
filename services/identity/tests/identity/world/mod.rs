//! Identity on a database of its own, with a registry that knows a few schools and a simulated population database.

mod calls;
mod database;
mod forms;
mod registry;

pub use calls::*;
pub use database::Database;
pub use forms::{form, form2, submit};
pub use registry::{FakeRegistry, HOA_LU, SCHOOL, SECOND_SCHOOL, TAY_HOA_LU, THPT};

use eduhub_auth::Keyring;
use eduhub_auth::testing::Persona;
use eduhub_auth::{Signer, Verifier};
use eduhub_cache::Cache;
use eduhub_identity::app::{self, Parts};
use eduhub_identity::bootstrap::Mounted;
use eduhub_identity::{Exclusive, Population, PopulationConfig};
use eduhub_runtime::client::{ClientTls, GrpcChannel, channel};
use eduhub_runtime::config::ServerConfig;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::Request;
use tonic::metadata::AsciiMetadataValue;

pub const ADMIN_PASSWORD: &str = "mật khẩu quản trị";
pub const REGISTRY_SECRET: &str = "registry-secret-0123456789";
const NPD_KEY: &str = "npd-key";

/// Everything that a test needs; the database goes with it.
pub struct World {
    pub identity: GrpcChannel,
    pub registry: FakeRegistry,
    pub simulators: eduhub_simulators::Handle,
    pub database: Database,
    key: String,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// With `change` made to what the service is built of.
    pub async fn with(change: impl FnOnce(&mut Parts)) -> Self {
        eduhub_runtime::install_crypto_provider();
        let database = Database::create().await;
        let registry = FakeRegistry::start().await;
        let simulators =
            eduhub_simulators::start(eduhub_simulators::Config::new("id", "secret", NPD_KEY)).await.unwrap();
        let population = PopulationConfig {
            url: simulators.base_url().parse().unwrap(),
            api_key: NPD_KEY.into(),
            ca_pem: None,
            timeout: Duration::from_millis(400),
        };
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let mut parts = Parts {
            pool: database.pool.clone(),
            cache: Cache::connect(None, "identity", &[7; 32]),
            keyring: Keyring::of(Signer::from_pem(key.as_bytes()).unwrap(), []),
            mounted: Mounted {
                services: [("registry".to_owned(), REGISTRY_SECRET.into())].into(),
                admin_password: Some(ADMIN_PASSWORD.into()),
            },
            registry: registry.channel(),
            population: Population::new(population).unwrap(),
            require_form2: false,
            exclusive: Exclusive::School,
        };
        change(&mut parts);
        let bound = app::server(ServerConfig::for_tests(), parts).await.unwrap().bind().await.unwrap();
        let url = format!("http://{}", bound.local_addr());
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(async move {
            let ended = bound.serve(async { stopped.await.unwrap_or(()) }).await.unwrap();
            assert_eq!(ended, eduhub_runtime::server::Drain::Clean);
        });
        let identity = channel(&url, &ClientTls::default()).unwrap();
        Self { identity, registry, simulators, database, key, stop: Some(stop), server: Some(server) }
    }

    /// Ends the server and waits for its drain.
    pub async fn end(mut self) {
        drop(self.stop.take());
        self.server.take().unwrap().await.unwrap();
    }

    /// A request with a token for this persona, signed with identity's own key: for roles without a sign-in.
    pub fn as_persona<T>(&self, persona: &Persona, message: T) -> Request<T> {
        with_token(&self.token(persona), message)
    }

    /// Such a token as the value of `authorization`.
    pub fn bearer(&self, persona: &Persona) -> AsciiMetadataValue {
        format!("Bearer {}", self.token(persona)).parse().unwrap()
    }

    fn token(&self, persona: &Persona) -> String {
        Signer::from_pem(self.key.as_bytes()).unwrap().sign(&persona.0).unwrap()
    }

    /// A verifier as another service runs it.
    pub async fn verifier(&self) -> Verifier {
        let verifier = Verifier::start(self.identity.clone());
        verifier.ready().await;
        verifier
    }
}

/// A request with a bearer token.
pub fn with_token<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}
