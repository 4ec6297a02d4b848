use eduhub_pg::{DbError, PgConnection};
use eduhub_proto::bridge::v1::{LedgerEvent, LedgerState};
use eduhub_proto::common::v1::Kind;
use uuid::Uuid;

use crate::mapping::{cancel_stage, ministry_type};
use crate::seal::SealRef;

/// A record on its way into the ledger.
pub struct Row {
    /// Record id.
    pub record_id: Uuid,
    /// Kind.
    pub kind: Kind,
    /// Key within the school.
    pub record_key: String,
    /// Lower bound of its version.
    pub version: i64,
    /// Digest of what is sent.
    pub digest: [u8; 16],
    /// What is sent, sealed; `None` for a workbook.
    pub payload: Option<Vec<u8>>,
    /// The record that must be accepted first.
    pub parent: Option<(Kind, String)>,
}

/// Enters a page of rows in one statement. A record's version rises when its digest changed; a record that the Ministry holds
/// with this digest is accepted at once. Entering the same row again changes nothing.
///
/// `state` is what new rows begin in: QUEUED or EXPORTED.
///
/// # Errors
/// [`DbError`].
pub async fn enter(
    conn: &mut PgConnection,
    transfer_id: Uuid,
    seal: &SealRef,
    rows: &[Row],
    state: LedgerState,
) -> Result<(), DbError> {
    let yearly = |kind: Kind| eduhub_proto::dictionary::record_of(kind).is_some_and(|meta| meta.yearly);
    let parents = |row: &Row| row.parent.as_ref().map(|(kind, _)| *kind as i16);
    sqlx::query(ENTER)
        .bind(transfer_id)
        .bind(&seal.school_code)
        .bind(state as i16)
        .bind(LedgerState::Waiting as i16)
        .bind(LedgerState::Accepted as i16)
        .bind(LedgerEvent::New as i16)
        .bind(LedgerEvent::Update as i16)
        .bind(rows.iter().map(|row| row.record_id).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.kind as i16).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.record_key.clone()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.version.max(1)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.digest.to_vec()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.payload.clone()).collect::<Vec<_>>())
        .bind(rows.iter().map(parents).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.parent.as_ref().map(|(_, key)| key.clone())).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| ministry_type(row.kind)).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| if yearly(row.kind) { seal.school_year } else { 0 }).collect::<Vec<_>>())
        .execute(conn)
        .await?;
    Ok(())
}

// `known` and `versioned` are one snapshot and one write: the held columns are those from before the statement.
const ENTER: &str = "
with input as (
  select * from unnest($8::uuid[], $9::smallint[], $10::text[], $11::bigint[], $12::bytea[], $13::bytea[], $14::smallint[],
                       $15::text[], $16::int[], $17::int[])
    as t(record_id, kind, record_key, version, digest, payload, parent_kind, parent_key, ministry_type, school_year)
), versioned as (
  insert into record as r (record_id, school_code, school_year, kind, record_key, ministry_type, version, digest)
  select record_id, $2, school_year, kind, record_key, ministry_type, version, digest from input
  on conflict (record_id) do update set
    school_code = excluded.school_code, school_year = excluded.school_year, record_key = excluded.record_key,
    version = case when r.digest = excluded.digest and (r.held_version is null or r.held_digest is not null)
                   then r.version
                   -- Entered before by this transfer, whose worker died: not a new change.
                   when exists (select 1 from ledger l where l.transfer_id = $1 and l.record_id = r.record_id)
                   then r.version
                   else greatest(r.version + 1, excluded.version) end,
    digest = excluded.digest
  returning record_id, version, held_version, held_digest, cancelled, ministry_code
)
insert into ledger (transfer_id, record_id, school_code, kind, record_key, ministry_type, version, digest, event, state,
                    parent_kind, parent_key, payload, code, ministry_code)
select $1, i.record_id, $2, i.kind, i.record_key, i.ministry_type, v.version, i.digest,
       case when v.held_version is null or v.cancelled then $6::smallint else $7::smallint end,
       case when same.held and i.payload is not null then $5::smallint
            when i.parent_kind is not null and i.payload is not null then $4::smallint
            else $3::smallint end,
       i.parent_kind, i.parent_key,
       case when same.held then null else i.payload end,
       case when same.held and i.payload is not null then 'UNCHANGED' else '' end,
       case when same.held then v.ministry_code else '' end
from input i join versioned v using (record_id)
cross join lateral (select coalesce(v.held_digest = i.digest and not v.cancelled, false) as held) same
on conflict (transfer_id, record_id) do nothing";

/// Enters what the Ministry holds of these kinds and the seal no longer has, as cancelled. Leaves go before parents.
///
/// # Errors
/// [`DbError`].
pub async fn cancel_absent(
    conn: &mut PgConnection,
    transfer_id: Uuid,
    seal: &SealRef,
    kinds: &[Kind],
) -> Result<(), DbError> {
    // A school does not cancel itself: that is what a merger or a dissolution does.
    let kinds: Vec<Kind> = kinds.iter().copied().filter(|kind| *kind != Kind::School).collect();
    sqlx::query(
        "with gone as ( \
           update record r set version = r.version + 1, digest = ''::bytea \
           where r.school_code = $2 and r.kind = any($4) and r.school_year in (0, $3) \
           and r.held_version is not null and not r.cancelled \
           and not exists (select 1 from ledger l where l.transfer_id = $1 and l.record_id = r.record_id) \
           returning r.* \
         ) \
         insert into ledger (transfer_id, record_id, school_code, kind, record_key, ministry_type, version, digest, event, \
                             state, stage) \
         select $1, g.record_id, g.school_code, g.kind, g.record_key, g.ministry_type, g.version, g.digest, $6, $7, s.stage \
         from gone g join unnest($4::smallint[], $5::smallint[]) as s(kind, stage) on s.kind = g.kind",
    )
    .bind(transfer_id)
    .bind(&seal.school_code)
    .bind(seal.school_year)
    .bind(kinds.iter().map(|kind| *kind as i16).collect::<Vec<_>>())
    .bind(kinds.iter().map(|kind| cancel_stage(*kind)).collect::<Vec<_>>())
    .bind(LedgerEvent::Cancel as i16)
    .bind(LedgerState::Waiting as i16)
    .execute(conn)
    .await?;
    Ok(())
}
