use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use crate::VaultError;

const NONCE: usize = 12;
const TAG: usize = 16;

/// Bytes that sealing adds: key id, nonce and tag.
pub const SEAL_OVERHEAD: usize = 1 + NONCE + TAG;

/// The seal keys by id; never empty.
///
/// Nonces are random: one key is good for 2^32 seals (NIST SP 800-38D, 8.3), a thousand times the id numbers of a
/// province, and rotation adds a key with a higher id.
pub(crate) struct SealKeys {
    keys: BTreeMap<u8, RandomizedNonceKey>,
    current: u8,
}

impl SealKeys {
    pub(crate) fn new(material: &BTreeMap<u8, Zeroizing<[u8; 32]>>, current: u8) -> Result<Self, VaultError> {
        let mut keys = BTreeMap::new();
        for (id, bytes) in material {
            let key = RandomizedNonceKey::new(&AES_256_GCM, &**bytes).map_err(|_| VaultError::Crypto)?;
            keys.insert(*id, key);
        }
        Ok(Self { keys, current })
    }

    pub(crate) fn current(&self) -> u8 {
        self.current
    }

    pub(crate) fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, VaultError> {
        let key = self.keys.get(&self.current).ok_or(VaultError::UnknownKey(self.current))?;
        let mut body = Vec::with_capacity(plaintext.len() + TAG);
        body.extend_from_slice(plaintext);
        let nonce = key
            .seal_in_place_append_tag(Aad::from(bound(self.current, aad)), &mut body)
            .map_err(|_| VaultError::Crypto)?;
        let mut sealed = Vec::with_capacity(plaintext.len() + SEAL_OVERHEAD);
        sealed.push(self.current);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    pub(crate) fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (&id, rest) = sealed.split_first().ok_or(VaultError::Tampered)?;
        let (nonce, body) = rest.split_at_checked(NONCE).ok_or(VaultError::Tampered)?;
        let key = self.keys.get(&id).ok_or(VaultError::UnknownKey(id))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::Tampered)?;
        let mut plain = Zeroizing::new(body.to_vec());
        let length = key
            .open_in_place(nonce, Aad::from(bound(id, aad)), &mut plain)
            .map_err(|_| VaultError::Tampered)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }
}

/// The key id is authenticated too, so a sealed value can't be relabelled to another key.
fn bound(id: u8, aad: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + aad.len());
    bytes.push(id);
    bytes.extend_from_slice(aad);
    bytes
}
