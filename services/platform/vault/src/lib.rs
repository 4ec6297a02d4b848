//! Keys at rest.
//!
//! Personal id numbers (số định danh cá nhân, CCCD) are stored sealed (AES-256-GCM, key versioned) and looked up
//! through a keyed blind index; record digests are keyed per school, so that equal records of two schools do not
//! show. All keys come from one mounted key file, see [`KeyFile`]; design section 8.
//!
//! ```no_run
//! # fn main() -> Result<(), eduhub_vault::VaultError> {
//! let vault = eduhub_vault::Vault::load("/run/secrets/eduhub/vault.toml")?;
//! let sealed = vault.seal(b"person/national_id/0192", b"001099012345")?;
//! assert_eq!(&*vault.open(b"person/national_id/0192", &sealed)?, b"001099012345");
//! let index = vault.blind_index("national_id", "001099012345");
//! # let _ = index; Ok(()) }
//! ```

mod digest;
mod error;
mod keyfile;
mod seal;

pub use digest::{DigestKey, GroupDigest, RecordDigester, digest_key_id, hashed_group, record_digest};
pub use error::VaultError;
pub use keyfile::{KeyFile, generate};
pub use seal::SEAL_OVERHEAD;

use std::path::Path;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::seal::SealKeys;

/// The opened key file: everything that seals, opens, indexes or digests goes through it.
///
/// Cheap to share behind an `Arc`; it holds no personal data, and its `Debug` shows key ids only.
pub struct Vault {
    seal: SealKeys,
    blind: hmac::Key,
    digest: hmac::Key,
    cache: Zeroizing<[u8; 32]>,
}

impl Vault {
    /// Reads the key file at `path`.
    ///
    /// # Errors
    /// [`VaultError::Unreadable`] when the file can't be read, [`VaultError::KeyFile`] when its content is not a
    /// valid key file. Neither says anything about key bytes.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, VaultError> {
        KeyFile::read(path.as_ref()).and_then(Self::new)
    }

    /// Opens an already parsed key file.
    ///
    /// # Errors
    /// [`VaultError::KeyFile`] when it holds no seal key, the same id twice, or a key that is not 32 bytes of hex.
    pub fn new(file: KeyFile) -> Result<Self, VaultError> {
        let material = file.decode()?;
        Ok(Self {
            seal: SealKeys::new(&material.seal, material.current)?,
            blind: hmac::Key::new(hmac::HMAC_SHA256, &*material.blind_index),
            digest: hmac::Key::new(hmac::HMAC_SHA256, &*material.digest),
            cache: material.cache,
        })
    }

    /// Seals `plaintext` under the current key: `key id (1) || nonce (12) || ciphertext || tag (16)`.
    ///
    /// `aad` ties the result to its place (table, column, row id): moved elsewhere it does not open.
    ///
    /// # Errors
    /// [`VaultError::Crypto`] when the system's random source fails.
    pub fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.seal.seal(aad, plaintext)
    }

    /// Opens what [`Vault::seal`] made under any key that is still in the file.
    ///
    /// # Errors
    /// [`VaultError::UnknownKey`] when its key is gone, [`VaultError::Tampered`] when bytes or `aad` differ.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.seal.open(aad, sealed)
    }

    /// The id of the key that [`Vault::seal`] uses now: the highest in the file that is not `next`.
    pub fn current_key_id(&self) -> u8 {
        self.seal.current()
    }

    /// Whether `sealed` was made under an older key and should be sealed anew when its row is next written.
    pub fn is_stale(&self, sealed: &[u8]) -> bool {
        sealed.first() != Some(&self.seal.current())
    }

    /// Keyed index for equality look-up: the first 16 bytes of
    /// HMAC-SHA256(key, `"eduhub/blind/v1/" domain 0x00 value`).
    ///
    /// Normalise `value` first; `domain` keeps one person's id number and phone number apart.
    pub fn blind_index(&self, domain: &str, value: &str) -> [u8; 16] {
        digest::truncated(&self.blind, &[b"eduhub/blind/v1/", domain.as_bytes(), &[0], value.as_bytes()])
    }

    /// The key of one school's record digests: HMAC-SHA256(key, `"eduhub/digest/v1/" school_code`).
    ///
    /// It may be handed to the school's software, which then computes the same digests as EduHub.
    pub fn school_digest_key(&self, school_code: &str) -> DigestKey {
        digest::full(&self.digest, &[b"eduhub/digest/v1/", school_code.as_bytes()])
    }

    /// The key that seals cache entries (`eduhub-cache`).
    pub fn cache_key(&self) -> &[u8; 32] {
        &self.cache
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("current_key_id", &self.seal.current()).finish_non_exhaustive()
    }
}
