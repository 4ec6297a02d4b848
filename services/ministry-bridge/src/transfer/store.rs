use eduhub_pg::{DbError, PgConnection};
use eduhub_proto::bridge::v1::{TransferMode, TransferState};
use eduhub_proto::common::v1::{Dataset, Period};
use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;
use uuid::Uuid;

use super::model::{NewTransfer, Transfer};

const COLUMNS: &str = "transfer_id, submission_id, seal_id, school_code, school_name, commune_code, school_year, dataset, \
    period, mode, state, started_by, traceparent, problem, started_at, finished_at, reported_at";

/// What became of an insert.
pub(super) enum Inserted {
    New,
    /// The id is taken; it is for the caller to see whether by the same transfer.
    Known,
    /// The submission has another transfer.
    Other(Uuid),
}

/// Inserts a transfer in state QUEUEING. The claims on its id and on the submission are the database's.
pub(super) async fn insert(conn: &mut PgConnection, new: &NewTransfer) -> Result<Inserted, DbError> {
    let s = &new.submission;
    let seal_id = s.seal.as_ref().map_or(s.submission_id.as_str(), |seal| seal.seal_id.as_str());
    let done = sqlx::query(
        "insert into transfer (transfer_id, submission_id, seal_id, school_code, school_name, commune_code, school_year, \
         dataset, period, mode, state, started_by, traceparent) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing",
    )
    .bind(new.transfer_id)
    .bind(new.submission_id)
    .bind(seal_id)
    .bind(&s.school_code)
    .bind(&s.school_name)
    .bind(&s.commune_code)
    .bind(s.school_year)
    .bind(s.dataset as i16)
    .bind(s.period as i16)
    .bind(new.mode as i16)
    .bind(TransferState::Queueing as i16)
    .bind(&new.started_by)
    .bind(&new.traceparent)
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(Inserted::New);
    }
    let other: Option<Uuid> =
        sqlx::query_scalar("select transfer_id from transfer where submission_id = $1 and transfer_id <> $2")
            .bind(new.submission_id)
            .bind(new.transfer_id)
            .fetch_optional(conn)
            .await?;
    Ok(other.map_or(Inserted::Known, Inserted::Other))
}

/// One transfer.
///
/// # Errors
/// [`DbError`].
pub async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Transfer>, DbError> {
    let sql = sqlx::AssertSqlSafe(format!("select {COLUMNS} from transfer where transfer_id = $1"));
    sqlx::query(sql).bind(id).fetch_optional(conn).await?.map(|row| read(&row)).transpose()
}

/// One transfer, locked until the transaction ends: whoever changes its ledger holds it, so that the last row is seen last.
///
/// # Errors
/// [`DbError`].
pub async fn lock(conn: &mut PgConnection, id: Uuid) -> Result<Transfer, DbError> {
    let sql =
        sqlx::AssertSqlSafe(format!("select {COLUMNS} from transfer where transfer_id = $1 for update"));
    read(&sqlx::query(sql).bind(id).fetch_one(conn).await?)
}

/// Transfers of a school, newest first, after a start time and id.
pub(super) async fn list(
    conn: &mut PgConnection,
    school_code: &str,
    datasets: &[i16],
    after: Option<(OffsetDateTime, Uuid)>,
    limit: i64,
) -> Result<Vec<Transfer>, DbError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from transfer where school_code = $1 and dataset = any($2) \
         and ($3::timestamptz is null or (started_at, transfer_id) < ($3, $4)) \
         order by started_at desc, transfer_id desc limit $5"
    ));
    let rows = sqlx::query(sql)
        .bind(school_code)
        .bind(datasets)
        .bind(after.map(|(at, _)| at))
        .bind(after.map(|(_, id)| id))
        .bind(limit)
        .fetch_all(conn)
        .await?;
    rows.iter().map(read).collect()
}

/// Back to QUEUEING after a failure.
pub(super) async fn restart(conn: &mut PgConnection, id: Uuid) -> Result<(), DbError> {
    set_state(conn, id, TransferState::Queueing, "").await
}

/// Its ledger is complete.
///
/// # Errors
/// [`DbError`].
pub async fn mark_sending(conn: &mut PgConnection, id: Uuid) -> Result<(), DbError> {
    set_state(conn, id, TransferState::Sending, "").await
}

/// Its workbook is there.
///
/// # Errors
/// [`DbError`].
pub async fn mark_exported(conn: &mut PgConnection, id: Uuid) -> Result<(), DbError> {
    set_state(conn, id, TransferState::Exported, "").await
}

/// Its seal can't be read.
///
/// # Errors
/// [`DbError`].
pub async fn mark_failed(conn: &mut PgConnection, id: Uuid, problem: &str) -> Result<(), DbError> {
    set_state(conn, id, TransferState::Failed, problem).await
}

async fn set_state(
    conn: &mut PgConnection,
    id: Uuid,
    state: TransferState,
    problem: &str,
) -> Result<(), DbError> {
    sqlx::query("update transfer set state = $2, problem = $3, finished_at = null where transfer_id = $1")
        .bind(id)
        .bind(state as i16)
        .bind(problem)
        .execute(conn)
        .await?;
    Ok(())
}

/// Approval has the outcome.
///
/// # Errors
/// [`DbError`].
pub async fn mark_reported(conn: &mut PgConnection, id: Uuid) -> Result<(), DbError> {
    sqlx::query("update transfer set reported_at = now() where transfer_id = $1")
        .bind(id)
        .execute(conn)
        .await?;
    Ok(())
}

fn read(row: &PgRow) -> Result<Transfer, DbError> {
    let number = |index: usize| row.try_get::<i16, _>(index).map(i32::from);
    Ok(Transfer {
        transfer_id: row.try_get(0)?,
        submission_id: row.try_get(1)?,
        seal_id: row.try_get(2)?,
        school_code: row.try_get(3)?,
        school_name: row.try_get(4)?,
        commune_code: row.try_get(5)?,
        school_year: row.try_get(6)?,
        dataset: Dataset::try_from(number(7)?).unwrap_or_default(),
        period: Period::try_from(number(8)?).unwrap_or_default(),
        mode: TransferMode::try_from(number(9)?).unwrap_or_default(),
        state: TransferState::try_from(number(10)?).unwrap_or_default(),
        started_by: row.try_get(11)?,
        traceparent: row.try_get(12)?,
        problem: row.try_get(13)?,
        started_at: row.try_get(14)?,
        finished_at: row.try_get(15)?,
        reported_at: row.try_get(16)?,
    })
}
