//! Settings of facility. Keys are read as `EDUHUB_FACILITY_<KEY>`, then `EDUHUB_<KEY>`.
use eduhub_auth::Keyring;
use eduhub_cache::RedisSettings;
use eduhub_ingest::{Day, KeepDays};
use eduhub_runtime::config::{DbSettings, Mistakes, Reader, ServerConfig};
use secrecy::SecretString;
use std::{collections::BTreeSet, path::PathBuf, str::FromStr};
use time::Date;

/// Prefix of this service's settings.
pub const PREFIX: &str = "EDUHUB_FACILITY";

/// Open school years when none are set: the one that runs and the one before, whose end-of-year figures still come in.
const OPEN_SCHOOL_YEARS: [i32; 2] = [2025, 2026];

/// What the service runs with.
#[derive(Debug, Clone)]
pub struct Config {
    /// How it listens.
    pub server: ServerConfig,
    /// Its database.
    pub db: DbSettings,
    /// `IDENTITY_URL`: keys, revocations, its own token.
    pub identity: String,
    /// `REGISTRY_URL`: schools, campuses, code lists.
    pub registry: String,
    /// `SERVICE_SECRET`: what it proves itself with to identity.
    pub secret: SecretString,
    /// `REDIS_URL`, `REDIS_CA`; without them the cache stays in the process.
    pub redis: Option<RedisSettings>,
    /// `VAULT_FILE`: keys for digests and the cache.
    pub vault_file: PathBuf,
    /// `RECEIPT_KEY_FILE`: signs receipts of pushes; a PEM file or a directory of them, see [`Keyring::load`].
    pub receipt_keys: Keyring,
    /// `TODAY`: a fixed business date, for demonstrations and tests only; absent: the real one.
    pub today: Option<Date>,
    /// `OPEN_SCHOOL_YEARS`: school years that are open for data, by their first year, with commas; default `2025,2026`.
    /// Must agree with registry's `school_year` table, which no RPC shows yet.
    pub open_years: SchoolYears,
    /// `RETENTION_DAYS`: how long the change log is kept (entries under a seal longer), default 400, which covers a school
    /// year; `SUBSCRIPTION_DAYS`: how much longer for a stored subscription that has not acknowledged it, default 30;
    /// `HELD_DAYS`: how long a record waits for its parent, default 30.
    pub keep: KeepDays,
}

/// School years by their first year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchoolYears(BTreeSet<i32>);

impl SchoolYears {
    /// These years.
    pub fn new(years: impl IntoIterator<Item = i32>) -> Self {
        Self(years.into_iter().collect())
    }

    /// Whether a year is among them.
    pub fn contains(&self, school_year: i32) -> bool {
        self.0.contains(&school_year)
    }
}

/// Not a list of school years.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("school years by their first year, 2000 to 2099, with commas, such as 2025,2026; not {0:?}")]
pub struct NotYears(String);

impl FromStr for SchoolYears {
    type Err = NotYears;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let year = |part: &str| part.trim().parse().ok().filter(|year| (2000..=2099).contains(year));
        let years = text.split(',').map(year).collect::<Option<BTreeSet<i32>>>();
        years.map(Self).ok_or_else(|| NotYears(text.to_owned()))
    }
}

impl Config {
    /// Reads everything, or says every mistake at once.
    ///
    /// # Errors
    /// [`Mistakes`].
    pub fn read(mut r: Reader) -> Result<Self, Mistakes> {
        let server = ServerConfig::read(&mut r);
        let db = DbSettings::read(&mut r);
        let identity = r.required("IDENTITY_URL");
        let registry = r.required("REGISTRY_URL");
        let secret = r.secret("SERVICE_SECRET");
        let redis = RedisSettings::read(&mut r);
        let vault_file = r.required("VAULT_FILE");
        let receipt_keys = Keyring::read(&mut r, "RECEIPT_KEY_FILE");
        let today = r.optional::<Day>("TODAY").map(|day| day.0);
        let open_years = r.or("OPEN_SCHOOL_YEARS", SchoolYears::new(OPEN_SCHOOL_YEARS));
        let log = r.or_within("RETENTION_DAYS", 400, 1..=3_650);
        let held = r.or_within("HELD_DAYS", 30, 1..=365);
        let subscribed = r.or_within("SUBSCRIPTION_DAYS", 30, 0..=3_650);
        let keep = KeepDays { log, subscribed, held };
        r.finish(|| {
            let (db, identity, registry) = (db?, identity?, registry?);
            let (secret, vault_file, receipt_keys) = (secret?, vault_file?, receipt_keys?);
            Some(Self {
                server,
                db,
                identity,
                registry,
                secret,
                redis,
                vault_file,
                receipt_keys,
                today,
                open_years,
                keep,
            })
        })
    }

    /// Reads what `migrate` needs. The other settings may stand in the file as well.
    ///
    /// # Errors
    /// [`Mistakes`].
    pub fn database(mut r: Reader) -> Result<DbSettings, Mistakes> {
        const OTHERS: [&str; 10] = [
            "IDENTITY_URL",
            "REGISTRY_URL",
            "SERVICE_SECRET",
            "VAULT_FILE",
            "RECEIPT_KEY_FILE",
            "TODAY",
            "OPEN_SCHOOL_YEARS",
            "RETENTION_DAYS",
            "SUBSCRIPTION_DAYS",
            "HELD_DAYS",
        ];
        ServerConfig::read(&mut r);
        let db = DbSettings::read(&mut r);
        RedisSettings::skip(&mut r);
        for key in OTHERS {
            r.optional::<String>(key);
        }
        r.finish(|| db)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_setting_is_named_at_once() {
        let pairs = [
            ("EDUHUB_REGISTRY_URL", "http://localhost:1"),
            ("EDUHUB_FACILITY_OPEN_SCHOOL_YEARS", "2025;2026"),
        ];
        let text = Config::read(Reader::from_pairs(PREFIX, pairs)).unwrap_err().to_string();
        for key in ["DATABASE_URL", "IDENTITY_URL", "SERVICE_SECRET", "VAULT_FILE", "OPEN_SCHOOL_YEARS"] {
            assert!(text.contains(&format!("EDUHUB_FACILITY_{key}")), "{key} in {text}");
        }
        assert!(!text.contains("REGISTRY_URL"), "{text}");
    }

    #[test]
    fn school_years_are_first_years_with_commas() {
        let years: SchoolYears = "2025, 2026".parse().unwrap();
        assert_eq!(years, SchoolYears::new(OPEN_SCHOOL_YEARS));
        assert!(years.contains(2026) && !years.contains(2024));
        for odd in ["", "2025-2026", "25", "2025,", "2025,x"] {
            assert!(odd.parse::<SchoolYears>().is_err(), "{odd}");
        }
    }
}
