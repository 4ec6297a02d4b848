//! Random ids and secrets.
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use rand::TryRngCore;
use rand::rngs::OsRng;
use secrecy::SecretString;
use uuid::Uuid;

/// Prefix of client ids: they never meet a service's name.
const CLIENT_PREFIX: &str = "api-";
/// 256 bits.
const SECRET_BYTES: usize = 32;

/// A client id: not secret, unique.
pub fn new_client_id() -> String {
    format!("{CLIENT_PREFIX}{}", Uuid::now_v7().simple())
}

/// A secret of 256 random bits.
///
/// # Errors
/// When the system's random source fails.
pub fn new_secret() -> Result<SecretString, eduhub_faults::Fault> {
    let mut bytes = [0; SECRET_BYTES];
    OsRng.try_fill_bytes(&mut bytes).map_err(eduhub_faults::Fault::internal)?;
    Ok(B64.encode(bytes).into())
}
