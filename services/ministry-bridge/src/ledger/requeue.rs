use eduhub_pg::{DbError, PgConnection};
use eduhub_proto::bridge::v1::LedgerState;
use uuid::Uuid;

use super::model::numbers;

/// Dead rows from their first attempt on, and what waits for them. Returns how many were dead.
///
/// # Errors
/// [`DbError`].
pub async fn requeue_dead(conn: &mut PgConnection, transfer_id: Uuid) -> Result<u64, DbError> {
    let revived = sqlx::query(
        "update ledger set state = $3, attempts = 0, batch_id = null, updated_at = now() \
         where transfer_id = $1 and state = $2",
    )
    .bind(transfer_id)
    .bind(LedgerState::Dead as i16)
    .bind(LedgerState::Queued as i16)
    .execute(&mut *conn)
    .await?
    .rows_affected();
    let on_the_way = numbers(&[LedgerState::Queued, LedgerState::Sent, LedgerState::Waiting]);
    loop {
        let freed = sqlx::query(
            "update ledger c set state = $3, updated_at = now() from ledger p \
             where c.transfer_id = $1 and c.state = $2 and p.transfer_id = $1 and p.kind = c.parent_kind \
             and p.record_key = c.parent_key and p.state = any($4)",
        )
        .bind(transfer_id)
        .bind(LedgerState::Blocked as i16)
        .bind(LedgerState::Waiting as i16)
        .bind(&on_the_way)
        .execute(&mut *conn)
        .await?;
        if freed.rows_affected() == 0 {
            return Ok(revived);
        }
    }
}

/// Exported rows become entered.
///
/// # Errors
/// [`DbError`].
pub async fn confirm_entered(conn: &mut PgConnection, transfer_id: Uuid) -> Result<(), DbError> {
    sqlx::query("update ledger set state = $3, updated_at = now() where transfer_id = $1 and state = $2")
        .bind(transfer_id)
        .bind(LedgerState::Exported as i16)
        .bind(LedgerState::Entered as i16)
        .execute(conn)
        .await?;
    Ok(())
}
