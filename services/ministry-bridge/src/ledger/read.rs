use eduhub_pg::{DbError, PgConnection};
use eduhub_proto::bridge::v1::{LedgerEvent, LedgerState, Reconciled};
use eduhub_proto::common::v1::Kind;
use sqlx::Row;
use uuid::Uuid;

use super::model::KindCount;

/// A row of a batch that waits for its answer.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Record.
    pub record_id: Uuid,
    /// Kind.
    pub kind: Kind,
    /// Key within the school.
    pub record_key: String,
    /// Payload type.
    pub ministry_type: i32,
    /// Version.
    pub version: i64,
    /// What is sent of it.
    pub event: LedgerEvent,
    /// Times it was sent before.
    pub attempts: i32,
    /// What is sent, sealed; `None` for a cancelled record.
    pub payload: Option<Vec<u8>>,
}

/// The rows of a batch in the order they were entered.
///
/// # Errors
/// [`DbError`].
pub async fn of_batch(conn: &mut PgConnection, batch_id: Uuid) -> Result<Vec<Waiting>, DbError> {
    let rows = sqlx::query(
        "select record_id, kind, record_key, ministry_type, version, event, attempts, payload from ledger \
         where batch_id = $1 order by row_id",
    )
    .bind(batch_id)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Waiting {
                record_id: row.try_get(0)?,
                kind: Kind::try_from(i32::from(row.try_get::<i16, _>(1)?)).unwrap_or_default(),
                record_key: row.try_get(2)?,
                ministry_type: row.try_get(3)?,
                version: row.try_get(4)?,
                event: LedgerEvent::try_from(i32::from(row.try_get::<i16, _>(5)?)).unwrap_or_default(),
                attempts: row.try_get(6)?,
                payload: row.try_get(7)?,
            })
        })
        .collect()
}

/// Notes that a batch goes onto the wire, before it does: from here on its answer may be lost.
///
/// # Errors
/// [`DbError`].
pub async fn mark_sent(conn: &mut PgConnection, batch_id: Uuid) -> Result<(), DbError> {
    sqlx::query(
        "update ledger set state = $2, attempts = attempts + 1, updated_at = now() where batch_id = $1",
    )
    .bind(batch_id)
    .bind(LedgerState::Sent as i16)
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes two batches of one.
///
/// # Errors
/// [`DbError`].
pub async fn split(
    conn: &mut PgConnection,
    batch_id: Uuid,
    halves: [Uuid; 2],
    code: &str,
) -> Result<(), DbError> {
    sqlx::query(
        "update ledger l set batch_id = case when h.half = 1 then $2 else $3 end, state = $4, code = $5, \
         updated_at = now() \
         from (select row_id, ntile(2) over (order by row_id) as half from ledger where batch_id = $1) h \
         where l.row_id = h.row_id",
    )
    .bind(batch_id)
    .bind(halves[0])
    .bind(halves[1])
    .bind(LedgerState::Queued as i16)
    .bind(code)
    .execute(conn)
    .await?;
    Ok(())
}

/// Records of a transfer by kind and state.
///
/// # Errors
/// [`DbError`].
pub async fn counts(conn: &mut PgConnection, transfer_id: Uuid) -> Result<Vec<KindCount>, DbError> {
    let rows = sqlx::query(
        "select kind, state, count(*) from ledger where transfer_id = $1 group by kind, state order by kind, state",
    )
    .bind(transfer_id)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(KindCount {
                kind: Kind::try_from(i32::from(row.try_get::<i16, _>(0)?)).unwrap_or_default(),
                state: LedgerState::try_from(i32::from(row.try_get::<i16, _>(1)?)).unwrap_or_default(),
                records: u64::try_from(row.try_get::<i64, _>(2)?).unwrap_or(0),
            })
        })
        .collect()
}

/// Writes what a reconciliation found into the rows; what is not as it should be is sent again by the next transfer.
///
/// # Errors
/// [`DbError`].
pub async fn mark_reconciled(
    conn: &mut PgConnection,
    transfer_id: Uuid,
    records: &[Uuid],
    found: Reconciled,
) -> Result<(), DbError> {
    sqlx::query("update ledger set reconciled = $3 where transfer_id = $1 and record_id = any($2)")
        .bind(transfer_id)
        .bind(records)
        .bind(found as i16)
        .execute(&mut *conn)
        .await?;
    if found != Reconciled::Matches {
        sqlx::query("update record set held_digest = null where record_id = any($1)")
            .bind(records)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Notes how the last attempt of a batch ended, while it waits for the next one.
///
/// # Errors
/// [`DbError`].
pub async fn note(
    conn: &mut PgConnection,
    batch_id: Uuid,
    state: LedgerState,
    code: &str,
) -> Result<(), DbError> {
    sqlx::query("update ledger set state = $2, code = $3, updated_at = now() where batch_id = $1")
        .bind(batch_id)
        .bind(state as i16)
        .bind(code)
        .execute(conn)
        .await?;
    Ok(())
}
