//! Puts the service together: ingest, feed, workers, routes, access.
use crate::{
    access::Access,
    code_list::{self, CodeBook, CodeLists},
    config::Config,
    enrolment::rpc::Enrolments,
    issue::rpc::Issues,
    metrics, policy,
    push::{
        OwnSchool,
        rpc::{Pushes, Registered},
    },
    record::rpc::Records,
    records::RegistryRecords,
    rules::{
        pack::{PackBook, rpc::Packs},
        stored::Stored,
    },
    schema::MIGRATOR,
    school::rpc::Schools,
    seal::rpc::Seals,
    verification::{Worker, WorkerLimits},
};
use anyhow::Result;
use eduhub_auth::{AuthLayer, AuthedChannel, Gate, Keyring, Verifier, policy::Table};
use eduhub_cache::Cache;
use eduhub_feed::{Feed, FeedLimits, FeedServer};
use eduhub_ingest::{Clock, GrantOwners, Ingest, Intake, KeepDays, Limits, WorkLists, clock, housekeeping};
use eduhub_pg::{PgPool, Standing};
use eduhub_proto::registry::v1::{
    code_list_service_server::CodeListServiceServer, enrolment_service_server::EnrolmentServiceServer,
    feed_service_server::FeedServiceServer, ingest_service_server::IngestServiceServer,
    issue_service_server::IssueServiceServer, record_service_server::RecordServiceServer,
    rule_service_server::RuleServiceServer, school_service_server::SchoolServiceServer,
    seal_service_server::SealServiceServer,
};
use eduhub_reads::{Reads, RecordServer};
use eduhub_receipts::Stamp;
use eduhub_runtime::{
    config::ServerConfig,
    server::{Server, layered},
};
use eduhub_seals::Archive;
use eduhub_vault::Vault;
use futures::FutureExt;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;
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
    /// Identity, as this service, for verification of persons and the names of owners; `None`: neither.
    pub identity: Option<AuthedChannel>,
    /// Signs receipts of pushes.
    pub receipt_keys: Keyring,
    /// Business date.
    pub clock: Clock,
    /// Bounds of pushes.
    pub push: Limits,
    /// Bounds of the feed.
    pub feed: FeedLimits,
    /// How long the log and held records are kept.
    pub keep: KeepDays,
}

impl Parts {
    /// Parts of a configuration.
    pub fn of(config: &Config, pool: PgPool, cache: Cache, vault: Arc<Vault>, verifier: Verifier) -> Self {
        let keep = KeepDays {
            log: config.retention_days,
            subscribed: config.subscription_days,
            held: config.held_days,
        };
        let clock = clock(config.today);
        let (receipt_keys, feed) = (config.receipt_keys.clone(), FeedLimits::default());
        Self {
            pool,
            cache,
            vault,
            verifier,
            identity: None,
            receipt_keys,
            clock,
            push: Limits { writing: config.push_writers as usize, ..Limits::default() },
            feed,
            keep,
        }
    }
}

/// The server, not yet bound, and the tasks that run beside it; they end soon after the server begins to drain, and at once
/// when the set is dropped.
pub async fn server(config: ServerConfig, parts: Parts) -> Result<(Server, JoinSet<()>)> {
    let table = Table::complete(policy::ROWS, policy::PACKAGE)?;
    let Parts { pool, cache, vault, verifier, identity, receipt_keys, clock, push, feed, keep } = parts;
    let owners = cache.clone();
    let access = Access::new(pool.clone(), cache);
    let ground = Ground {
        codes: CodeBook::load(pool.clone()).await?,
        packs: PackBook::load(pool.clone()).await?,
        gate: Gate::new(access.clone()),
        pool: pool.clone(),
        vault: vault.clone(),
        access,
        today: clock,
        limit: config.limits.max_message_bytes,
        checkpoint: feed.checkpoint,
        draining: CancellationToken::new(),
    };
    let mut ingest = ground.ingest(Stamp::new(NAME, receipt_keys), push);
    if let Some(identity) = &identity {
        ingest.owners = Arc::new(GrantOwners::new(identity.clone(), owners));
    }
    let wake = ingest.wake.clone();
    let feed = Feed::start(pool.clone(), vault.clone(), wake.clone(), feed);
    let draining = ground.draining.clone();
    let routes = ground.routes(ingest, feed);

    let mut workers = JoinSet::new();
    let (keeper, figures) =
        (housekeeping(pool.clone(), keep), eduhub_pg::figures(pool.clone(), metrics::questions()));
    workers.spawn(draining.clone().run_until_cancelled_owned(keeper).map(drop));
    workers.spawn(draining.clone().run_until_cancelled_owned(figures).map(drop));
    if let Some(identity) = identity {
        let (limits, stop) = (WorkerLimits::default(), draining.clone());
        workers.spawn(Worker { pool: pool.clone(), vault, identity, wake, limits, stop }.run());
    }
    let server = Server::new(NAME, config)
        .routes(layered(routes, AuthLayer::new(verifier, table)))
        .descriptors(eduhub_proto::DESCRIPTORS)
        .draining(draining)
        .ready_when(move || {
            let pool = pool.clone();
            async move { eduhub_pg::is_up(&pool).await }
        });
    Ok((server, workers))
}

/// What the RPCs stand on.
struct Ground {
    pool: PgPool,
    vault: Arc<Vault>,
    access: Access,
    gate: Gate,
    codes: CodeBook,
    packs: PackBook,
    today: Clock,
    limit: usize,
    checkpoint: Duration,
    draining: CancellationToken,
}

impl Ground {
    fn ingest(&self, stamp: Stamp, limits: Limits) -> Ingest<RegistryRecords> {
        let (codes, mappings, packs) = (self.codes.clone(), self.codes.clone(), self.packs.clone());
        let codes = Arc::new(move || codes.current());
        let mut ingest = Ingest::new(self.pool.clone(), self.vault.clone(), codes, self.today.clone(), stamp)
            .within(limits);
        ingest.mappings = Arc::new(move || mappings.mappings());
        ingest.extra = Arc::new(OwnSchool);
        ingest.stored = Arc::new(Stored { packs: packs.clone(), today: self.today.clone() });
        ingest.packs = Arc::new(move |year, day| packs.in_force(year, day));
        ingest.draining = self.draining.clone();
        ingest
    }

    fn routes(self, ingest: Ingest<RegistryRecords>, feed: Arc<Feed<RegistryRecords>>) -> Routes {
        let Self { pool, vault, access, gate, codes, packs, today, limit, checkpoint, draining } = self;
        let archive = Archive::new(pool.clone(), vault.clone(), gate.clone());
        let epochs = ingest.epochs.clone();
        let reads = Reads::new(pool.clone(), vault.clone(), gate.clone(), epochs, feed.heads());
        let push = Pushes(Intake::new(ingest, gate.clone(), Registered(pool.clone())));
        let watch =
            FeedServer::<RegistryRecords, FeedServiceServer<()>>::new(feed, gate.clone(), draining.clone());
        let records = RecordServiceServer::new(Records(reads.clone()));
        let schools = Schools { pool: pool.clone(), access };
        let (book, codes_now) = (packs, codes.clone());
        let packs = Packs {
            pool: pool.clone(),
            gate: gate.clone(),
            book,
            codes: codes_now,
            vault: vault.clone(),
            today: today.clone(),
        };
        let enrolments = Enrolments { pool: pool.clone(), gate: gate.clone(), today: today.clone() };
        let lists = CodeLists { pool: pool.clone(), book: codes, vault, today, checkpoint, draining };
        Routes::new(IngestServiceServer::new(push).max_decoding_message_size(limit))
            .add_service(watch)
            .add_service(RecordServer::new(reads, records))
            .add_service(SealServiceServer::new(Seals(archive)))
            .add_service(SchoolServiceServer::new(schools).max_decoding_message_size(limit))
            .add_service(CodeListServiceServer::new(lists).max_decoding_message_size(limit))
            .add_service(IssueServiceServer::new(Issues(WorkLists::new(pool, gate))))
            .add_service(RuleServiceServer::new(packs))
            .add_service(EnrolmentServiceServer::new(enrolments))
    }
}

/// Applies migrations and seeds.
pub async fn migrate(pool: &PgPool) -> Result<()> {
    // A newer release's database has the newer release's values.
    if eduhub_pg::migrate(pool, &MIGRATOR).await? == Standing::Current {
        code_list::seed(pool).await?;
    }
    Ok(())
}
