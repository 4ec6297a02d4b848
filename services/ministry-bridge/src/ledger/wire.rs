use eduhub_pg::DbError;
use eduhub_proto::bridge::v1::LedgerEntry;
use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::transfer::timestamp;

/// Columns that [`entry`] reads, of `ledger l left join job j`.
pub(super) const COLUMNS: &str = "l.row_id, l.transfer_id, l.record_id, l.school_code, l.kind, l.record_key, l.version, l.event, \
    l.state, l.attempts, j.next_at, l.code, l.message, l.ministry_code, \
    case when l.state in (1, 8) then l.parent_kind end, case when l.state in (1, 8) then l.parent_key end, \
    l.digest, l.reconciled, l.updated_at";

/// An entry as the API writes it; stored numbers are the API's.
pub(super) fn entry(row: &PgRow) -> Result<LedgerEntry, DbError> {
    let number = |index: usize| row.try_get::<i16, _>(index).map(i32::from);
    Ok(LedgerEntry {
        entry_id: row.try_get(0)?,
        transfer_id: row.try_get::<Uuid, _>(1)?.to_string(),
        record_id: row.try_get::<Uuid, _>(2)?.to_string(),
        school_code: row.try_get(3)?,
        kind: number(4)?,
        record_key: row.try_get(5)?,
        version: row.try_get(6)?,
        event: number(7)?,
        state: number(8)?,
        attempts: u32::try_from(row.try_get::<i32, _>(9)?).unwrap_or(0),
        next_attempt_at: row.try_get::<Option<OffsetDateTime>, _>(10)?.map(timestamp),
        code: row.try_get(11)?,
        message: row.try_get(12)?,
        ministry_code: row.try_get(13)?,
        blocked_by_kind: row.try_get::<Option<i16>, _>(14)?.map_or(0, i32::from),
        blocked_by_key: row.try_get::<Option<String>, _>(15)?.unwrap_or_default(),
        digest: row.try_get(16)?,
        reconciled: number(17)?,
        updated_at: Some(timestamp(row.try_get(18)?)),
    })
}
