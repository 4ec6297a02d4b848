//! Settings of registry. Keys are read as `EDUHUB_REGISTRY_<KEY>`, then `EDUHUB_<KEY>`.
use eduhub_auth::Keyring;
use eduhub_cache::RedisSettings;
use eduhub_ingest::Day;
use eduhub_runtime::config::{DbSettings, Mistakes, Reader, ServerConfig};
use secrecy::SecretString;
use std::path::PathBuf;
use time::Date;

/// Prefix of this service's settings.
pub const PREFIX: &str = "EDUHUB_REGISTRY";

/// What the service runs with.
#[derive(Debug, Clone)]
pub struct Config {
    /// How it listens.
    pub server: ServerConfig,
    /// Its database.
    pub db: DbSettings,
    /// `IDENTITY_URL`: keys, revocations, its own token, verification of personal IDs.
    pub identity: String,
    /// `SERVICE_SECRET`: what it proves itself with to identity.
    pub secret: SecretString,
    /// `REDIS_URL`, `REDIS_CA`; without them the cache stays in the process.
    pub redis: Option<RedisSettings>,
    /// `VAULT_FILE`: keys for personal IDs, digests and the cache.
    pub vault_file: PathBuf,
    /// `RECEIPT_KEY_FILE`: signs receipts of pushes; a PEM file or a directory of them, see [`Keyring::load`].
    pub receipt_keys: Keyring,
    /// `TODAY`: a fixed business date, for demonstrations and tests only; absent: the real one.
    pub today: Option<Date>,
    /// `RETENTION_DAYS`: how long the change log is kept (entries under a seal longer); default 400 covers a school year.
    pub retention_days: u32,
    /// `SUBSCRIPTION_DAYS`: how much longer for a stored subscription that has not acknowledged it; default 30.
    pub subscription_days: u32,
    /// `HELD_DAYS`: how long a record waits for its parent; default 30.
    pub held_days: u32,
    /// `PUSH_WRITERS`: large batches that write at once in this process; default 8, all that are applied. Fewer hold back the feeds
    /// for less time each and leave a small database's cores to reads.
    pub push_writers: u32,
}

impl Config {
    /// Reads everything, or says every mistake at once.
    pub fn read(mut r: Reader) -> Result<Self, Mistakes> {
        let server = ServerConfig::read(&mut r);
        let db = DbSettings::read(&mut r);
        let identity = r.required("IDENTITY_URL");
        let secret = r.secret("SERVICE_SECRET");
        let redis = RedisSettings::read(&mut r);
        let vault_file = r.required("VAULT_FILE");
        let receipt_keys = Keyring::read(&mut r, "RECEIPT_KEY_FILE");
        let today = r.optional::<Day>("TODAY").map(|d| d.0);
        let retention_days = r.or_within("RETENTION_DAYS", 400, 1..=3_650);
        let subscription_days = r.or_within("SUBSCRIPTION_DAYS", 30, 0..=3_650);
        let held_days = r.or_within("HELD_DAYS", 30, 1..=365);
        let push_writers = r.or_within("PUSH_WRITERS", 8, 1..=64);
        r.finish(|| {
            let (db, identity, secret, vault_file) = (db?, identity?, secret?, vault_file?);
            let receipt_keys = receipt_keys?;
            Some(Self {
                server,
                db,
                identity,
                secret,
                redis,
                vault_file,
                receipt_keys,
                today,
                retention_days,
                subscription_days,
                held_days,
                push_writers,
            })
        })
    }

    /// Reads what `migrate` needs. The other settings may stand in the file as well.
    pub fn database(mut r: Reader) -> Result<DbSettings, Mistakes> {
        ServerConfig::read(&mut r);
        let db = DbSettings::read(&mut r);
        RedisSettings::skip(&mut r);
        for key in [
            "IDENTITY_URL",
            "SERVICE_SECRET",
            "VAULT_FILE",
            "RECEIPT_KEY_FILE",
            "TODAY",
            "RETENTION_DAYS",
            "SUBSCRIPTION_DAYS",
            "HELD_DAYS",
            "PUSH_WRITERS",
        ] {
            r.optional::<String>(key);
        }
        r.finish(|| db)
    }
}
