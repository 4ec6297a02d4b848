use std::time::Duration;

use secrecy::SecretString;

use super::Reader;

/// How a service reaches its database. `eduhub_pg::connect` takes it.
#[derive(Clone, Debug)]
pub struct DbSettings {
    /// `DATABASE_URL`, required: it holds the password, so it is a secret as a whole.
    pub url: SecretString,
    /// `DB_MAX_CONNECTIONS`, default 10: two replicas of five services stay below Postgres' own default of 100.
    pub max_connections: u32,
    /// `DB_ACQUIRE_SECONDS`, default 3: a caller waits 30 s at most by default, and a pool that is empty for 3 s
    /// means overload, which is better said than queued.
    pub acquire_timeout: Duration,
    /// `DB_STATEMENT_SECONDS`, default 20: below the default request deadline of 30 s, so that a request learns of
    /// a slow statement instead of leaving it behind.
    pub statement_timeout: Duration,
    /// `DB_LOCK_SECONDS`, default 5: writers of one school queue up; five short transactions fit, a stuck one shows.
    pub lock_timeout: Duration,
    /// `DB_IDLE_IN_TX_SECONDS`, default 15: the oldest transaction of the cluster holds every feed's horizon.
    pub idle_in_transaction_timeout: Duration,
    /// `DB_SCHEMA`: the schema that the service owns, set as `search_path` on every connection; absent means that
    /// the role's own setting decides.
    pub schema: Option<String>,
    /// What `pg_stat_activity` shows.
    pub application_name: String,
}

impl DbSettings {
    /// Reads the settings; `None` is always also a recorded mistake.
    pub fn read(r: &mut Reader) -> Option<Self> {
        let application_name = r.name("").trim_end_matches('_').to_lowercase().replace('_', "-");
        let url = r.secret("DATABASE_URL");
        let settings = Self {
            url: url.clone().unwrap_or_default(),
            max_connections: r.or_within("DB_MAX_CONNECTIONS", 10, 1..=200),
            acquire_timeout: r.seconds("DB_ACQUIRE_SECONDS", 3, 1..=60),
            statement_timeout: r.seconds("DB_STATEMENT_SECONDS", 20, 1..=600),
            lock_timeout: r.seconds("DB_LOCK_SECONDS", 5, 1..=60),
            idle_in_transaction_timeout: r.seconds("DB_IDLE_IN_TX_SECONDS", 15, 1..=120),
            schema: r.optional("DB_SCHEMA"),
            application_name,
        };
        url.map(|_| settings)
    }

    /// The defaults for `url`: for tests and tools.
    pub fn for_url(url: impl Into<String>, application_name: &str) -> Self {
        Self {
            url: url.into().into(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(20),
            lock_timeout: Duration::from_secs(5),
            idle_in_transaction_timeout: Duration::from_secs(15),
            schema: None,
            application_name: application_name.to_owned(),
        }
    }
}
