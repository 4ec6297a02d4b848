use eduhub_pg::{DbError, PgConnection};
use eduhub_proto::bridge::v1::{LedgerState, TransferState};
use uuid::Uuid;

use super::model::{FINAL, numbers};
use crate::jobs::{self, Work};

/// Moves a transfer on after some of its rows changed: frees or blocks children, puts what is ready into batches of at most
/// `batch` records of one type, and ends the transfer with its last row.
///
/// # Errors
/// [`DbError`].
pub async fn advance(conn: &mut PgConnection, transfer_id: Uuid, batch: i64) -> Result<(), DbError> {
    // A blocked class blocks its pupils in the next round: as many rounds as the kinds are deep.
    while judge_children(conn, transfer_id).await? > 0 {}
    release_stage(conn, transfer_id).await?;
    form_batches(conn, transfer_id, batch).await?;
    finish(conn, transfer_id).await
}

/// Children whose parent is settled, or is not part of the transfer. A refused parent that the Ministry holds from before does
/// no harm to its children.
async fn judge_children(conn: &mut PgConnection, transfer_id: Uuid) -> Result<u64, DbError> {
    let done = sqlx::query(
        "update ledger l set state = case when s.free then $3::smallint else $4::smallint end, updated_at = now() from ( \
           select c.row_id, p.row_id is null or p.state = any($6) \
                  or coalesce(r.held_version is not null and not r.cancelled, false) as free \
           from ledger c \
           left join ledger p on p.transfer_id = c.transfer_id and p.kind = c.parent_kind and p.record_key = c.parent_key \
                             and p.event <> 3 \
           left join record r on r.record_id = p.record_id \
           where c.transfer_id = $1 and c.state = $2 and c.parent_kind is not null \
           and (p.row_id is null or p.state = any($5)) \
         ) s where l.row_id = s.row_id",
    )
    .bind(transfer_id)
    .bind(LedgerState::Waiting as i16)
    .bind(LedgerState::Queued as i16)
    .bind(LedgerState::Blocked as i16)
    .bind(numbers(&FINAL))
    .bind(numbers(&[LedgerState::Accepted, LedgerState::Stale]))
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Cancelled records of the lowest stage, once nothing else is on its way.
async fn release_stage(conn: &mut PgConnection, transfer_id: Uuid) -> Result<(), DbError> {
    let on_the_way = numbers(&[LedgerState::Queued, LedgerState::Sent]);
    sqlx::query(
        "update ledger set state = $3, updated_at = now() where transfer_id = $1 and state = $2 and parent_kind is null \
         and stage = (select min(stage) from ledger where transfer_id = $1 and state = $2 and parent_kind is null) \
         and not exists (select 1 from ledger where transfer_id = $1 \
                         and (state = any($4) or state = $2 and parent_kind is not null))",
    )
    .bind(transfer_id)
    .bind(LedgerState::Waiting as i16)
    .bind(LedgerState::Queued as i16)
    .bind(on_the_way)
    .execute(conn)
    .await?;
    Ok(())
}

async fn form_batches(conn: &mut PgConnection, transfer_id: Uuid, batch: i64) -> Result<(), DbError> {
    sqlx::query(
        "with ready as materialized ( \
           select row_id, ministry_type, stage, \
                  (row_number() over (partition by ministry_type, stage order by row_id) - 1) / $3 as part \
           from ledger where transfer_id = $1 and state = $2 and batch_id is null \
         ), parts as materialized ( \
           select ministry_type, stage, part, gen_random_uuid() as batch_id from ready group by 1, 2, 3 \
         ), jobs as ( \
           insert into job (job_id, work, transfer_id) select batch_id, $4, $1 from parts \
         ) \
         update ledger l set batch_id = p.batch_id from ready r join parts p using (ministry_type, stage, part) \
         where l.row_id = r.row_id",
    )
    .bind(transfer_id)
    .bind(LedgerState::Queued as i16)
    .bind(batch)
    .bind(Work::Send as i16)
    .execute(conn)
    .await?;
    Ok(())
}

async fn finish(conn: &mut PgConnection, transfer_id: Uuid) -> Result<(), DbError> {
    let submission: Option<Uuid> = sqlx::query_scalar(
        "update transfer t set state = $2, finished_at = now() where transfer_id = $1 and state <> $2 \
         and not exists (select 1 from ledger where transfer_id = $1 and state <> all($3)) returning submission_id",
    )
    .bind(transfer_id)
    .bind(TransferState::Done as i16)
    .bind(numbers(&FINAL))
    .fetch_optional(&mut *conn)
    .await?;
    match submission {
        Some(submission) => jobs::put(conn, Work::Report, submission, transfer_id).await,
        None => Ok(()),
    }
}
