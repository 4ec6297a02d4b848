//! Keyset pages: opaque, versioned tokens bound to the filter of their list, and page sizes within bounds.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use eduhub_faults::{Fault, Reason};
use sha2::{Digest, Sha256};

/// First byte of a token, so that a later form can be told apart.
const VERSION: u8 = 1;

/// A token that goes on after `last` in the list with this `filter`.
pub fn token(filter: &str, last: &str) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&binding(filter));
    bytes.extend_from_slice(last.as_bytes());
    B64.encode(bytes)
}

/// Where a token goes on; `None` for the empty token.
///
/// # Errors
/// INVALID_ARGUMENT/BAD_PAGE_TOKEN.
pub fn after(filter: &str, token: &str) -> Result<Option<String>, Fault> {
    if token.is_empty() {
        return Ok(None);
    }
    let bad = || Fault::new(Reason::BadPageToken);
    let bytes = B64.decode(token).map_err(|_| bad())?;
    let (&version, rest) = bytes.split_first().ok_or_else(bad)?;
    let (bound, last) = rest.split_at_checked(8).ok_or_else(bad)?;
    if version != VERSION || bound != binding(filter) {
        return Err(bad());
    }
    String::from_utf8(last.to_vec()).map(Some).map_err(|_| bad())
}

/// As [`after`], for a list in the order of numbers.
///
/// # Errors
/// INVALID_ARGUMENT/BAD_PAGE_TOKEN.
pub fn after_number(filter: &str, token: &str) -> Result<i64, Fault> {
    match after(filter, token)? {
        None => Ok(0),
        Some(last) => last.parse().map_err(|_| Fault::new(Reason::BadPageToken)),
    }
}

/// Page size: the default for 0, never above the most.
///
/// # Errors
/// INVALID_ARGUMENT/INVALID_REQUEST for a negative one.
pub fn size(asked: i32, default: i64, most: i64) -> Result<i64, Fault> {
    match i64::from(asked) {
        0 => Ok(default),
        n if n < 0 => Err(Fault::invalid("page_size", "must not be negative")),
        n => Ok(n.min(most)),
    }
}

fn binding(filter: &str) -> [u8; 8] {
    let mut out = [0; 8];
    out.copy_from_slice(&Sha256::digest(filter)[..8]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_and_fits_no_other_list() {
        let made = token("school=1", "42");
        assert_eq!(after_number("school=1", &made).unwrap(), 42);
        assert_eq!(after_number("school=2", &made).unwrap_err().reason(), Reason::BadPageToken);
        assert_eq!(after("x", "").unwrap(), None);
    }

    #[test]
    fn rubbish_is_refused() {
        for rubbish in ["A", "AQ", "!!!", "AQAAAAAAAAAA", &token("f", "1e9")[..6]] {
            assert!(after_number("f", rubbish).is_err(), "{rubbish}");
        }
        assert!(after_number("f", &token("f", "x")).is_err());
    }
}
