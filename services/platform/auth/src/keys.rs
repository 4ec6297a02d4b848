//! ES256 keys: signing, publishing, looking up.
use crate::Claims;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use eduhub_proto::identity::v1::PublicKey;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use serde::Serialize;
use std::collections::HashMap;

/// Why a key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not PEM with a private key in it.
    #[error("not a PEM file with a private key (PKCS#8 or SEC1)")]
    Pem,
    /// Another curve, or broken.
    #[error("not a private key on the curve P-256")]
    Curve,
    /// Coordinates are not those of a point on P-256.
    #[error("not a public key on the curve P-256")]
    Point,
    /// Signing failed.
    #[error("signing failed")]
    Sign,
}

/// Signs access tokens and other documents with one ES256 key.
pub struct Signer {
    key: EncodingKey,
    public: PublicKey,
}

impl Signer {
    /// Reads a private key in PEM: PKCS#8 (`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`) or SEC1.
    ///
    /// # Errors
    /// [`KeyError::Pem`], [`KeyError::Curve`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyError> {
        Self::from_der(&PrivateKeyDer::from_pem_slice(pem).map_err(|_| KeyError::Pem)?)
    }

    /// Reads every private key in a PEM file, in its order.
    ///
    /// # Errors
    /// [`KeyError::Pem`] when there is none, [`KeyError::Curve`].
    pub fn all_from_pem(pem: &[u8]) -> Result<Vec<Self>, KeyError> {
        let keys =
            PrivateKeyDer::pem_slice_iter(pem).map(|der| Self::from_der(&der.map_err(|_| KeyError::Pem)?));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(KeyError::Pem) } else { Ok(keys) }
    }

    fn from_der(der: &PrivateKeyDer<'_>) -> Result<Self, KeyError> {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = match der {
            PrivateKeyDer::Pkcs8(der) => EcdsaKeyPair::from_pkcs8(algorithm, der.secret_pkcs8_der()),
            PrivateKeyDer::Sec1(der) => EcdsaKeyPair::from_private_key_der(algorithm, der.secret_sec1_der()),
            _ => return Err(KeyError::Curve),
        };
        Self::of(&pair.map_err(|_| KeyError::Curve)?)
    }

    /// A new random key: for tests, and to make the first key of an installation.
    ///
    /// # Errors
    /// [`KeyError::Curve`] when the random source fails.
    pub fn generate() -> Result<Self, KeyError> {
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let der = der.map_err(|_| KeyError::Curve)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref());
        Self::of(&pair.map_err(|_| KeyError::Curve)?)
    }

    fn of(pair: &EcdsaKeyPair) -> Result<Self, KeyError> {
        // SEC1 uncompressed point: 0x04, X, Y.
        let point = pair.public_key().as_ref();
        let (Some(x), Some(y)) = (point.get(1..33), point.get(33..65)) else { return Err(KeyError::Curve) };
        let (x, y) = (B64.encode(x), B64.encode(y));
        let der = pair.to_pkcs8v1().map_err(|_| KeyError::Curve)?;
        Ok(Self {
            key: EncodingKey::from_ec_der(der.as_ref()),
            public: PublicKey { key_id: thumbprint(&x, &y), x, y },
        })
    }

    /// The key to publish.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs an access token.
    ///
    /// # Errors
    /// [`KeyError::Sign`].
    pub fn sign(&self, claims: &Claims) -> Result<String, KeyError> {
        self.signed(Header::new(Algorithm::ES256), claims)
    }

    /// Signs something else, of a type that its header names, as a compact JWS.
    ///
    /// # Errors
    /// [`KeyError::Sign`].
    pub fn sign_as(&self, typ: &str, content: &impl Serialize) -> Result<String, KeyError> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some(typ.to_owned());
        self.signed(header, content)
    }

    fn signed(&self, mut header: Header, content: &impl Serialize) -> Result<String, KeyError> {
        header.kid = Some(self.public.key_id.clone());
        jsonwebtoken::encode(&header, content, &self.key).map_err(|_| KeyError::Sign)
    }
}

/// RFC 7638 thumbprint of a P-256 key: its id, the same wherever it is computed.
pub fn thumbprint(x: &str, y: &str) -> String {
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    B64.encode(digest(&SHA256, canonical.as_bytes()))
}

/// Published keys by id.
#[derive(Default)]
pub(crate) struct KeySet(HashMap<String, DecodingKey>);

impl KeySet {
    /// Takes the usable ones; one broken key must not make all others useless.
    pub(crate) fn new(keys: &[PublicKey]) -> Self {
        let mut set = HashMap::new();
        for key in keys {
            match DecodingKey::from_ec_components(&key.x, &key.y) {
                Ok(decoding) => drop(set.insert(key.key_id.clone(), decoding)),
                Err(_) => tracing::warn!(key_id = %key.key_id, "published key is not usable"),
            }
        }
        Self(set)
    }

    pub(crate) fn get(&self, key_id: &str) -> Option<&DecodingKey> {
        self.0.get(key_id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbprint_is_that_of_rfc_7638() {
        // Computed with `jose jwk thp` for the key of RFC 7515, appendix A.3.
        let (x, y) =
            ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        assert_eq!(thumbprint(x, y), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    }

    #[test]
    fn refuses_other_keys() {
        assert!(matches!(Signer::from_pem(b"nonsense"), Err(KeyError::Pem)));
    }
}
