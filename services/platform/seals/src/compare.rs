//! Differences between two states, field by field.
use crate::seal::Sealed;
use eduhub_changelog::{DiffRow, Position, RecordSet, Side, diff_as_of};
use eduhub_faults::Fault;
use eduhub_paging as paging;
use eduhub_proto::common::v1::{DiffPage, DiffSealRequest, RecordDiff};
use eduhub_reads::{Reader, differences};
use sqlx::PgConnection;

/// What differs between `base` (`None`: the live state) and a seal. Fields above the reader's class show as equal.
pub async fn diff<S: RecordSet>(
    conn: &mut PgConnection,
    reader: &Reader<'_>,
    sealed: &Sealed,
    base: Option<&Sealed>,
    request: &DiffSealRequest,
) -> Result<DiffPage, Fault> {
    let size = paging::size(request.page_size, 500, 1_000)?;
    let filter = format!("diff/{}/{}", request.seal_id, request.base_seal_id);
    let (mut kind, mut after) = start(&filter, &request.page_token)?;
    let other = sealed.side();
    let base = base.map_or(Side { at: Position::END, ..other }, |b| b.side());
    let mut records = Vec::new();
    let mut next_page_token = String::new();
    for table in sealed.tables::<S>() {
        if table.meta.kind < kind {
            continue;
        }
        let room = size - records.len() as i64;
        if room == 0 {
            next_page_token = paging::token(&filter, &format!("{} ", table.meta.kind));
            break;
        }
        let rows = diff_as_of(conn, table, &base, &other, &after, room).await?;
        after.clear();
        let full = rows.len() as i64 == room;
        if let (true, Some(last)) = (full, rows.last()) {
            next_page_token = paging::token(&filter, &format!("{} {}", table.meta.kind, last.record_key));
        }
        for row in rows {
            records.push(difference::<S>(reader, table.meta.kind, &row)?);
        }
        if full {
            break;
        }
        kind = 0;
    }
    let compared = records.len() as u64;
    Ok(DiffPage { records, next_page_token, compared })
}

/// Kind and key that a token goes on after.
fn start(filter: &str, token: &str) -> Result<(i32, String), Fault> {
    let Some(at) = paging::after(filter, token)? else { return Ok((0, String::new())) };
    let (kind, key) = at.split_once(' ').unwrap_or(("0", ""));
    Ok((kind.parse().unwrap_or_default(), key.to_owned()))
}

fn difference<S: RecordSet>(reader: &Reader<'_>, kind: i32, row: &DiffRow) -> Result<RecordDiff, Fault> {
    let read = |image| reader.read::<S>(kind, image);
    let before = row.before.as_ref().map(read).transpose()?;
    let after = row.after.as_ref().map(read).transpose()?;
    let (added, removed) = (before.is_none(), after.is_none());
    let fields = match (&before, &after) {
        (Some((_, Some(b))), Some((_, Some(a)))) => differences::<S>(b, a),
        _ => vec![],
    };
    let header = after.or(before).map(|(h, _)| h);
    Ok(RecordDiff { header, added, removed, fields })
}
