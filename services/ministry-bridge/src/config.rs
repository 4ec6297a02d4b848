//! Settings, and why they default to what they do.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use eduhub_cache::RedisSettings;
use eduhub_runtime::config::{DbSettings, Mistakes, Reader, ServerConfig};
use reqwest::Url;
use secrecy::SecretString;

use crate::ministry::MinistryConfig;

/// Prefix of the settings; each falls back to `EDUHUB_<KEY>`.
pub const PREFIX: &str = "EDUHUB_BRIDGE";

/// Who starts transfers (R-FLOW-22): the letters of 2020 and 2026 differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiator {
    /// The school itself (2026).
    Unit,
    /// The Department, after its approval (2020).
    Department,
}

impl FromStr for Initiator {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "UNIT" => Ok(Self::Unit),
            "DEPARTMENT" => Ok(Self::Department),
            _ => Err("UNIT or DEPARTMENT"),
        }
    }
}

/// How work is done.
#[derive(Debug, Clone)]
pub struct WorkSettings {
    /// `TRANSFER_INITIATOR`, default UNIT.
    pub initiator: Initiator,
    /// `WORKERS`, default 4: the Ministry's answer takes most of the time, so a few wait at once.
    pub workers: usize,
    /// `BATCH_RECORDS`, default and most 100: what one request carries, and what one poison record can hold up.
    pub batch: i64,
    /// `LEASE_SECONDS`, default 60, most 120: a dead worker's batch is taken over after so long (design section 7).
    pub lease: Duration,
    /// `MAX_ATTEMPTS`, default 8: then a record is given up as dead.
    pub max_attempts: i32,
    /// `RETRY_MS`, default 500: pause after the first failure; doubles, with jitter.
    pub retry: Duration,
    /// `RETRY_CAP_SECONDS`, default 120: longest pause.
    pub retry_cap: Duration,
    /// `POLL_MS`, default 500: how often an idle worker looks for work that another replica left.
    pub poll: Duration,
}

/// Settings of the service.
pub struct Config {
    /// Listening, TLS, drain, limits.
    pub server: ServerConfig,
    /// Database.
    pub db: DbSettings,
    /// `REDIS_URL`, `REDIS_CA`; without them the cache stays in the process.
    pub redis: Option<RedisSettings>,
    /// `VAULT_FILE`: path of the key file.
    pub vault_file: PathBuf,
    /// `SERVICE_SECRET`: this service's own secret at identity.
    pub service_secret: SecretString,
    /// `IDENTITY_URL`.
    pub identity_url: String,
    /// `REGISTRY_URL`.
    pub registry_url: String,
    /// `FACILITY_URL`.
    pub facility_url: String,
    /// `APPROVAL_URL`.
    pub approval_url: String,
    /// The Ministry.
    pub ministry: MinistryConfig,
    /// How work is done.
    pub work: WorkSettings,
}

impl Config {
    /// What the `migrate` subcommand needs.
    ///
    /// # Errors
    /// [`Mistakes`].
    pub fn database(mut r: Reader) -> Result<DbSettings, Mistakes> {
        match DbSettings::read(&mut r) {
            Some(db) => Ok(db),
            None => r.finish(|| None),
        }
    }

    /// Reads everything.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn read(mut r: Reader) -> Result<Self, Mistakes> {
        let server = ServerConfig::read(&mut r);
        let db = DbSettings::read(&mut r);
        let redis = RedisSettings::read(&mut r);
        let vault_file = r.required::<PathBuf>("VAULT_FILE");
        let service_secret = r.secret("SERVICE_SECRET");
        let identity_url = r.required::<String>("IDENTITY_URL");
        let registry_url = r.required::<String>("REGISTRY_URL");
        let facility_url = r.required::<String>("FACILITY_URL");
        let approval_url = r.required::<String>("APPROVAL_URL");
        let ministry = read_ministry(&mut r);
        let work = read_work(&mut r);
        r.finish(|| {
            Some(Self {
                server,
                db: db?,
                redis,
                vault_file: vault_file?,
                service_secret: service_secret?,
                identity_url: identity_url?,
                registry_url: registry_url?,
                facility_url: facility_url?,
                approval_url: approval_url?,
                ministry: ministry?,
                work,
            })
        })
    }
}

fn read_ministry(r: &mut Reader) -> Option<MinistryConfig> {
    let url = r.required::<Url>("MINISTRY_URL");
    let client_id = r.required::<String>("MINISTRY_CLIENT_ID");
    let client_secret = r.secret("MINISTRY_CLIENT_SECRET");
    let ca_pem = r.optional_bytes("MINISTRY_CA");
    // Longer than the Ministry's slowest good answer, shorter than a lease.
    let timeout = r.seconds("MINISTRY_TIMEOUT_SECONDS", 20, 1..=50);
    let rate = r.or_within("MINISTRY_RATE", 20, 1..=1_000);
    let breaker_failures = r.or_within("MINISTRY_BREAKER_FAILURES", 8, 1..=1_000);
    let breaker_pause = r.seconds("MINISTRY_BREAKER_SECONDS", 10, 1..=600);
    Some(MinistryConfig {
        url: url?,
        client_id: client_id?,
        client_secret: client_secret?,
        ca_pem,
        timeout,
        rate: NonZeroU32::new(rate)?,
        breaker_failures,
        breaker_pause,
    })
}

fn read_work(r: &mut Reader) -> WorkSettings {
    let millis = |r: &mut Reader, key: &str, default: u64| {
        Duration::from_millis(r.or_within(key, default, 10..=60_000))
    };
    WorkSettings {
        initiator: r.or("TRANSFER_INITIATOR", Initiator::Unit),
        workers: r.or_within("WORKERS", 4, 1..=64),
        batch: r.or_within("BATCH_RECORDS", 100, 1..=100),
        lease: r.seconds("LEASE_SECONDS", 60, 1..=120),
        max_attempts: r.or_within("MAX_ATTEMPTS", 8, 1..=100),
        retry: millis(r, "RETRY_MS", 500),
        retry_cap: r.seconds("RETRY_CAP_SECONDS", 120, 1..=3_600),
        poll: millis(r, "POLL_MS", 500),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_told_at_once() {
        let pairs = [("EDUHUB_BRIDGE_TRANSFER_INITIATOR", "SCHOOL"), ("EDUHUB_WORKERS", "0")];
        let mistakes = Config::read(Reader::from_pairs(PREFIX, pairs)).err().unwrap().to_string();
        for expected in
            ["TRANSFER_INITIATOR: UNIT or DEPARTMENT", "WORKERS", "DATABASE_URL", "MINISTRY_URL", "VAULT"]
        {
            assert!(mistakes.contains(expected), "{expected} in {mistakes}");
        }
    }
}
