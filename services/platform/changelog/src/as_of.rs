//! States as of a position: a record is its row if nothing came after the position, else the image that the first later
//! entry superseded.
use crate::{image::StoredImage, position::Position, table::Table};
use eduhub_pg::DbError;
use sqlx::{AssertSqlSafe, PgConnection, Row};

/// Sub-query for the records of one school and kind as of a position, keys in a range; parameters are numbered from
/// `first`: school, xid, seq, key after, key below.
fn state(table: &Table, first: usize) -> String {
    let (after, below) = (first + 3, first + 4);
    state_of(table, first, &format!("record_key > ${after} and record_key < ${below}"))
}

/// Sub-query for the records of one school and kind as of a position, whose keys meet a condition; parameters are numbered
/// from `first`: school, xid, seq. At [`Position::START`] nothing was there, whatever a pruned log says.
fn state_of(table: &Table, first: usize, keys: &str) -> String {
    let [school, xid, seq] = std::array::from_fn(|i| first + i);
    format!(
        "select * from (
           select record_id, school_code, record_key, version, digest, body, secret, changed_at, withdrawn
           from {name} where school_code = ${school} and (xid, seq) <= (${xid}, ${seq}) and {keys}
           union all
           select * from (
             select distinct on (record_id) record_id, school_code, record_key, before_version as version,
               before_digest as digest, before_body as body, before_secret as secret, before_changed_at as changed_at,
               before_withdrawn as withdrawn
             from change_log where school_code = ${school} and kind = {kind} and (xid, seq) > (${xid}, ${seq}) and ${xid} > 0
               and {keys}
             order by record_id, xid, seq
           ) superseded where version is not null
         ) s where not withdrawn",
        name = table.name,
        kind = table.meta.kind,
    )
}

/// Range of full keys: all, or those of one school year for a yearly kind. `0` follows `/` in ASCII.
pub(crate) fn key_range(table: &Table, school_year: i32, after: &str) -> (String, String) {
    let (from, below) = if table.meta.yearly && school_year != 0 {
        (format!("{school_year}/"), format!("{school_year}0"))
    } else {
        (String::new(), "\u{10FFFF}".to_owned())
    };
    (if after > from.as_str() { after.to_owned() } else { from }, below)
}

/// Records of a school as of a position after a key, in key order.
pub async fn list_as_of(
    conn: &mut PgConnection,
    table: &Table,
    side: &Side<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<StoredImage>, DbError> {
    let (from, below) = key_range(table, side.school_year, after);
    let sql = format!("{} order by record_key limit $6", state(table, 1));
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(side.school_code)
        .bind(side.at.xid)
        .bind(side.at.seq)
        .bind(from)
        .bind(below)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    Ok(rows.iter().map(StoredImage::from_row).collect::<Result<_, _>>()?)
}

/// Records of a school with these keys as of a position, in any order.
pub async fn get_as_of(
    conn: &mut PgConnection,
    table: &Table,
    side: &Side<'_>,
    keys: &[&str],
) -> Result<Vec<StoredImage>, DbError> {
    let rows = sqlx::query(AssertSqlSafe(state_of(table, 1, "record_key = any($4)")))
        .bind(side.school_code)
        .bind(side.at.xid)
        .bind(side.at.seq)
        .bind(keys)
        .fetch_all(conn)
        .await?;
    Ok(rows.iter().map(StoredImage::from_row).collect::<Result<_, _>>()?)
}

/// One state to compare.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// School.
    pub school_code: &'a str,
    /// School year (matters for yearly kinds); 0 for all.
    pub school_year: i32,
    /// Position; [`Position::START`] is the empty state, [`Position::END`] the live one.
    pub at: Position,
}

/// A record that differs between two states.
#[derive(Debug, Clone)]
pub struct DiffRow {
    /// Full key.
    pub record_key: String,
    /// Image in the base state.
    pub before: Option<StoredImage>,
    /// Image in the other state.
    pub after: Option<StoredImage>,
}

/// Records whose digest differs between `base` and `other` after a key, in key order.
pub async fn diff_as_of(
    conn: &mut PgConnection,
    table: &Table,
    base: &Side<'_>,
    other: &Side<'_>,
    after: &str,
    limit: i64,
) -> Result<Vec<DiffRow>, DbError> {
    let (from, below) = key_range(table, other.school_year, after);
    let sql = format!(
        "select a.*, b.* from ({}) a full join ({}) b on a.record_key = b.record_key
         where a.digest is distinct from b.digest order by coalesce(a.record_key, b.record_key) limit $11",
        state(table, 1),
        state(table, 6)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for side in [base, other] {
        query = query
            .bind(side.school_code)
            .bind(side.at.xid)
            .bind(side.at.seq)
            .bind(from.clone())
            .bind(below.clone());
    }
    let rows = query.bind(limit).fetch_all(conn).await?;
    rows.iter()
        .map(|r| {
            let (before, after) = (half(r, 0)?, half(r, 9)?);
            let key = before.as_ref().or(after.as_ref()).map(|i| i.record_key.clone());
            Ok(DiffRow { record_key: key.unwrap_or_default(), before, after })
        })
        .collect()
}

fn half(r: &sqlx::postgres::PgRow, at: usize) -> Result<Option<StoredImage>, sqlx::Error> {
    let Some(record_id) = r.try_get(at)? else { return Ok(None) };
    Ok(Some(StoredImage {
        record_id,
        school_code: r.try_get(at + 1)?,
        record_key: r.try_get(at + 2)?,
        version: r.try_get(at + 3)?,
        digest: r.try_get(at + 4)?,
        body: r.try_get(at + 5)?,
        secret: r.try_get(at + 6)?,
        changed_at: r.try_get(at + 7)?,
        withdrawn: r.try_get(at + 8)?,
    }))
}
