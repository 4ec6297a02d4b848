use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;

const NONCE: usize = 12;
const TAG: usize = 16;
const EXPIRY: usize = 8;

/// Derives names and keys of entries from the deployment's cache key.
pub(crate) struct Keys {
    master: hmac::Key,
    namespace: String,
}

impl Keys {
    pub(crate) fn new(key: &[u8; 32], namespace: &str) -> Self {
        Self { master: hmac::Key::new(hmac::HMAC_SHA256, key), namespace: namespace.to_owned() }
    }

    /// The place of `key`.
    pub(crate) fn place(&self, key: &str) -> Place {
        let mut context = hmac::Context::with_key(&self.master);
        for part in ["eduhub/cache/v1/name\0", &self.namespace, "\0", key] {
            context.update(part.as_bytes());
        }
        let mut id = [0; 32];
        id.copy_from_slice(context.sign().as_ref());
        Place { id }
    }

    /// The Redis key of a place: it shows neither the key nor, through it, whom the entry is about.
    pub(crate) fn redis_name(&self, place: &Place) -> String {
        format!("eduhub:{}:{}", self.namespace, hex::encode(&place.id[..16]))
    }

    /// Each place has a cipher key of its own, so random nonces never wear one out, and an entry that is copied to
    /// another place does not open there.
    fn cipher(&self, place: &Place) -> Option<RandomizedNonceKey> {
        let mut context = hmac::Context::with_key(&self.master);
        context.update(b"eduhub/cache/v1/cipher\0");
        context.update(self.namespace.as_bytes());
        context.update(&[0]);
        context.update(&place.id);
        RandomizedNonceKey::new(&AES_256_GCM, context.sign().as_ref()).ok()
    }

    /// `nonce (12) || AES-256-GCM(expiry, Unix ms (8) || payload)`, tied to the type `kind` of the value, so that two
    /// types never read each other's entries.
    pub(crate) fn seal(&self, place: &Place, kind: &str, payload: &[u8], ttl: Duration) -> Option<Vec<u8>> {
        let expiry = millis(SystemTime::now() + ttl);
        let mut body = Vec::with_capacity(EXPIRY + payload.len() + TAG);
        body.extend_from_slice(&expiry.to_be_bytes());
        body.extend_from_slice(payload);
        let nonce = self.cipher(place)?.seal_in_place_append_tag(Aad::from(kind), &mut body).ok()?;
        let mut sealed = Vec::with_capacity(NONCE + body.len());
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&body);
        Some(sealed)
    }

    /// The payload and how long it may still be used; `None` for anything that is not a live entry of this place.
    pub(crate) fn open(&self, place: &Place, kind: &str, sealed: &[u8]) -> Option<(Vec<u8>, Duration)> {
        let (nonce, body) = sealed.split_at_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = body.to_vec();
        let plain = self.cipher(place)?.open_in_place(nonce, Aad::from(kind), &mut body).ok()?;
        let (expiry, payload) = plain.split_first_chunk::<EXPIRY>()?;
        let left =
            u64::from_be_bytes(*expiry).checked_sub(millis(SystemTime::now())).filter(|left| *left > 0)?;
        Some((payload.to_vec(), Duration::from_millis(left)))
    }
}

/// Where an entry lives.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) id: [u8; 32],
}

fn millis(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn opens_only_what_was_sealed_for_this_place_and_is_alive() {
        let keys = Keys::new(&[7; 32], "registry");
        let place = keys.place("a");
        let sealed = keys.seal(&place, "School", b"payload", MINUTE).unwrap();
        let (payload, left) = keys.open(&place, "School", &sealed).unwrap();
        assert_eq!(payload, b"payload");
        assert!(left <= MINUTE && left > MINUTE / 2);
        assert!(!sealed.windows(7).any(|part| part == b"payload"));

        for (index, _) in sealed.iter().enumerate() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(keys.open(&place, "School", &changed).is_none(), "byte {index}");
            assert!(keys.open(&place, "School", &sealed[..index]).is_none(), "cut at {index}");
        }
        assert!(keys.open(&keys.place("b"), "School", &sealed).is_none());
        assert!(keys.open(&place, "Class", &sealed).is_none());
        let others = [Keys::new(&[8; 32], "registry"), Keys::new(&[7; 32], "facility")];
        for other in others {
            assert!(other.open(&other.place("a"), "School", &sealed).is_none());
        }
        let dead = keys.seal(&place, "School", b"payload", Duration::ZERO).unwrap();
        assert!(keys.open(&place, "School", &dead).is_none());
    }

    #[test]
    fn names_in_redis_do_not_show_the_key() {
        let keys = Keys::new(&[7; 32], "registry");
        let name = keys.redis_name(&keys.place("001099012345"));
        assert!(name.starts_with("eduhub:registry:") && !name.contains("001099012345"));
    }
}
