//! All versions of one record.
use crate::{image::COLUMNS, image::StoredImage, table::Table};
use eduhub_pg::DbError;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

/// One version, and who made it as far as the log still knows.
#[derive(Debug, Clone)]
pub struct Version {
    /// The image.
    pub image: StoredImage,
    /// Grant.
    pub grant_id: Option<Uuid>,
    /// Principal.
    pub actor: Option<String>,
    /// Push session.
    pub session_id: Option<Uuid>,
}

/// Versions of a record below a version, newest first: the row, then the images that its log entries superseded. Who made a
/// version stands in the entry that superseded the one before it; of a first version in the entry that the row points to.
pub async fn history(
    conn: &mut PgConnection,
    table: &Table,
    school_code: &str,
    record_key: &str,
    below: i64,
    limit: i64,
) -> Result<Vec<Version>, DbError> {
    let sql = format!(
        "with r as (select * from {} where school_code = $1 and record_key = $2), v as (
           select {COLUMNS}, xid, seq from r where version < $3
           union all
           (select r.record_id, r.school_code, r.record_key, l.before_version, l.before_digest, l.before_body,
              l.before_secret, l.before_changed_at, l.before_withdrawn, null, null
            from r join change_log l on l.record_id = r.record_id and l.before_version is not null and l.before_version < $3
            order by l.before_version desc limit $4)
           order by 4 desc limit $4
         )
         select v.record_id, v.school_code, v.record_key, v.version, v.digest, v.body, v.secret, v.changed_at, v.withdrawn,
           coalesce(own.grant_id, next.grant_id), coalesce(own.actor, next.actor), coalesce(own.session_id, next.session_id)
         from v
         left join change_log own on own.xid = v.xid and own.seq = v.seq
         left join change_log next on next.record_id = v.record_id and next.before_version = v.version - 1
           and next.before_version is not null
         order by v.version desc",
        table.name
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(school_code)
        .bind(record_key)
        .bind(below)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    let version = |row: &sqlx::postgres::PgRow| {
        Ok(Version {
            image: StoredImage::from_row(row)?,
            grant_id: row.try_get(9)?,
            actor: row.try_get(10)?,
            session_id: row.try_get(11)?,
        })
    };
    Ok(rows.iter().map(version).collect::<Result<_, sqlx::Error>>()?)
}
