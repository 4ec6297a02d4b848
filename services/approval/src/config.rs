//! Settings of approval. Keys are read as `EDUHUB_APPROVAL_<KEY>`, then `EDUHUB_<KEY>`.

use std::path::PathBuf;

use eduhub_cache::RedisSettings;
use eduhub_runtime::config::{DbSettings, Mistakes, Reader, ServerConfig};
use secrecy::SecretString;

/// Prefix of this service's settings.
pub const PREFIX: &str = "EDUHUB_APPROVAL";

/// What the service runs with.
#[derive(Debug, Clone)]
pub struct Config {
    /// How it listens.
    pub server: ServerConfig,
    /// Its database.
    pub db: DbSettings,
    /// Its peers.
    pub peers: PeerUrls,
    /// `SERVICE_SECRET`: what it proves itself with to identity.
    pub secret: SecretString,
    /// `REDIS_URL`, `REDIS_CA`; without them the cache stays in the process.
    pub redis: Option<RedisSettings>,
    /// `VAULT_FILE`: key file whose cache key seals what goes to Redis.
    pub vault_file: PathBuf,
}

/// URLs of the services that approval calls.
#[derive(Debug, Clone)]
pub struct PeerUrls {
    /// `IDENTITY_URL`: keys, revocations, its own token.
    pub identity: String,
    /// `REGISTRY_URL`: schools, and seals of pupils, staff and results.
    pub registry: String,
    /// `FACILITY_URL`: seals of facilities.
    pub facility: String,
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
        let facility = r.required("FACILITY_URL");
        let secret = r.secret("SERVICE_SECRET");
        let redis = RedisSettings::read(&mut r);
        let vault_file = r.required("VAULT_FILE");
        r.finish(|| {
            let peers = PeerUrls { identity: identity?, registry: registry?, facility: facility? };
            Some(Self { server, db: db?, peers, secret: secret?, redis, vault_file: vault_file? })
        })
    }

    /// Reads what `migrate` needs. The other settings may stand in the file as well.
    ///
    /// # Errors
    /// [`Mistakes`].
    pub fn database(mut r: Reader) -> Result<DbSettings, Mistakes> {
        ServerConfig::read(&mut r);
        let db = DbSettings::read(&mut r);
        RedisSettings::skip(&mut r);
        for key in ["IDENTITY_URL", "REGISTRY_URL", "FACILITY_URL", "SERVICE_SECRET", "VAULT_FILE"] {
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
        let mistakes =
            Config::read(Reader::from_pairs(PREFIX, [("EDUHUB_REGISTRY_URL", "http://localhost:1")]));
        let text = mistakes.unwrap_err().to_string();
        for key in ["DATABASE_URL", "IDENTITY_URL", "FACILITY_URL", "SERVICE_SECRET", "VAULT_FILE"] {
            assert!(text.contains(&format!("EDUHUB_APPROVAL_{key}")), "{key} in {text}");
        }
        assert!(!text.contains("REGISTRY_URL"));
    }
}
