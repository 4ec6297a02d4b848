//! One running registry on a database of its own, with everybody who calls it.
use eduhub_auth::{
    Keyring,
    testing::{Persona, TokenMint},
};
use eduhub_cache::{Cache, RedisSettings};
use eduhub_feed::FeedLimits;
use eduhub_ingest::{KeepDays, Limits, clock};
use eduhub_proto::{
    common::v1::Level,
    registry::v1::{
        RegisterSchoolsRequest, SchoolEntry, code_list_service_client::CodeListServiceClient,
        feed_service_client::FeedServiceClient, ingest_service_client::IngestServiceClient,
        issue_service_client::IssueServiceClient, record_service_client::RecordServiceClient,
        school_service_client::SchoolServiceClient, seal_service_client::SealServiceClient,
    },
};
use eduhub_registry::app::{self, Parts};
use eduhub_runtime::config::ServerConfig;
use eduhub_testkit::{BearerChannel, Database, Running, with_bearer};
use eduhub_vault::Vault;
use sqlx::{AssertSqlSafe, PgPool, Row};
use std::{sync::Arc, time::Duration};
use time::macros::date;
use tokio::task::JoinSet;

/// First school; stands in [`COMMUNE`].
pub const SCHOOL: &str = "37143290001";
/// Second school; stands in the neighbouring one.
pub const OTHER: &str = "37143300001";
pub const COMMUNE: &str = "14329";
pub const YEAR: i32 = 2026;
/// Longest wait for anything in a test.
pub const SOON: Duration = Duration::from_secs(20);

/// A registry in this process. Fields are dropped in order: the database last.
pub struct Hub {
    pub mint: TokenMint,
    pub pool: PgPool,
    pub vault: Arc<Vault>,
    pub running: Running,
    workers: JoinSet<()>,
    pub db: Arc<Database>,
}

/// What a hub is started with.
pub struct Setup {
    pub feed: FeedLimits,
    pub push: Limits,
    pub redis: Option<String>,
    /// URL of an identity that verifies persons; none: no verification.
    pub identity: Option<String>,
    /// SQL that runs after the migrations and before the service starts.
    pub before: Vec<String>,
}

impl Default for Setup {
    fn default() -> Self {
        let feed = FeedLimits {
            poll: Duration::from_millis(10),
            checkpoint: Duration::from_millis(200),
            ..FeedLimits::default()
        };
        Self { feed, push: Limits::default(), redis: None, identity: None, before: vec![] }
    }
}

impl Hub {
    /// With two schools, [`SCHOOL`] and [`OTHER`], and the business date of 22 November 2026.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let migrate = async |db: &Database| app::migrate(&db.pool().await).await.unwrap();
        let db = Arc::new(Database::prepared("registry", migrate).await);
        let pool = db.pool().await;
        // A feed's cursors know their database, so each has an identity of its own.
        let identity = "update feed_state set database_id = gen_random_uuid()";
        sqlx::query(identity).execute(&pool).await.unwrap();
        for sql in &setup.before {
            sqlx::raw_sql(AssertSqlSafe(sql.as_str())).execute(&pool).await.unwrap();
        }
        let (vault, mint) = (eduhub_testkit::vault(), TokenMint::new().unwrap());
        let hub = Self::serve(db, vault, mint, setup).await;
        hub.register(&[school(SCHOOL, COMMUNE), school(OTHER, "14359")]).await;
        hub
    }

    /// Another process of the same service: same database, keys and tokens, a memory of its own.
    pub async fn replica(&self, redis: Option<&str>) -> Self {
        let setup = Setup { redis: redis.map(str::to_owned), ..Setup::default() };
        Self::serve(self.db.clone(), self.vault.clone(), self.mint.clone(), setup).await
    }

    /// Ends the service and its connections; gives the database.
    pub async fn end(self) -> Arc<Database> {
        let Self { running, pool, mut workers, db, .. } = self;
        running.stop().await;
        while workers.join_next().await.is_some() {}
        pool.close().await;
        db
    }

    /// The service on a database that has everything already.
    pub async fn again(db: Arc<Database>, vault: Arc<Vault>, mint: TokenMint) -> Self {
        Self::serve(db, vault, mint, Setup::default()).await
    }

    /// One more process with a setup of its own.
    pub async fn serve(db: Arc<Database>, vault: Arc<Vault>, mint: TokenMint, setup: Setup) -> Self {
        let pool = db.pool().await;
        let redis = setup.redis.map(|url| RedisSettings::parse(&url, None).unwrap());
        let cache = Cache::connect(redis.as_ref(), "registry", vault.cache_key());
        let identity = setup.identity.map(|url| {
            let channel = eduhub_runtime::client::channel(&url, &Default::default()).unwrap();
            mint.service_identity("registry").channel(channel)
        });
        let parts = Parts {
            pool: pool.clone(),
            cache,
            vault: vault.clone(),
            verifier: mint.verifier(),
            identity,
            receipt_keys: Keyring::generate().unwrap(),
            clock: clock(Some(date!(2026 - 11 - 22))),
            push: setup.push,
            feed: setup.feed,
            keep: KeepDays { log: 400, subscribed: 30, held: 30 },
        };
        mint.verifier().ready().await;
        let (server, workers) = app::server(ServerConfig::for_tests(), parts).await.unwrap();
        let running = Running::start(server).await;
        Self { mint, pool, vault, running, workers, db }
    }

    pub async fn register(&self, schools: &[SchoolEntry]) {
        let request = RegisterSchoolsRequest { schools: schools.to_vec(), ..Default::default() };
        self.schools(&Persona::admin()).register_schools(request).await.unwrap();
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

    pub fn schools(&self, persona: &Persona) -> SchoolServiceClient<BearerChannel> {
        SchoolServiceClient::new(self.channel(persona))
    }

    pub fn codes(&self, persona: &Persona) -> CodeListServiceClient<BearerChannel> {
        CodeListServiceClient::new(self.channel(persona))
    }

    pub fn issues(&self, persona: &Persona) -> IssueServiceClient<BearerChannel> {
        IssueServiceClient::new(self.channel(persona))
    }

    /// One number from the database.
    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query(sql).fetch_one(&self.pool).await.unwrap().get(0)
    }

    /// Everything a test may compare of the stored rows: kind, school, key, version, withdrawn, in order.
    pub async fn rows(&self) -> Vec<String> {
        let mut all = Vec::new();
        for table in TABLES {
            let sql = format!(
                "select format('%s %s %s %s %s', '{table}', school_code, record_key, version, withdrawn) from {table} order by 1"
            );
            all.extend(
                sqlx::query_scalar::<_, String>(AssertSqlSafe(sql)).fetch_all(&self.pool).await.unwrap(),
            );
        }
        all
    }
}

/// Tables of records.
pub const TABLES: [&str; 12] = [
    "school_record",
    "campus_record",
    "class_record",
    "pupil_record",
    "staff_record",
    "enrolment_record",
    "term_result_record",
    "health_record",
    "attendance_record",
    "retake_record",
    "graduation_record",
    "free_candidate_record",
];

/// A registration.
pub fn school(code: &str, commune: &str) -> SchoolEntry {
    SchoolEntry {
        school_code: code.to_owned(),
        name: format!("Trường THCS {code}"),
        level: Level::LowerSecondary as i32,
        commune_code: commune.to_owned(),
        province_code: "37".to_owned(),
        directly_managed: false,
        independent_group: false,
        ..SchoolEntry::default()
    }
}

impl Hub {
    /// Rows of a table.
    pub async fn count_of(&self, table: &str) -> i64 {
        let sql = AssertSqlSafe(format!("select count(*) from {table}"));
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }
}
