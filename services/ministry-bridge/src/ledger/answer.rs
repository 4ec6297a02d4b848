use eduhub_pg::{DbError, PgConnection};
use eduhub_proto::bridge::v1::{LedgerEvent, LedgerState};
use uuid::Uuid;

/// What became of one row of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Record.
    pub record_id: Uuid,
    /// New state. QUEUED puts it into a new batch.
    pub state: LedgerState,
    /// The Ministry's code.
    pub code: String,
    /// The Ministry's text.
    pub message: String,
    /// Code that it gave the record.
    pub ministry_code: String,
    /// Version that it holds, when it said so.
    pub held_version: Option<i64>,
}

impl Answer {
    /// An answer without a word.
    pub fn new(record_id: Uuid, state: LedgerState) -> Self {
        let (code, message, ministry_code) = Default::default();
        Self { record_id, state, code, message, ministry_code, held_version: None }
    }

    /// With code and text.
    pub fn saying(mut self, code: impl Into<String>, message: impl Into<String>) -> Self {
        (self.code, self.message) = (code.into(), message.into());
        self
    }
}

/// Writes the answers to rows of a batch, and what the Ministry now holds. Payloads of settled rows are wiped: what was sent
/// can be read from the seal.
///
/// # Errors
/// [`DbError`].
pub async fn apply(conn: &mut PgConnection, transfer_id: Uuid, answers: &[Answer]) -> Result<(), DbError> {
    let keep = [LedgerState::Queued as i16, LedgerState::Dead as i16];
    sqlx::query(
        "update ledger l set state = a.state, code = a.code, message = a.message, batch_id = null, updated_at = now(), \
           ministry_code = case when a.ministry_code = '' then l.ministry_code else a.ministry_code end, \
           payload = case when a.state = any($2) then l.payload end \
         from unnest($3::uuid[], $4::smallint[], $5::text[], $6::text[], $7::text[]) \
           as a(record_id, state, code, message, ministry_code) \
         where l.transfer_id = $1 and l.record_id = a.record_id",
    )
    .bind(transfer_id)
    .bind(&keep[..])
    .bind(answers.iter().map(|a| a.record_id).collect::<Vec<_>>())
    .bind(answers.iter().map(|a| a.state as i16).collect::<Vec<_>>())
    .bind(answers.iter().map(|a| a.code.clone()).collect::<Vec<_>>())
    .bind(answers.iter().map(|a| a.message.clone()).collect::<Vec<_>>())
    .bind(answers.iter().map(|a| a.ministry_code.clone()).collect::<Vec<_>>())
    .execute(&mut *conn)
    .await?;
    hold(conn, transfer_id, answers).await?;
    catch_up(conn, answers).await
}

async fn hold(conn: &mut PgConnection, transfer_id: Uuid, answers: &[Answer]) -> Result<(), DbError> {
    let accepted: Vec<Uuid> =
        answers.iter().filter(|a| a.state == LedgerState::Accepted).map(|a| a.record_id).collect();
    sqlx::query(
        "update record r set held_version = l.version, held_digest = l.digest, cancelled = l.event = $3, \
           ministry_code = case when l.ministry_code = '' then r.ministry_code else l.ministry_code end \
         from ledger l where l.transfer_id = $1 and l.record_id = any($2) and r.record_id = l.record_id \
         and (r.held_version is null or r.held_version <= l.version)",
    )
    .bind(transfer_id)
    .bind(accepted)
    .bind(LedgerEvent::Cancel as i16)
    .execute(conn)
    .await?;
    Ok(())
}

/// The Ministry is ahead of what is known here (after a restore): the next version goes above it.
async fn catch_up(conn: &mut PgConnection, answers: &[Answer]) -> Result<(), DbError> {
    let ahead: Vec<(Uuid, i64)> = answers
        .iter()
        .filter(|a| a.state == LedgerState::Stale)
        .filter_map(|a| a.held_version.map(|version| (a.record_id, version)))
        .collect();
    if ahead.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update record r set version = a.version, digest = ''::bytea from unnest($1::uuid[], $2::bigint[]) \
         as a(record_id, version) where r.record_id = a.record_id and r.version <= a.version",
    )
    .bind(ahead.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(ahead.iter().map(|(_, version)| *version).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
