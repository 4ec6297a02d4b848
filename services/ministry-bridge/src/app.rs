//! Builds the server and the workers.

use std::sync::Arc;

use anyhow::Context;
use eduhub_auth::policy::Table;
use eduhub_auth::{AuthLayer, ServiceIdentity, Verifier};
use eduhub_cache::Cache;
use eduhub_pg::PgPool;
use eduhub_proto::bridge::v1::capability_service_server::CapabilityServiceServer;
use eduhub_proto::bridge::v1::reconcile_service_server::ReconcileServiceServer;
use eduhub_proto::bridge::v1::transfer_service_server::TransferServiceServer;
use eduhub_runtime::config::ServerConfig;
use eduhub_runtime::server::{Server, layered};
use eduhub_vault::Vault;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::capability::Capabilities;
use crate::config::Config;
use crate::core::Core;
use crate::ministry::Ministry;
use crate::peers::Peers;
use crate::policy::{PACKAGE, ROWS};
use crate::reconcile::Reconciliations;
use crate::schema::MIGRATOR;
use crate::transfer::Transfers;
use crate::{NAME, jobs, metrics};

/// The whole service: connects, checks the schema, serves until the stop signal, lets workers finish, closes.
///
/// # Errors
/// Whatever keeps it from starting or serving.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let tls = config.server.tls.client();
    let channel = |url: &str| eduhub_runtime::client::channel(url, &tls);
    let identity = channel(&config.identity_url)?;
    let service = ServiceIdentity::start(identity.clone(), "bridge", config.service_secret.clone());
    let peers = Peers::new(
        &service,
        channel(&config.approval_url)?,
        channel(&config.registry_url)?,
        channel(&config.facility_url)?,
    );
    let vault = Arc::new(Vault::load(&config.vault_file).context("key file")?);
    let cache = Cache::connect(config.redis.as_ref(), "bridge", vault.cache_key());
    let pool = eduhub_pg::connect(&config.db).await?;
    eduhub_pg::check_schema(&pool, &MIGRATOR).await?;
    let core = Core {
        pool: pool.clone(),
        vault,
        cache,
        peers,
        ministry: Arc::new(Ministry::new(config.ministry)?),
        settings: Arc::new(config.work),
        wake: Arc::default(),
    };
    let drain = config.server.drain;
    let draining = CancellationToken::new();
    let mut workers = workers(&core, &draining);
    let mut beside = JoinSet::new();
    beside.spawn(eduhub_pg::figures(pool.clone(), metrics::questions()));
    let served = server(config.server, core, Verifier::start(identity), draining.clone())?.run().await;
    draining.cancel();
    // A worker ends with its present job; one that does not leaves it to another replica when its lease runs out.
    if tokio::time::timeout(drain, async { while workers.join_next().await.is_some() {} }).await.is_err() {
        tracing::warn!("workers were still busy after the drain");
        workers.shutdown().await;
    }
    drop(beside);
    pool.close().await;
    served.map(|_| ()).map_err(Into::into)
}

/// Starts the workers. Dropping the set kills them.
pub fn workers(core: &Core, stop: &CancellationToken) -> JoinSet<()> {
    (0..core.settings.workers).map(|_| jobs::run(core.clone(), stop.clone())).collect()
}

/// The server with its RPCs behind the access layer.
///
/// # Errors
/// The policy table has gaps.
pub fn server(
    config: ServerConfig,
    core: Core,
    verifier: Verifier,
    draining: CancellationToken,
) -> anyhow::Result<Server> {
    let table = Table::complete(ROWS, PACKAGE)?;
    let limit = config.limits.max_message_bytes;
    let routes = Routes::new(
        TransferServiceServer::new(Transfers(core.clone()))
            .max_decoding_message_size(limit)
            .max_encoding_message_size(limit),
    )
    .add_service(
        ReconcileServiceServer::new(Reconciliations(core.clone()))
            .max_decoding_message_size(limit)
            .max_encoding_message_size(limit),
    )
    .add_service(
        CapabilityServiceServer::new(Capabilities(core.clone()))
            .max_decoding_message_size(limit)
            .max_encoding_message_size(limit),
    );
    let pool: PgPool = core.pool;
    Ok(Server::new(NAME, config)
        .routes(layered(routes, AuthLayer::new(verifier, table)))
        .descriptors(eduhub_proto::DESCRIPTORS)
        .draining(draining)
        .ready_when(move || {
            let pool = pool.clone();
            async move { eduhub_pg::is_up(&pool).await }
        }))
}
