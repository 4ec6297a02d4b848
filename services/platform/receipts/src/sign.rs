use crate::{Delivery, TYPE};
use eduhub_auth::{KeyError, Keyring};
use serde_json::json;

/// Signs the receipts of one service.
#[derive(Clone)]
pub struct Stamp {
    issuer: &'static str,
    keys: Keyring,
}

impl Stamp {
    /// The stamp of a service with this name.
    pub fn new(issuer: &'static str, keys: Keyring) -> Self {
        Self { issuer, keys }
    }

    /// The service that signs: `iss` of its receipts.
    pub fn issuer(&self) -> &'static str {
        self.issuer
    }

    /// Signs a receipt with the current key.
    ///
    /// # Errors
    /// [`KeyError::Sign`].
    pub fn sign(&self, delivery: &Delivery) -> Result<String, KeyError> {
        self.keys.current().sign_as(TYPE, delivery)
    }

    /// The keys that its receipts verify with, as a JWK set: the present one, the next one, and old ones for as long as their
    /// files are kept.
    pub fn published(&self) -> String {
        let keys: Vec<_> = self.keys.published().iter().map(|key| {
            json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.key_id, "x": key.x, "y": key.y })
        }).collect();
        json!({ "keys": keys }).to_string()
    }
}
