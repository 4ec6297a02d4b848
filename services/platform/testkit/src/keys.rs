//! Keys and addresses of a test.
use eduhub_vault::{KeyFile, Vault};
use std::sync::Arc;

/// Text of a new key file, for a program that is started with one.
///
/// # Panics
/// When the random source fails.
pub fn vault_file() -> String {
    eduhub_vault::generate().expect("random keys").to_string()
}

/// A vault with keys of its own.
///
/// # Panics
/// When the random source fails.
pub fn vault() -> Arc<Vault> {
    Arc::new(Vault::new(KeyFile::parse(&vault_file()).expect("key file")).expect("keys"))
}

/// URL of the test Redis. Tests share it: use keys that nobody else has.
///
/// # Panics
/// When `EDUHUB_TEST_REDIS_URL` is not set.
pub fn redis_url() -> String {
    std::env::var("EDUHUB_TEST_REDIS_URL")
        .expect("EDUHUB_TEST_REDIS_URL must name a Redis for tests (scripts/test sets it)")
}
