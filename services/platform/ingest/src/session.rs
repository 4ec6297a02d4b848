//! Push sessions in the database.
use eduhub_faults::{Fault, Reason};
use eduhub_pg::DbError;
use eduhub_proto::common::v1::{PushCounts, PushOpen, PushReceipt};
use prost::Message;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

/// A session as stored.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub session_id: Uuid,
    pub last_batch: i32,
    pub record_count: i64,
    pub totals: PushCounts,
    pub receipt: Option<PushReceipt>,
    /// Every change of the session has a higher transaction id.
    pub opened_xid: i64,
    /// The oldest transaction that ran when it was opened; unknown for sessions of earlier releases.
    pub opened_xmin: Option<i64>,
    /// When it was opened.
    pub opened_at: OffsetDateTime,
}

/// Who opens it.
pub(crate) struct Opener<'a> {
    pub session_id: Uuid,
    pub grant_id: Option<Uuid>,
    pub actor: &'a str,
    pub traceparent: Option<String>,
}

/// Opens a session or finds the one with this id, which must be the same in everything.
pub(crate) async fn open(
    conn: &mut PgConnection,
    who: &Opener<'_>,
    open: &PushOpen,
) -> Result<Session, Fault> {
    let kinds: Vec<i16> = open.full_kinds.iter().map(|k| i16::try_from(*k).unwrap_or_default()).collect();
    sqlx::query(
        "insert into push_session (session_id, school_code, school_year, mode, full_kinds, grant_id, actor, traceparent)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (session_id) do nothing",
    )
    .bind(who.session_id)
    .bind(&open.school_code)
    .bind(open.school_year)
    .bind(i16::try_from(open.mode).unwrap_or_default())
    .bind(&kinds)
    .bind(who.grant_id)
    .bind(who.actor)
    .bind(&who.traceparent)
    .execute(&mut *conn)
    .await
    .map_err(db)?;
    let row = sqlx::query(
        "select school_code = $2 and school_year = $3 and mode = $4 and full_kinds = $5 and grant_id is not distinct from $6
         from push_session where session_id = $1",
    )
    .bind(who.session_id)
    .bind(&open.school_code)
    .bind(open.school_year)
    .bind(i16::try_from(open.mode).unwrap_or_default())
    .bind(&kinds)
    .bind(who.grant_id)
    .fetch_one(&mut *conn)
    .await
    .map_err(db)?;
    if !row.try_get::<bool, _>(0).map_err(db)? {
        return Err(Fault::new(Reason::SessionMismatch));
    }
    load(conn, who.session_id).await
}

/// Reads a session.
pub(crate) async fn load(conn: &mut PgConnection, session_id: Uuid) -> Result<Session, Fault> {
    let row = sqlx::query(
        "select last_batch, record_count, totals, receipt, opened_xid, opened_xmin, opened_at from push_session
         where session_id = $1",
    )
    .bind(session_id)
    .fetch_one(conn)
    .await
    .map_err(db)?;
    let receipt: Option<Vec<u8>> = row.try_get(3).map_err(db)?;
    Ok(Session {
        session_id,
        last_batch: row.try_get(0).map_err(db)?,
        record_count: row.try_get(1).map_err(db)?,
        totals: PushCounts::decode(row.try_get::<&[u8], _>(2).map_err(db)?).map_err(Fault::internal)?,
        receipt: receipt.map(|b| PushReceipt::decode(b.as_slice())).transpose().map_err(Fault::internal)?,
        opened_xid: row.try_get(4).map_err(db)?,
        opened_xmin: row.try_get(5).map_err(db)?,
        opened_at: row.try_get(6).map_err(db)?,
    })
}

/// Digest and reply of a batch that is durable.
pub(crate) async fn stored_batch(
    conn: &mut PgConnection,
    session_id: Uuid,
    number: i32,
) -> Result<Option<(Vec<u8>, Vec<u8>)>, Fault> {
    let row = sqlx::query("select digest, reply from push_batch where session_id = $1 and number = $2")
        .bind(session_id)
        .bind(number)
        .fetch_optional(conn)
        .await
        .map_err(db)?;
    row.map(|r| Ok((r.try_get(0).map_err(db)?, r.try_get(1).map_err(db)?))).transpose()
}

/// Records a batch as durable, with the reply that the same batch would get again.
pub(crate) async fn advance(
    conn: &mut PgConnection,
    session: &Session,
    number: i32,
    digest: &[u8],
    reply: Vec<u8>,
    records: i64,
) -> Result<(), Fault> {
    sqlx::query("insert into push_batch (session_id, number, digest, reply) values ($1, $2, $3, $4)")
        .bind(session.session_id)
        .bind(number)
        .bind(digest)
        .bind(reply)
        .execute(&mut *conn)
        .await
        .map_err(db)?;
    sqlx::query(
        "update push_session set last_batch = $2, record_count = record_count + $3, totals = $4, updated_at = now()
         where session_id = $1",
    )
    .bind(session.session_id)
    .bind(number)
    .bind(records)
    .bind(session.totals.encode_to_vec())
    .execute(conn)
    .await
    .map_err(db)?;
    Ok(())
}

/// Digests of all batches in order.
pub(crate) async fn batch_digests(conn: &mut PgConnection, session_id: Uuid) -> Result<Vec<Vec<u8>>, Fault> {
    sqlx::query_scalar("select digest from push_batch where session_id = $1 order by number")
        .bind(session_id)
        .fetch_all(conn)
        .await
        .map_err(db)
}

/// Completes a session.
pub(crate) async fn complete(
    conn: &mut PgConnection,
    session_id: Uuid,
    receipt: &PushReceipt,
) -> Result<(), Fault> {
    sqlx::query("update push_session set receipt = $2, updated_at = now() where session_id = $1")
        .bind(session_id)
        .bind(receipt.encode_to_vec())
        .execute(&mut *conn)
        .await
        .map_err(db)?;
    sqlx::query("delete from push_seen where session_id = $1")
        .bind(session_id)
        .execute(conn)
        .await
        .map_err(db)?;
    Ok(())
}

/// A database failure as what the caller is told.
pub(crate) fn db(error: impl Into<DbError>) -> Fault {
    error.into().into()
}
