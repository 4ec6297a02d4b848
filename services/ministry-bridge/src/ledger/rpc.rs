use eduhub_auth::Caller;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::bridge::v1::{LedgerState, ListLedgerRequest, ListLedgerResponse};
use eduhub_proto::common::v1::Dataset;
use uuid::Uuid;

use super::wire::{COLUMNS, entry};
use crate::core::Core;
use crate::error::Error;
use crate::transfer::domain_of;
use crate::{places, transfer};
use eduhub_paging as page;

/// A page of the ledger of a school or a transfer. Entries of datasets that the caller may not see are left out of a school's.
///
/// # Errors
/// NOT_FOUND, BAD_PAGE_TOKEN, INVALID_REQUEST.
pub async fn list(
    core: &Core,
    caller: &Caller,
    asked: ListLedgerRequest,
) -> Result<ListLedgerResponse, Error> {
    let size = page::size(asked.page_size, 200, 1_000)?;
    let filter = format!("ledger {} {} {}", asked.school_code, asked.transfer_id, asked.state);
    let after = page::after_number(&filter, &asked.page_token)?;
    let state = Some(asked.state() as i16).filter(|state| *state != LedgerState::Unspecified as i16);
    let (school, transfer_id) = reach(core, caller, &asked).await?;
    let sql = sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from ledger l left join job j on j.job_id = l.batch_id \
         where {} and l.row_id > $2 and ($3::smallint is null or l.state = $3) \
         and exists (select 1 from transfer t where t.transfer_id = l.transfer_id and t.dataset = any($4)) \
         order by l.row_id limit $5",
        if transfer_id.is_some() { "l.transfer_id = $1" } else { "l.school_code = $1" }
    ));
    let query = sqlx::query(sql);
    let query = match transfer_id {
        Some(id) => query.bind(id),
        None => query.bind(school),
    };
    let rows =
        query.bind(after).bind(state).bind(datasets(caller)).bind(size + 1).fetch_all(&core.pool).await?;
    let mut entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let more = i64::try_from(entries.len()).unwrap_or(0) > size;
    entries.truncate(usize::try_from(size).unwrap_or(0));
    let last = entries.last().filter(|_| more);
    let next_page_token =
        last.map(|entry| page::token(&filter, &entry.entry_id.to_string())).unwrap_or_default();
    Ok(ListLedgerResponse { entries, next_page_token })
}

async fn reach(
    core: &Core,
    caller: &Caller,
    asked: &ListLedgerRequest,
) -> Result<(String, Option<Uuid>), Error> {
    if asked.transfer_id.is_empty() {
        if asked.school_code.is_empty() {
            return Err(Fault::invalid("school_code", "give a school or a transfer").into());
        }
        let place = places::place(&core.cache, &core.peers, &asked.school_code).await?;
        if !caller.scope.covers(&place) {
            return Err(Fault::new(Reason::SchoolNotFound).into());
        }
        return Ok((place.school_code, None));
    }
    let found = transfer::visible(core, caller, &asked.transfer_id).await?;
    if !asked.school_code.is_empty() && asked.school_code != found.school_code {
        return Err(Fault::new(Reason::NotFound).into());
    }
    Ok((found.school_code, Some(found.transfer_id)))
}

/// Numbers of the datasets whose domain the caller holds.
pub fn datasets(caller: &Caller) -> Vec<i16> {
    let all = [Dataset::Pupils, Dataset::Staff, Dataset::Results, Dataset::Facilities];
    all.into_iter()
        .filter(|dataset| caller.has_domain(domain_of(*dataset)))
        .map(|dataset| dataset as i16)
        .collect()
}
