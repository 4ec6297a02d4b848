use crate::{Delivery, TYPE};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};

/// Why a receipt proves nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReceiptError {
    /// The keys are no JWK set.
    #[error("the keys are not a JWK set")]
    Keys,
    /// Not a receipt at all.
    #[error("this is not a receipt: a compact JWS of type {TYPE} is expected")]
    NotAReceipt,
    /// Signed with a key that is not among the given ones.
    #[error("signed with key {0}, which is not among the given keys")]
    UnknownKey(String),
    /// The signature is not good: the text was changed, or another hub made it.
    #[error("the signature is not good: the receipt was changed, or is not from this hub")]
    Forged,
}

/// Checks a receipt against a JWK set and gives what it says. Needs no connection and no clock: receipts do not expire.
///
/// # Errors
/// [`ReceiptError`].
pub fn verify(receipt: &str, jwk_set: &str) -> Result<Delivery, ReceiptError> {
    let keys: JwkSet = serde_json::from_str(jwk_set).map_err(|_| ReceiptError::Keys)?;
    let receipt = receipt.trim();
    let header = decode_header(receipt).map_err(|_| ReceiptError::NotAReceipt)?;
    if header.typ.as_deref() != Some(TYPE) || header.alg != Algorithm::ES256 {
        return Err(ReceiptError::NotAReceipt);
    }
    let kid = header.kid.ok_or(ReceiptError::NotAReceipt)?;
    let Some(jwk) = keys.find(&kid) else { return Err(ReceiptError::UnknownKey(kid)) };
    let key = DecodingKey::from_jwk(jwk).map_err(|_| ReceiptError::Keys)?;
    let mut rules = Validation::new(Algorithm::ES256);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    rules.validate_aud = false;
    Ok(decode::<Delivery>(receipt, &key, &rules).map_err(|_| ReceiptError::Forged)?.claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Counts, Stamp};
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as B64};
    use eduhub_auth::{Keyring, Signer};

    fn stamp() -> Stamp {
        Stamp::new("eduhub-registry", Keyring::of(Signer::generate().unwrap(), []))
    }

    fn delivery() -> Delivery {
        Delivery {
            iss: "eduhub-registry".into(),
            iat: 1_794_000_000,
            sub: "01a2031f-ede3-720a-991e-3e05b6a17be9".into(),
            school_code: "37143290001".into(),
            school_year: 2026,
            mode: "FULL".into(),
            full_kinds: vec!["PUPIL".into()],
            grant_id: None,
            batches: 2,
            record_count: 734,
            digest: hex::encode([7; 32]),
            counts: Counts { created: 700, rejected: 34, ..Counts::default() },
        }
    }

    #[test]
    fn a_receipt_says_what_was_signed_also_after_the_key_has_changed() {
        let (old, new) = (Signer::generate().unwrap(), Signer::generate().unwrap());
        let receipt = Stamp::new("eduhub-registry", Keyring::of(old, [])).sign(&delivery()).unwrap();
        let keys = stamp();
        assert!(matches!(verify(&receipt, &keys.published()), Err(ReceiptError::UnknownKey(_))));
        let same = Signer::generate().unwrap();
        let first = Stamp::new("eduhub-registry", Keyring::of(same, [new]));
        let signed = first.sign(&delivery()).unwrap();
        assert_eq!(verify(&format!("{signed}\n"), &first.published()), Ok(delivery()));
    }

    #[test]
    fn a_changed_receipt_is_refused() {
        let stamp = stamp();
        let signed = stamp.sign(&delivery()).unwrap();
        let parts: Vec<&str> = signed.split('.').collect();
        let said = String::from_utf8(B64.decode(parts[1]).unwrap()).unwrap();
        let more = said.replace("\"record_count\":734", "\"record_count\":735");
        assert_ne!(said, more);
        let forged = [parts[0], &B64.encode(more), parts[2]].join(".");
        assert_eq!(verify(&forged, &stamp.published()), Err(ReceiptError::Forged));
    }

    #[test]
    fn a_token_of_the_same_key_is_no_receipt() {
        let signer = Signer::generate().unwrap();
        let token = signer.sign_as("at+jwt", &delivery()).unwrap();
        let stamp = Stamp::new("eduhub-registry", Keyring::of(signer, []));
        assert_eq!(verify(&token, &stamp.published()), Err(ReceiptError::NotAReceipt));
        for rubbish in ["", "a.b.c", "one two"] {
            assert_eq!(verify(rubbish, &stamp.published()), Err(ReceiptError::NotAReceipt));
        }
        assert_eq!(verify(&token, "{}"), Err(ReceiptError::Keys));
    }

    #[test]
    fn an_unsigned_receipt_is_none() {
        let stamp = stamp();
        let body = stamp.sign(&delivery()).unwrap().split('.').nth(1).unwrap().to_owned();
        let header = B64.encode(format!(r#"{{"alg":"none","typ":"{TYPE}"}}"#));
        assert_eq!(verify(&format!("{header}.{body}."), &stamp.published()), Err(ReceiptError::NotAReceipt));
    }
}
