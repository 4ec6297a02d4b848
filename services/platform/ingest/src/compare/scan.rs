//! Reads the digests of a range in the order of the keys.
use super::range::Range;
use eduhub_pg::DbError;
use eduhub_vault::hashed_group;
use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, PgConnection, Row};

/// Rows after which others get their turn: they come faster than they are worked on.
const TURN: usize = 512;

/// Calls `each` with the group, the key as the sender knows it, and the digest of every live record of a range, by key. One
/// statement along the index of the keys; rows are read as they come.
pub(super) async fn scan(
    conn: &mut PgConnection,
    range: &Range,
    mut each: impl FnMut(&str, &str, &[u8]),
) -> Result<(), DbError> {
    let group = range.table.group().map_or("null", |column| column.name.as_str());
    let end = range.end();
    let below = if end.is_some() { "record_key < $3" } else { "$3::text is null" };
    let sql = format!(
        "select record_key, digest, {group}::text from {} where school_code = $1 and record_key >= $2 and {below}
         and not withdrawn order by record_key",
        range.table.name
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(&range.school_code).bind(&range.prefix).bind(end);
    let mut rows = query.fetch(conn);
    let mut read = 0;
    while let Some(row) = rows.try_next().await? {
        let full: &str = row.try_get(0)?;
        let key = full.strip_prefix(range.prefix.as_str()).unwrap_or(full);
        let digest: &[u8] = row.try_get(1)?;
        let named: Option<&str> = row.try_get(2)?;
        each(if range.hashed() { hashed_group(key) } else { named.unwrap_or_default() }, key, digest);
        read += 1;
        if read % TURN == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}
