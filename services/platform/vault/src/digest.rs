use aws_lc_rs::{digest, hmac};
use std::sync::LazyLock;
use zeroize::Zeroizing;

/// The key of one school's record digests, see [`crate::Vault::school_digest_key`]. Wiped when dropped; a
/// `&DigestKey` is accepted wherever a `&[u8; 32]` is.
pub type DigestKey = Zeroizing<[u8; 32]>;

/// Digest of one record: the first 16 bytes of HMAC-SHA256(`key`, `canonical`).
///
/// `canonical` is the record's canonical encoding; equal records give equal digests within one school.
pub fn record_digest(key: &[u8; 32], canonical: &[u8]) -> [u8; 16] {
    truncated(&hmac::Key::new(hmac::HMAC_SHA256, key), &[canonical])
}

/// Makes record digests under one key: the same as [`record_digest`], its key schedule made once.
pub struct RecordDigester(hmac::Key);

impl RecordDigester {
    /// Under a school's key.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Digest of one record, see [`record_digest`].
    pub fn digest(&self, canonical: &[u8]) -> [u8; 16] {
        truncated(&self.0, &[canonical])
    }
}

/// Name of a digest key in comparisons: the first 8 bytes of its SHA-256.
pub fn digest_key_id(key: &[u8; 32]) -> [u8; 8] {
    let mut id = [0; 8];
    id.copy_from_slice(&digest::digest(&digest::SHA256, key).as_ref()[..8]);
    id
}

/// Group of a record of a kind without a field that names one: the first byte of the SHA-256 of its key, as two lower-case
/// hexadecimal digits.
pub fn hashed_group(record_key: &str) -> &'static str {
    static NAMES: LazyLock<Vec<String>> =
        LazyLock::new(|| (0..=255).map(|byte| format!("{byte:02x}")).collect());
    let hash = digest::digest(&digest::SHA256, record_key.as_bytes());
    let first = hash.as_ref().first().copied().unwrap_or_default();
    NAMES.get(usize::from(first)).map_or("", String::as_str)
}

/// Digest of a group of records: the first 16 bytes of SHA-256 over, for each record, the length of its key as a varint, the
/// key, and the record's digest. Feed it in ascending byte order of the keys.
pub struct GroupDigest(digest::Context);

impl Default for GroupDigest {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl GroupDigest {
    /// Adds the next record.
    pub fn add(&mut self, record_key: &str, digest: &[u8]) {
        let mut rest = record_key.len();
        while rest >= 0x80 {
            self.0.update(&[(rest & 0x7f) as u8 | 0x80]);
            rest >>= 7;
        }
        self.0.update(&[rest as u8]);
        self.0.update(record_key.as_bytes());
        self.0.update(digest);
    }

    /// The digest.
    pub fn finish(self) -> [u8; 16] {
        let mut out = [0; 16];
        out.copy_from_slice(&self.0.finish().as_ref()[..16]);
        out
    }
}

pub(crate) fn truncated(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 16] {
    let whole = full(key, parts);
    let mut out = [0; 16];
    out.copy_from_slice(&whole[..16]);
    out
}

pub(crate) fn full(key: &hmac::Key, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(part);
    }
    let mut out = Zeroizing::new([0; 32]);
    out.copy_from_slice(context.sign().as_ref());
    out
}
