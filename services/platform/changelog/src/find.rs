//! Live records of a school that agree with conditions on their columns.
use crate::{as_of::key_range, image::COLUMNS, image::StoredImage, table::Table};
use eduhub_pg::DbError;
use sqlx::{AssertSqlSafe, PgConnection};

/// Rows that one page looks through at most, so that a rare value costs no more than a common one.
pub const LOOKED_THROUGH: i64 = 10_000;

/// Where to look.
#[derive(Debug, Clone, Copy)]
pub struct Range<'a> {
    /// School.
    pub school_code: &'a str,
    /// School year of a yearly kind; 0 for all.
    pub school_year: i32,
    /// Only after this key.
    pub after: &'a str,
}

/// A text column and the value that it must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition<'a> {
    /// Column of the table, one of [`Table::columns`].
    pub column: &'a str,
    /// Value.
    pub value: &'a str,
}

/// A page.
#[derive(Debug)]
pub struct Found {
    /// Records in key order.
    pub images: Vec<StoredImage>,
    /// Key after which to go on; `None` at the end.
    pub next: Option<String>,
}

/// The next records in key order that meet all conditions; at most `limit`, and fewer when so many rows were looked through.
pub async fn find(
    conn: &mut PgConnection,
    table: &Table,
    range: Range<'_>,
    conditions: &[Condition<'_>],
    limit: i64,
) -> Result<Found, DbError> {
    let (from, below) = key_range(table, range.school_year, range.after);
    let name = table.name;
    let rows = format!(
        "{name} where school_code = $1 and record_key > $2 and record_key < $3 and not withdrawn order by record_key"
    );
    let sql = if conditions.is_empty() {
        format!("select {COLUMNS} from {rows} limit $4")
    } else {
        let conditions: String =
            conditions.iter().zip(5..).map(|(c, n)| format!(" and {} = ${n}", c.column)).collect();
        // The last row is not a record but the last that was looked through; it is read only when the page is not full. One
        // statement, so that both come from one state.
        format!(
            "(select {COLUMNS} from (select * from {rows} limit {LOOKED_THROUGH}) s where true{conditions} order by record_key limit $4)
             union all
             (select record_id, school_code, record_key, version, ''::bytea, ''::bytea, null::bytea, changed_at, true
              from {rows} offset {LOOKED_THROUGH} - 1 limit 1)
             limit $4"
        )
    };
    let mut query =
        sqlx::query(AssertSqlSafe(sql)).bind(range.school_code).bind(from).bind(below).bind(limit);
    for condition in conditions {
        query = query.bind(condition.value);
    }
    let rows = query.fetch_all(conn).await?;
    let mut images = rows.iter().map(StoredImage::from_row).collect::<Result<Vec<_>, _>>()?;
    let mark = images.pop_if(|last| last.withdrawn);
    let full = images.len() as i64 == limit;
    let last = if full { images.last() } else { mark.as_ref() };
    let next = last.map(|image| image.record_key.clone());
    Ok(Found { images, next })
}
