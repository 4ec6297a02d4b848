//! Credentials in the database.
use super::CredentialKind;
use eduhub_pg::{Failure, PgConnection};
use eduhub_proto::identity::v1::PublicKey;
use sqlx::FromRow;
use uuid::Uuid;

/// A credential as it is looked up at sign-in.
#[derive(Debug, FromRow)]
pub struct Stored {
    /// Whose it is.
    pub principal_id: Uuid,
    /// argon2id hash of a secret or password.
    pub secret_hash: Option<String>,
    /// X coordinate of a public key.
    pub key_x: Option<String>,
    /// Y coordinate.
    pub key_y: Option<String>,
}

/// A live credential of a principal that is not disabled.
pub async fn find(
    conn: &mut PgConnection,
    client_id: &str,
    kind: CredentialKind,
) -> Result<Option<Stored>, Failure> {
    let query = "select c.principal_id, c.secret_hash, c.key_x, c.key_y from credentials c
        join principals p on p.id = c.principal_id
        where c.client_id = $1 and c.kind = $2 and c.revoked_at is null and p.disabled_at is null";
    Ok(sqlx::query_as(query).bind(client_id).bind(kind as i16).fetch_optional(conn).await?)
}

/// What is kept of a new credential.
pub enum Material {
    /// Hash of a secret or password.
    Hash(CredentialKind, String),
    /// Public key.
    Key(PublicKey),
}

/// Adds a credential, or replaces the hash of one that is there.
pub async fn put(
    conn: &mut PgConnection,
    client_id: &str,
    principal_id: Uuid,
    material: Material,
    by: &str,
) -> Result<(), Failure> {
    let (kind, hash, x, y) = match material {
        Material::Hash(kind, hash) => (kind, Some(hash), None, None),
        Material::Key(key) => (CredentialKind::PublicKey, None, Some(key.x), Some(key.y)),
    };
    let insert =
        "insert into credentials (client_id, kind, principal_id, secret_hash, key_x, key_y, created_by)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (client_id, kind) do update set secret_hash = excluded.secret_hash";
    let query = sqlx::query(insert).bind(client_id).bind(kind as i16).bind(principal_id);
    query.bind(hash).bind(x).bind(y).bind(by).execute(conn).await?;
    Ok(())
}

/// Live credentials of a principal.
pub async fn count(conn: &mut PgConnection, principal_id: Uuid) -> Result<i64, Failure> {
    let query = "select count(*) from credentials where principal_id = $1 and revoked_at is null";
    Ok(sqlx::query_scalar(query).bind(principal_id).fetch_one(conn).await?)
}

/// The principal of an API client's credential, revoked or not.
pub async fn owner(conn: &mut PgConnection, client_id: &str) -> Result<Option<Uuid>, Failure> {
    let query = "select c.principal_id from credentials c join principals p on p.id = c.principal_id
        where c.client_id = $1 and p.kind = 1";
    Ok(sqlx::query_scalar(query).bind(client_id).fetch_optional(conn).await?)
}

/// Revokes a credential; the first time counts.
pub async fn revoke(conn: &mut PgConnection, client_id: &str, by: &str) -> Result<(), Failure> {
    let update = "update credentials set revoked_at = now(), revoked_by = $2
        where client_id = $1 and revoked_at is null";
    sqlx::query(update).bind(client_id).bind(by).execute(conn).await?;
    Ok(())
}
