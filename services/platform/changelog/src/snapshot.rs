//! Pages of the current state for a consumer that starts.
use crate::{image::COLUMNS, image::StoredImage, table::Table};
use eduhub_pg::DbError;
use sqlx::{AssertSqlSafe, PgConnection};

/// Where a snapshot stands: it shows the rows whose last change is below `horizon`; the tail, which starts at the
/// horizon, brings every other row. So the two meet without hole, and without a version going back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotPoint {
    /// Oldest running transaction when the snapshot began.
    pub horizon: i64,
    /// School of the last row that was shown.
    pub school_code: String,
    /// Key of the last row that was shown.
    pub record_key: String,
}

/// Rows of one kind after a point, by school and key; `schools` limits them.
pub async fn snapshot_page(
    conn: &mut PgConnection,
    table: &Table,
    point: &SnapshotPoint,
    schools: Option<&[String]>,
    limit: i64,
) -> Result<Vec<StoredImage>, DbError> {
    let filter = if schools.is_some() { "and school_code = any($5)" } else { "" };
    let sql = format!(
        "select {COLUMNS} from {} where (school_code, record_key) > ($1, $2) and xid < $3 and not withdrawn {filter}
         order by school_code, record_key limit $4",
        table.name
    );
    let mut query = sqlx::query(AssertSqlSafe(sql))
        .bind(&point.school_code)
        .bind(&point.record_key)
        .bind(point.horizon)
        .bind(limit);
    if let Some(schools) = schools {
        query = query.bind(schools);
    }
    let rows = query.fetch_all(conn).await?;
    Ok(rows.iter().map(StoredImage::from_row).collect::<Result<_, _>>()?)
}
