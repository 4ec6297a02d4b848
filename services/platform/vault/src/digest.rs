use aws_lc_rs::hmac;
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
