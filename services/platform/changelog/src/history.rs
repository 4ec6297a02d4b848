//! All versions of one record.
use crate::{image::COLUMNS, image::StoredImage, table::Table};
use eduhub_pg::DbError;
use sqlx::{AssertSqlSafe, PgConnection};

/// Versions of a record, newest first: the row, then the images that its log entries superseded.
pub async fn history(
    conn: &mut PgConnection,
    table: &Table,
    school_code: &str,
    record_key: &str,
    limit: i64,
) -> Result<Vec<StoredImage>, DbError> {
    let sql = format!(
        "with r as (select * from {} where school_code = $1 and record_key = $2)
         select {COLUMNS} from r
         union all
         select r.record_id, r.school_code, r.record_key, l.before_version, l.before_digest, l.before_body,
           l.before_secret, l.before_changed_at, l.before_withdrawn
         from r join change_log l on l.record_id = r.record_id and l.before_version is not null
         order by 4 desc limit $3",
        table.name
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(school_code)
        .bind(record_key)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    Ok(rows.iter().map(StoredImage::from_row).collect::<Result<_, _>>()?)
}
