//! Puts the service together: ingest, feed, peers, routes, access.
use crate::{
    config::{Config, SchoolYears},
    issue::rpc::Issues,
    peers::{Campuses, CodeBook, Schools},
    policy,
    push::{
        CampusCheck,
        rpc::{Pushes, Ready},
    },
    record::rpc::Records,
    records::FacilityRecords,
    schema::MIGRATOR,
    seal::rpc::Seals,
};
use anyhow::Result;
use eduhub_auth::{AuthLayer, Gate, Keyring, ServiceIdentity, Verifier, policy::Table};
use eduhub_cache::Cache;
use eduhub_feed::{Feed, FeedLimits, FeedServer};
use eduhub_ingest::{Clock, GrantOwners, Ingest, Intake, KeepDays, WorkLists, clock, housekeeping};
use eduhub_pg::PgPool;
use eduhub_proto::facility::v1::{
    feed_service_server::FeedServiceServer, ingest_service_server::IngestServiceServer,
    issue_service_server::IssueServiceServer, record_service_server::RecordServiceServer,
    seal_service_server::SealServiceServer,
};
use eduhub_reads::{Reads, RecordServer};
use eduhub_receipts::Stamp;
use eduhub_runtime::{
    client::GrpcChannel,
    config::ServerConfig,
    server::{Server, layered},
};
use eduhub_seals::Archive;
use eduhub_vault::Vault;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

/// Name of the service, as in its ready line and in traces.
pub const NAME: &str = "eduhub-facility";

/// What the service is built of.
pub struct Parts {
    /// Its database.
    pub pool: PgPool,
    /// Its cache.
    pub cache: Cache,
    /// Its keys.
    pub vault: Arc<Vault>,
    /// The services beside it.
    pub peers: Peers,
    /// Signs receipts of pushes.
    pub receipt_keys: Keyring,
    /// Business date.
    pub clock: Clock,
    /// School years that are open for data.
    pub open_years: SchoolYears,
    /// Bounds of the feed.
    pub feed: FeedLimits,
    /// How long the log and held records are kept.
    pub keep: KeepDays,
}

/// The services beside it: whom it trusts, who it is to them, whom it asks.
pub struct Peers {
    /// Checks callers.
    pub verifier: Verifier,
    /// Its own token.
    pub own: ServiceIdentity,
    /// Registry.
    pub registry: GrpcChannel,
    /// Identity.
    pub identity: GrpcChannel,
}

impl Parts {
    /// Parts of a configuration.
    pub fn of(config: &Config, pool: PgPool, cache: Cache, vault: Arc<Vault>, peers: Peers) -> Self {
        let (clock, feed, keep) = (clock(config.today), FeedLimits::default(), config.keep);
        let open_years = config.open_years.clone();
        let receipt_keys = config.receipt_keys.clone();
        Self { pool, cache, vault, peers, receipt_keys, clock, open_years, feed, keep }
    }
}

/// The server, not yet bound, and the tasks that run beside it; they end when the set is dropped.
///
/// # Errors
/// An RPC without a policy row.
pub fn server(config: ServerConfig, parts: Parts) -> Result<(Server, JoinSet<()>)> {
    let table = Table::complete(policy::ROWS, policy::PACKAGE)?;
    let limit = config.limits.max_message_bytes;
    let Parts { pool, cache, vault, peers, receipt_keys, clock, open_years, feed, keep } = parts;
    let stamp = Stamp::new(NAME, receipt_keys);
    let Peers { verifier, own, registry, identity } = peers;
    let (codes, authed) = (CodeBook::default(), own.channel(registry.clone()));
    let mut workers = JoinSet::new();
    workers.spawn(codes.clone().follow(registry));
    workers.spawn(housekeeping(pool.clone(), keep));
    workers.spawn(eduhub_pg::figures(pool.clone(), eduhub_feed::metrics::questions()));

    let lists = codes.clone();
    let mut ingest = Ingest::<FacilityRecords>::new(
        pool.clone(),
        vault.clone(),
        Arc::new(move || lists.current()),
        clock,
        stamp,
    );
    let lists = codes.clone();
    ingest.mappings = Arc::new(move || lists.mappings());
    ingest.owners = Arc::new(GrantOwners::new(own.channel(identity), cache.clone()));
    ingest.extra = Arc::new(CampusCheck(Campuses::new(authed.clone(), cache.clone())));
    let draining = CancellationToken::new();
    ingest.draining = draining.clone();
    let feed = Feed::start(pool.clone(), vault.clone(), ingest.wake.clone(), feed);
    let epochs = ingest.epochs.clone();
    let gate = Gate::new(Schools::new(authed, cache));
    let reads = Reads::new(pool.clone(), vault.clone(), gate.clone(), epochs, feed.heads());
    let archive = Archive::new(pool.clone(), vault, gate.clone());

    let ready = Ready { codes: codes.clone(), open_years };
    let push = Pushes(Intake::new(ingest, gate.clone(), ready));
    let issues = Issues(WorkLists::new(pool.clone(), gate.clone()));
    let watch = FeedServer::<FacilityRecords, FeedServiceServer<()>>::new(feed, gate, draining.clone());
    let records = RecordServiceServer::new(Records(reads.clone()));
    let records = RecordServer::new(reads, records);
    let routes = Routes::new(IngestServiceServer::new(push).max_decoding_message_size(limit))
        .add_service(watch)
        .add_service(records)
        .add_service(IssueServiceServer::new(issues))
        .add_service(SealServiceServer::new(Seals(archive)));
    let server = Server::new(NAME, config)
        .routes(layered(routes, AuthLayer::new(verifier, table)))
        .descriptors(eduhub_proto::DESCRIPTORS)
        .draining(draining)
        .ready_when(move || {
            let (pool, codes) = (pool.clone(), codes.clone());
            async move { codes.is_loaded() && eduhub_pg::is_up(&pool).await }
        });
    Ok((server, workers))
}

/// Applies migrations.
///
/// # Errors
/// The database's; a schema that is newer than this program.
pub async fn migrate(pool: &PgPool) -> Result<()> {
    eduhub_pg::migrate(pool, &MIGRATOR).await?;
    Ok(())
}
