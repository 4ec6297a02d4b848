//! Pages of the log for the feed.
use crate::{position::Position, table::Table};
use eduhub_pg::DbError;
use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// One entry of the log.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it stands.
    pub position: Position,
    /// School.
    pub school_code: String,
    /// Number of the kind.
    pub kind: i32,
    /// Record.
    pub record_id: Uuid,
    /// Full key.
    pub record_key: String,
    /// True for a withdrawal.
    pub withdrawn: bool,
    /// Version after it.
    pub version: i64,
    /// Digest after it.
    pub digest: Vec<u8>,
    /// When.
    pub changed_at: OffsetDateTime,
}

/// Entries after a position, in order, below the oldest running transaction. The bound is taken in the same statement:
/// an entry at or above it could still be overtaken by a transaction with a lower id that commits later.
pub async fn page(conn: &mut PgConnection, after: Position, limit: i64) -> Result<Vec<Entry>, DbError> {
    page_until(conn, after, Position::END, limit).await
}

/// As [`page`], up to and with a position.
pub async fn page_until(
    conn: &mut PgConnection,
    after: Position,
    until: Position,
    limit: i64,
) -> Result<Vec<Entry>, DbError> {
    let rows = sqlx::query(
        "select xid, seq, school_code, kind, record_id, record_key, op, version, digest, changed_at
         from change_log
         where (xid, seq) > ($1, $2) and (xid, seq) <= ($3, $4)
           and xid < pg_snapshot_xmin(pg_current_snapshot())::text::int8
         order by xid, seq limit $5",
    )
    .bind(after.xid)
    .bind(after.seq)
    .bind(until.xid)
    .bind(until.seq)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(entry).collect()
}

/// What came to the log: entries after a position up to and with another that may be read in order, but for transactions that the
/// caller has already; then whole transactions above them that are committed. In order, at most so many.
pub async fn news(
    conn: &mut PgConnection,
    (after, until): (Position, Position),
    but: &[i64],
    committed: &[i64],
    limit: i64,
) -> Result<Vec<Entry>, DbError> {
    let rows = sqlx::query(
        "select xid, seq, school_code, kind, record_id, record_key, op, version, digest, changed_at from change_log
         where (xid, seq) > ($1, $2) and (xid, seq) <= ($3, $4) and xid <> all($5)
         union all
         select l.* from unnest($6::int8[]) as c(xid) cross join lateral (
           select xid, seq, school_code, kind, record_id, record_key, op, version, digest, changed_at from change_log l
           where l.xid = c.xid order by l.seq limit $7) l
         order by xid, seq limit $7",
    )
    .bind(after.xid)
    .bind(after.seq)
    .bind(until.xid)
    .bind(until.seq)
    .bind(but)
    .bind(committed)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(entry).collect()
}

fn entry(r: &PgRow) -> Result<Entry, DbError> {
    Ok(Entry {
        position: Position { xid: r.try_get(0)?, seq: r.try_get(1)? },
        school_code: r.try_get(2)?,
        kind: i32::from(r.try_get::<i16, _>(3)?),
        record_id: r.try_get(4)?,
        record_key: r.try_get(5)?,
        withdrawn: r.try_get::<i16, _>(6)? == 2,
        version: r.try_get(7)?,
        digest: r.try_get(8)?,
        changed_at: r.try_get(9)?,
    })
}

/// Image and sealed secret of a version.
pub type ImageParts = (Vec<u8>, Option<Vec<u8>>);

/// Images of these versions of one kind: from the row where it still has the version, else from the log entry that
/// superseded it. Two queries whatever the number.
pub async fn images(
    conn: &mut PgConnection,
    table: &Table,
    versions: &[(Uuid, i64)],
) -> Result<HashMap<(Uuid, i64), ImageParts>, DbError> {
    let mut out = HashMap::with_capacity(versions.len());
    let current = format!(
        "select r.record_id, r.version, r.body, r.secret from unnest($1::uuid[], $2::int8[]) as w(record_id, version)
         join {} r on r.record_id = w.record_id and r.version = w.version",
        table.name
    );
    fetch(conn, current, versions, &mut out).await?;
    let missing: Vec<(Uuid, i64)> = versions.iter().filter(|v| !out.contains_key(*v)).copied().collect();
    if !missing.is_empty() {
        let superseded = "select l.record_id, l.before_version, l.before_body, l.before_secret
             from unnest($1::uuid[], $2::int8[]) as w(record_id, version)
             join change_log l on l.record_id = w.record_id and l.before_version = w.version"
            .to_owned();
        fetch(conn, superseded, &missing, &mut out).await?;
    }
    Ok(out)
}

async fn fetch(
    conn: &mut PgConnection,
    sql: String,
    versions: &[(Uuid, i64)],
    out: &mut HashMap<(Uuid, i64), ImageParts>,
) -> Result<(), DbError> {
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(versions.iter().map(|v| v.0).collect::<Vec<_>>())
        .bind(versions.iter().map(|v| v.1).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    for r in rows {
        out.insert((r.try_get(0)?, r.try_get(1)?), (r.try_get(2)?, r.try_get(3)?));
    }
    Ok(())
}
