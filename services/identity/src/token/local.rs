//! Identity for itself: it verifies and calls as the other services do, without calling itself over the network.
use super::{Issuer, revocations, subject};
use async_trait::async_trait;
use eduhub_auth::Keyring;
use eduhub_auth::{IssuedToken, TokenSource, TrustSource};
use eduhub_faults::Fault;
use eduhub_pg::{Failure, PgPool};
use eduhub_proto::identity::v1::{ListRevocationsResponse, PublicKey};
use uuid::Uuid;

/// Keys and revocations out of the own ring and tables.
pub struct LocalTrust {
    /// Keys.
    pub keyring: Keyring,
    /// Revocations.
    pub pool: PgPool,
}

#[async_trait]
impl TrustSource for LocalTrust {
    async fn keys(&self) -> Result<Vec<PublicKey>, Fault> {
        Ok(self.keyring.published().to_vec())
    }

    async fn revocations(&self, after: i64) -> Result<ListRevocationsResponse, Fault> {
        let mut conn = self.pool.acquire().await.map_err(Failure::from)?;
        Ok(revocations::after(&mut conn, after).await?)
    }
}

/// Tokens for identity's own calls to registry.
pub struct LocalTokens {
    /// Signs.
    pub issuer: Issuer,
    /// Identity's own principal.
    pub principal: Uuid,
    /// Where that stands.
    pub pool: PgPool,
}

#[async_trait]
impl TokenSource for LocalTokens {
    async fn issue(&self) -> Result<IssuedToken, Fault> {
        let mut conn = self.pool.acquire().await.map_err(Failure::from)?;
        let claims = subject::claims(&mut conn, self.principal).await?;
        self.issuer.issue(&claims)
    }
}
