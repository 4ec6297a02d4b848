//! Puts the service together: ingest, feed, workers, routes, access.
use crate::{
    access::Access,
    clock::{Clock, clock},
    code_list::{self, CodeBook},
    config::Config,
    issue::rpc::Issues,
    policy,
    push::rpc::Pushes,
    record::rpc::Records,
    records::RegistryRecords,
    school::rpc::Schools,
    schema::MIGRATOR,
    seal::rpc::Seals,
    verification::{Worker, WorkerLimits},
    watch::rpc::Watching,
};
use anyhow::Result;
use eduhub_auth::{AuthLayer, AuthedChannel, Verifier, policy::Table};
use eduhub_cache::Cache;
use eduhub_feed::{Feed, FeedLimits};
use eduhub_ingest::Ingest;
use eduhub_pg::{DbError, PgPool, in_tx};
use eduhub_proto::registry::v1::{
    code_list_service_server::CodeListServiceServer, feed_service_server::FeedServiceServer,
    ingest_service_server::IngestServiceServer, issue_service_server::IssueServiceServer,
    record_service_server::RecordServiceServer, school_service_server::SchoolServiceServer,
    seal_service_server::SealServiceServer,
};
use eduhub_runtime::{
    config::ServerConfig,
    server::{Server, layered},
};
use eduhub_vault::Vault;
use std::{sync::Arc, time::Duration};
use time::OffsetDateTime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

/// Name of the service, as in its ready line and in traces.
pub const NAME: &str = "eduhub-registry";

/// What the service is built of.
pub struct Parts {
    /// Its database.
    pub pool: PgPool,
    /// Its cache.
    pub cache: Cache,
    /// Its keys.
    pub vault: Arc<Vault>,
    /// Checks callers.
    pub verifier: Verifier,
    /// Identity, as this service, for verification of persons; `None` starts no worker.
    pub identity: Option<AuthedChannel>,
    /// Business date.
    pub clock: Clock,
    /// Bounds of the feed.
    pub feed: FeedLimits,
    /// Days that the log and held records are kept.
    pub keep_days: (u32, u32),
}

impl Parts {
    /// Parts of a configuration.
    pub fn of(config: &Config, pool: PgPool, cache: Cache, vault: Arc<Vault>, verifier: Verifier) -> Self {
        let keep_days = (config.retention_days, config.held_days);
        let clock = clock(config.today);
        Self { pool, cache, vault, verifier, identity: None, clock, feed: FeedLimits::default(), keep_days }
    }
}

/// Tasks that run beside the server; they end when this is dropped.
pub struct Workers(Vec<JoinHandle<()>>);

impl Drop for Workers {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// The server, not yet bound, and its workers.
pub async fn server(config: ServerConfig, parts: Parts) -> Result<(Server, Workers)> {
    let table = Table::complete(policy::ROWS, policy::PACKAGE)?;
    let limit = config.limits.max_message_bytes;
    let Parts { pool, cache, vault, verifier, identity, clock, feed, keep_days } = parts;
    let book = CodeBook::load(pool.clone()).await?;
    let codes = book.clone();
    let ingest =
        Ingest::<RegistryRecords>::new(pool.clone(), vault.clone(), Arc::new(move || codes.current()), clock);
    let wake = ingest.wake.clone();
    let feed = Feed::start(pool.clone(), vault.clone(), wake.clone(), feed);
    let access = Access::new(pool.clone(), cache);
    let draining = CancellationToken::new();

    let push = Pushes { ingest: Arc::new(ingest), pool: pool.clone(), access: access.clone() };
    let watch = Watching { feed, pool: pool.clone(), draining: draining.clone() };
    let records = Records { pool: pool.clone(), vault: vault.clone(), access: access.clone() };
    let seals = Seals { pool: pool.clone(), vault: vault.clone(), access: access.clone() };
    let schools = Schools { pool: pool.clone(), access: access.clone() };
    let codes = code_list::rpc::CodeLists { pool: pool.clone() };
    let issues = Issues { pool: pool.clone(), access };
    let routes = Routes::new(IngestServiceServer::new(push).max_decoding_message_size(limit))
        .add_service(FeedServiceServer::new(watch))
        .add_service(RecordServiceServer::new(records))
        .add_service(SealServiceServer::new(seals))
        .add_service(SchoolServiceServer::new(schools).max_decoding_message_size(limit))
        .add_service(CodeListServiceServer::new(codes))
        .add_service(IssueServiceServer::new(issues));

    let mut workers = vec![tokio::spawn(janitor(pool.clone(), keep_days))];
    if let Some(identity) = identity {
        let worker = Worker { pool: pool.clone(), vault, identity, wake, limits: WorkerLimits::default() };
        workers.push(tokio::spawn(worker.run()));
    }
    let server = Server::new(NAME, config)
        .routes(layered(routes, AuthLayer::new(verifier, table)))
        .descriptors(eduhub_proto::DESCRIPTORS)
        .draining(draining)
        .ready_when(move || {
            let pool = pool.clone();
            async move { eduhub_pg::is_up(&pool).await }
        });
    Ok((server, Workers(workers)))
}

/// Applies migrations and seeds.
pub async fn migrate(pool: &PgPool) -> Result<()> {
    eduhub_pg::migrate(pool, &MIGRATOR).await?;
    code_list::seed(pool).await?;
    Ok(())
}

/// Prunes the log and expires held records, a bounded piece at a time.
async fn janitor(pool: PgPool, (log_days, held_days): (u32, u32)) {
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let before = |days: u32| OffsetDateTime::now_utc() - time::Duration::days(i64::from(days));
        let done: Result<(), DbError> = in_tx(&pool, Duration::from_secs(10), move |conn| {
            Box::pin(async move {
                eduhub_ingest::expire_held(conn, before(held_days), 500).await?;
                eduhub_changelog::prune(conn, before(log_days), 5_000).await?;
                Ok(())
            })
        })
        .await;
        if let Err(error) = done {
            tracing::warn!(%error, "housekeeping is delayed");
        }
    }
}
