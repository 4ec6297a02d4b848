//! Settings. Each key is looked for as `EDUHUB_IDENTITY_<KEY>`, then `EDUHUB_<KEY>`, in the environment and the file.
use crate::bootstrap::{Mounted, parse_services};
use crate::grant::Exclusive;
use crate::verification::PopulationConfig;
use eduhub_auth::Keyring;
use eduhub_cache::RedisSettings;
use eduhub_runtime::config::{DbSettings, Mistakes, Reader, ServerConfig};
use reqwest::Url;
use secrecy::ExposeSecret;
use std::path::PathBuf;

/// Prefix of the settings.
pub const PREFIX: &str = "EDUHUB_IDENTITY";
/// Schema that the service owns when `DB_SCHEMA` names no other.
const SCHEMA: &str = "identity";

/// Everything that `serve` needs.
pub struct Config {
    /// Listening, TLS, drain, limits.
    pub server: ServerConfig,
    /// Database.
    pub db: DbSettings,
    /// `REDIS_URL`, `REDIS_CA`; without them the cache stays in the process.
    pub redis: Option<RedisSettings>,
    /// `VAULT_FILE`: path of the key file; the cache's key is in it.
    pub vault_file: PathBuf,
    /// `TOKEN_KEY_FILE`: a PEM file or a directory of them, see [`Keyring::load`].
    pub keyring: Keyring,
    /// `SERVICE_CREDENTIALS_FILE` (or `SERVICE_SECRETS_FILE`) and `ADMIN_PASSWORD_FILE`.
    pub mounted: Mounted,
    /// `REGISTRY_URL`.
    pub registry_url: String,
    /// `NPD_URL`, `NPD_API_KEY` (or `NPD_API_KEY_FILE`), `NPD_CA`, `NPD_TIMEOUT_SECONDS`.
    pub population: PopulationConfig,
    /// `REQUIRE_FORM2`, default false: see [`crate::application::Applications::new`]. The letters of 2020 asked for the
    /// district's form; since the districts ended it is the Department's choice whether communes stand in.
    pub require_form2: bool,
    /// `ONE_VENDOR_PER_SCHOOL`, default true: a school has one software and every other vendor is refused (R-FLOW-2). False:
    /// what the first vendor's grant does not have, as facilities or health, may be granted to another one.
    pub exclusive: Exclusive,
}

impl Config {
    /// Reads everything.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn read(mut r: Reader) -> Result<Self, Mistakes> {
        let server = ServerConfig::read(&mut r);
        let db = read_db(&mut r);
        let redis = RedisSettings::read(&mut r);
        let vault_file = r.required::<PathBuf>("VAULT_FILE");
        let keyring = Keyring::read(&mut r, "TOKEN_KEY_FILE");
        let mounted = read_mounted(&mut r);
        let registry_url = r.required::<String>("REGISTRY_URL");
        let population = read_population(&mut r);
        let require_form2 = r.or("REQUIRE_FORM2", false);
        let one_vendor = r.or("ONE_VENDOR_PER_SCHOOL", true);
        let exclusive = if one_vendor { Exclusive::School } else { Exclusive::Domains };
        r.finish(|| {
            Some(Self {
                server,
                db: db?,
                redis,
                vault_file: vault_file?,
                keyring: keyring?,
                mounted,
                registry_url: registry_url?,
                population: population?,
                require_form2,
                exclusive,
            })
        })
    }

    /// What `migrate` needs.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn database(mut r: Reader) -> Result<DbSettings, Mistakes> {
        let db = read_db(&mut r);
        r.finish(|| db)
    }
}

fn read_db(r: &mut Reader) -> Option<DbSettings> {
    let mut db = DbSettings::read(r)?;
    db.schema.get_or_insert_with(|| SCHEMA.to_owned());
    Some(db)
}

fn read_mounted(r: &mut Reader) -> Mounted {
    let text = match r.optional_secret("SERVICE_CREDENTIALS") {
        Some(text) => Some(text),
        None => r.optional_secret("SERVICE_SECRETS"),
    };
    let services = match text.map(|text| parse_services(text.expose_secret())) {
        Some(Ok(services)) => services,
        Some(Err(_)) => {
            let name = r.name("SERVICE_CREDENTIALS_FILE");
            r.mistake(format!(
                "{name}: not a JSON or TOML table of service names and secrets of 16 characters or more"
            ));
            Default::default()
        }
        None => Default::default(),
    };
    Mounted { services, admin_password: r.optional_secret("ADMIN_PASSWORD") }
}

fn read_population(r: &mut Reader) -> Option<PopulationConfig> {
    let url = r.required::<Url>("NPD_URL");
    let api_key = r.secret("NPD_API_KEY");
    let ca_pem = r.optional_bytes("NPD_CA");
    // It answers in half a second; a slower one is better asked again.
    let timeout = r.seconds("NPD_TIMEOUT_SECONDS", 5, 1..=60);
    if url.as_ref().is_some_and(|url| url.scheme() == "https") && ca_pem.is_none() {
        let name = r.name("NPD_CA");
        r.mistake(format!("{name} is not set: an https NPD_URL needs the authority of its certificate"));
    }
    Some(PopulationConfig { url: url?, api_key: api_key?, ca_pem, timeout })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_told_at_once_and_no_secret() {
        let pairs = [
            ("EDUHUB_IDENTITY_TOKEN_KEY_FILE", "/nonexistent.pem"),
            ("EDUHUB_SERVICE_CREDENTIALS", "registry = \"hunter2\""),
            ("EDUHUB_NPD_URL", "https://npd.example"),
            ("EDUHUB_REQUIRE_FORM2", "perhaps"),
        ];
        let mistakes = Config::read(Reader::from_pairs(PREFIX, pairs)).err().unwrap().to_string();
        for expected in [
            "nonexistent.pem",
            "SERVICE_CREDENTIALS",
            "NPD_CA",
            "REQUIRE_FORM2",
            "DATABASE_URL",
            "VAULT_FILE",
            "REGISTRY_URL",
            "NPD_API_KEY",
        ] {
            assert!(mistakes.contains(expected), "{expected} in {mistakes}");
        }
        assert!(!mistakes.contains("hunter2"));
    }
}
