//! Signs tokens.
use eduhub_auth::Keyring;
use eduhub_auth::{Claims, IssuedToken};
use eduhub_faults::Fault;
use time::OffsetDateTime;

/// Makes access tokens of claims.
#[derive(Clone)]
pub struct Issuer(Keyring);

impl Issuer {
    /// Signs with the ring's current key.
    pub fn new(keyring: Keyring) -> Self {
        Self(keyring)
    }

    /// A token.
    ///
    /// # Errors
    /// Only internal ones.
    pub fn issue(&self, claims: &Claims) -> Result<IssuedToken, Fault> {
        let token = self.0.current().sign(claims).map_err(Fault::internal)?;
        let expires_at = OffsetDateTime::from_unix_timestamp(claims.exp).map_err(Fault::internal)?;
        Ok(IssuedToken { token: token.into(), expires_at })
    }
}
