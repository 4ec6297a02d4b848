//! One running facility on a database of its own, with everybody who calls it.
use crate::{
    pushing::open,
    registry::{Registry, codes},
};
use eduhub_auth::{
    Keyring,
    testing::{Persona, TokenMint},
};
use eduhub_cache::Cache;
use eduhub_facility::{
    app::{self, Parts, Peers},
    config::SchoolYears,
};
use eduhub_faults::{Reason, reason_of};
use eduhub_feed::FeedLimits;
use eduhub_ingest::{KeepDays, clock};
use eduhub_proto::facility::v1::{
    feed_service_client::FeedServiceClient, ingest_service_client::IngestServiceClient,
    record_service_client::RecordServiceClient, seal_service_client::SealServiceClient,
};
use eduhub_runtime::config::ServerConfig;
use eduhub_testkit::{BearerChannel, Database, Running, Served, until, with_bearer};
use sqlx::PgPool;
use std::time::Duration;
use time::macros::date;
use tokio::task::JoinSet;
use tonic::{Code, Status};

/// A school on the ground of [`COMMUNE`].
pub const SCHOOL: &str = "37143290001";
pub const COMMUNE: &str = "14329";
/// A school of another commune.
pub const ELSEWHERE: &str = "37143300001";
/// The campuses of [`SCHOOL`].
pub const CAMPUSES: [&str; 3] = ["DT1", "DT2", "DT3"];
pub const YEAR: i32 = 2026;
/// Longest wait for anything in a test.
pub const SOON: Duration = Duration::from_secs(20);

/// Fields are dropped in order: the database last.
pub struct Lab {
    pub registry: Registry,
    pub mint: TokenMint,
    pub pool: PgPool,
    pub running: Running,
    _workers: JoinSet<()>,
    _peer: Served,
    _db: Database,
}

impl Lab {
    /// With [`SCHOOL`] and [`ELSEWHERE`], on 22 November 2026, ready to take records.
    pub async fn start() -> Self {
        let lab = Self::start_without_codes().await;
        lab.give_codes(1);
        let vendor = Persona::vendor(SCHOOL);
        until(SOON, || async { lab.push(&vendor, open(), vec![]).await.is_ok() }).await;
        lab
    }

    /// The same with a registry that was not seeded yet.
    pub async fn start_without_codes() -> Self {
        let migrate = async |db: &Database| app::migrate(&db.pool().await).await.unwrap();
        let db = Database::prepared("facility", migrate).await;
        let pool = db.pool().await;
        // A feed's cursors know their database, so each has an identity of its own.
        let identity = "update feed_state set database_id = gen_random_uuid()";
        sqlx::query(identity).execute(&pool).await.unwrap();
        let mint = TokenMint::new().unwrap();
        let registry = Registry::new(mint.clone());
        registry.put_school(SCHOOL, COMMUNE);
        registry.put_school(ELSEWHERE, "14330");
        registry.campuses.state().campuses =
            [(SCHOOL.to_owned(), CAMPUSES.map(str::to_owned).to_vec())].into();
        let peer = Served::start(registry.routes()).await;
        let vault = eduhub_testkit::vault();
        let parts = Parts {
            pool: pool.clone(),
            cache: Cache::connect(None, "facility", vault.cache_key()),
            vault,
            peers: Peers {
                verifier: mint.verifier(),
                own: mint.service_identity("facility"),
                registry: peer.channel(),
                identity: peer.channel(),
            },
            receipt_keys: Keyring::generate().unwrap(),
            clock: clock(Some(date!(2026 - 11 - 22))),
            open_years: SchoolYears::new([2025, 2026]),
            feed: FeedLimits {
                poll: Duration::from_millis(10),
                checkpoint: Duration::from_millis(200),
                ..FeedLimits::default()
            },
            keep: KeepDays { log: 400, subscribed: 30, held: 30 },
        };
        mint.verifier().ready().await;
        let (server, workers) = app::server(ServerConfig::for_tests(), parts).unwrap();
        let running = Running::start(server).await;
        Self { registry, mint, pool, running, _workers: workers, _peer: peer, _db: db }
    }

    pub fn give_codes(&self, version: i64) {
        let mut state = self.registry.codes.state();
        (state.codes, state.version) = (codes(), version);
    }

    /// A channel of one caller, with a connection of its own.
    pub fn channel(&self, persona: &Persona) -> BearerChannel {
        with_bearer(self.running.channel(), self.mint.bearer(persona).unwrap())
    }

    pub fn ingest(&self, persona: &Persona) -> IngestServiceClient<BearerChannel> {
        IngestServiceClient::new(self.channel(persona))
    }

    pub fn feed(&self, persona: &Persona) -> FeedServiceClient<BearerChannel> {
        FeedServiceClient::new(self.channel(persona))
    }

    pub fn records(&self, persona: &Persona) -> RecordServiceClient<BearerChannel> {
        RecordServiceClient::new(self.channel(persona))
    }

    pub fn seals(&self, persona: &Persona) -> SealServiceClient<BearerChannel> {
        SealServiceClient::new(self.channel(persona))
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }
}

/// Code and reason of a refusal.
pub fn refusal<T: std::fmt::Debug>(outcome: Result<T, Status>) -> (Code, Reason) {
    let status = outcome.expect_err("refused");
    (status.code(), reason_of(&status).unwrap_or_else(|| panic!("no reason in {status:?}")))
}
