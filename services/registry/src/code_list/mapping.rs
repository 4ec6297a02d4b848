//! Mapping tables: what a vendor's software says for the codes of a list. Whole tables in versions; the newest is in force.
use super::{
    mistake::{mistake, refusal, refuse},
    model::{Entries, UNIT_LISTS},
    store,
    usage::is_known,
};
use eduhub_faults::{Fault, Reason};
use eduhub_ingest::{Mappings, to_proto};
use eduhub_pg::{DbError, PgPool, in_tx};
use eduhub_proto::registry::v1::{CodeMapping, CodeMappingEntry, RowMistake, SetCodeMappingRequest};
use eduhub_rules::OPEN;
use sqlx::{PgConnection, Row};
use std::{collections::HashSet, time::Duration};
use time::{Date, OffsetDateTime};

/// Most entries of a table.
const MOST_ENTRIES: usize = 5_000;

/// Sets a table in somebody's name; the same table again makes no version.
pub async fn set(
    pool: &PgPool,
    by: String,
    request: SetCodeMappingRequest,
    today: Date,
) -> Result<CodeMapping, Fault> {
    check_request(&request)?;
    in_tx(pool, Duration::from_secs(10), move |conn| {
        Box::pin(async move {
            store::lock_version(conn).await?;
            let mistakes = mistakes(&request.entries, &store::entries(conn, &request.list).await?, today);
            if !mistakes.is_empty() {
                return Err(refuse(refusal(mistakes.len()), "entries", &mistakes));
            }
            let SetCodeMappingRequest { vendor_code, list, mut entries, note } = request;
            entries.sort_by(|a, b| a.value.cmp(&b.value));
            let known = tables(conn, &vendor_code, &list, i64::MAX).await?.pop();
            match known {
                Some(known) if known.entries == entries => return Ok(known),
                None if entries.is_empty() => {
                    return Ok(CodeMapping { vendor_code, list, ..CodeMapping::default() });
                }
                _ => {}
            }
            let version = store::next_version(conn).await?;
            let vendor_version = version;
            let made = CodeMapping {
                vendor_code,
                list,
                entries,
                version,
                changed_at: None,
                changed_by: by,
                note,
                vendor_version,
            };
            let changed_at = write(conn, &made).await?;
            Ok(CodeMapping { changed_at: Some(to_proto(changed_at)), ..made })
        })
    })
    .await
}

fn check_request(request: &SetCodeMappingRequest) -> Result<(), Fault> {
    let mut fault = Fault::new(Reason::InvalidRequest);
    let vendor = request.vendor_code.as_bytes();
    let letters = vendor.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_');
    if !(2..=20).contains(&vendor.len()) || !letters {
        fault = fault.violation("vendor_code", "2 to 20 of A-Z, 0-9, _");
    }
    if !is_known(&request.list) && !UNIT_LISTS.contains(&request.list.as_str()) {
        fault = fault.violation("list", "no field of the dictionary uses a list of this name");
    }
    if request.entries.len() > MOST_ENTRIES {
        fault = fault.violation("entries", "at most 5,000");
    }
    if request.note.chars().count() > 500 {
        fault = fault.violation("note", "at most 500 characters");
    }
    fault.into_result()
}

fn mistakes(entries: &[CodeMappingEntry], list: &Entries, today: Date) -> Vec<RowMistake> {
    let open = list.get(OPEN).is_some_and(|e| e.to.is_none_or(|to| to >= today));
    let (mut seen, mut found) = (HashSet::new(), Vec::new());
    for (row, CodeMappingEntry { value, code }) in entries.iter().enumerate() {
        let length = value.chars().count();
        if length == 0 || length > 100 {
            found.push(mistake(row, "value", value, "Phải có 1 đến 100 ký tự", "1 to 100 characters"));
        } else if !seen.insert(value) {
            found.push(mistake(row, "value", value, "Giá trị lặp lại", "stands twice"));
        }
        // Codes that have ended may be mapped to: records of old years have them.
        if code == OPEN || (!list.contains_key(code) && !open) {
            found.push(mistake(row, "code", code, "Mã không có trong danh mục", "not in the code list"));
        }
    }
    found
}

async fn write(conn: &mut PgConnection, made: &CodeMapping) -> Result<OffsetDateTime, DbError> {
    let changed_at = sqlx::query_scalar(
        "insert into code_mapping_set (vendor_code, list, version, changed_by, note) values ($1, $2, $3, $4, $5)
         returning changed_at",
    )
    .bind(&made.vendor_code)
    .bind(&made.list)
    .bind(made.version)
    .bind(&made.changed_by)
    .bind(&made.note)
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query(
        "insert into code_mapping (vendor_code, list, version, value, code)
         select $1, $2, $3, * from unnest($4::text[], $5::text[])",
    )
    .bind(&made.vendor_code)
    .bind(&made.list)
    .bind(made.version)
    .bind(made.entries.iter().map(|e| e.value.as_str()).collect::<Vec<_>>())
    .bind(made.entries.iter().map(|e| e.code.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(changed_at)
}

/// Tables at a version by vendor and list, of one vendor and for one list if these are named, without empty ones.
pub async fn tables(
    conn: &mut PgConnection,
    vendor_code: &str,
    list: &str,
    at: i64,
) -> Result<Vec<CodeMapping>, DbError> {
    let rows = sqlx::query(
        "with newest as (
           select distinct on (vendor_code, list) * from code_mapping_set
           where ($1 = '' or vendor_code = $1) and ($2 = '' or list = $2) and version <= $3
           order by vendor_code, list, version desc
         )
         select n.vendor_code, n.list, n.version, n.changed_at, n.changed_by, n.note, m.value, m.code,
           (select max(s.version) from code_mapping_set s where s.vendor_code = n.vendor_code and s.version <= $3)
         from newest n join code_mapping m using (vendor_code, list, version) order by 1, 2, 7",
    );
    let rows = rows.bind(vendor_code).bind(list).bind(at).fetch_all(conn).await?;
    let mut tables: Vec<CodeMapping> = Vec::new();
    for row in &rows {
        let (vendor_code, list): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let entry = CodeMappingEntry { value: row.try_get(6)?, code: row.try_get(7)? };
        match tables.last_mut().filter(|t| t.vendor_code == vendor_code && t.list == list) {
            Some(table) => table.entries.push(entry),
            None => tables.push(CodeMapping {
                vendor_code,
                list,
                entries: vec![entry],
                version: row.try_get(2)?,
                changed_at: Some(to_proto(row.try_get::<OffsetDateTime, _>(3)?)),
                changed_by: row.try_get(4)?,
                note: row.try_get(5)?,
                vendor_version: row.try_get(8)?,
            }),
        }
    }
    Ok(tables)
}

/// All tables in force.
pub async fn in_force(conn: &mut PgConnection) -> Result<Mappings, DbError> {
    Ok(Mappings::from_tables(tables(conn, "", "", i64::MAX).await?))
}
