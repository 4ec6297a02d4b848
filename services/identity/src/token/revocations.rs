//! Revocations, which verifiers follow by their sequence.
use crate::database::Lock;
use crate::wire::timestamp;
use eduhub_pg::{Failure, PgConnection};
use eduhub_proto::identity::v1::{ListRevocationsResponse, Revocation, RevocationKind};
use sqlx::Row;
use time::OffsetDateTime;
use uuid::Uuid;

/// Entries of one answer.
const PAGE: i64 = 1000;

/// What ends.
#[derive(Debug, Clone, Copy)]
pub enum Subject {
    /// A grant.
    Grant(Uuid),
    /// A principal.
    Principal(Uuid),
}

/// Writes the end of something, once. Writers wait for each other, so that a reader that has seen a sequence never misses a
/// lower one; call it late in the transaction.
pub async fn add(conn: &mut PgConnection, subject: Subject) -> Result<(), Failure> {
    let (kind, id) = match subject {
        Subject::Grant(id) => (RevocationKind::Grant, id),
        Subject::Principal(id) => (RevocationKind::Principal, id),
    };
    Lock::Revocations.take(conn).await?;
    let insert = "insert into revocations (kind, id) values ($1, $2) on conflict (kind, id) do nothing";
    sqlx::query(insert).bind(kind as i32).bind(id).execute(conn).await?;
    Ok(())
}

/// A page of revocations after a sequence.
pub async fn after(conn: &mut PgConnection, sequence: i64) -> Result<ListRevocationsResponse, Failure> {
    let query = "select sequence, kind, id, revoked_at from revocations where sequence > $1 order by sequence limit $2";
    let rows = sqlx::query(query).bind(sequence).bind(PAGE + 1).fetch_all(conn).await?;
    let has_more = rows.len() as i64 > PAGE;
    let mut revocations = Vec::with_capacity(rows.len());
    for row in rows.iter().take(PAGE.unsigned_abs() as usize) {
        let (id, at): (Uuid, OffsetDateTime) = (row.try_get(2)?, row.try_get(3)?);
        revocations.push(Revocation {
            sequence: row.try_get(0)?,
            kind: i32::from(row.try_get::<i16, _>(1)?),
            id: id.to_string(),
            revoked_at: Some(timestamp(at)),
        });
    }
    Ok(ListRevocationsResponse { revocations, has_more })
}
