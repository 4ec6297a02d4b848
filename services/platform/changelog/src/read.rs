//! Reads of current rows.
use crate::{image::COLUMNS, image::StoredImage, table::Table};
use eduhub_pg::DbError;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What is stored of a key, as far as a write needs to know.
#[derive(Debug, Clone)]
pub struct Existing {
    /// Id of the record.
    pub record_id: Uuid,
    /// Version.
    pub version: i64,
    /// Digest.
    pub digest: Vec<u8>,
    /// Taken away.
    pub withdrawn: bool,
    /// Blind index of its secret.
    pub blind_index: Option<Vec<u8>>,
}

/// Stored state of these keys of a school, in one query. In this shape each key is looked up in the index: with `any`, plans
/// made while the table was empty went through all records of the school for each batch.
pub async fn prefetch(
    conn: &mut PgConnection,
    table: &Table,
    school_code: &str,
    keys: &[&str],
) -> Result<HashMap<String, Existing>, DbError> {
    let blind = table.blind_index().map_or("null::bytea".to_owned(), |c| c.name.clone());
    let sql = format!(
        "select t.* from unnest($2::text[]) as k(key) cross join lateral (
           select record_key, record_id, version, digest, withdrawn, {blind} from {}
           where school_code = $1 and record_key = k.key offset 0) t",
        table.name
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(school_code).bind(keys).fetch_all(conn).await?;
    let mut out = HashMap::with_capacity(rows.len());
    for row in rows {
        let found = Existing {
            record_id: row.try_get(1)?,
            version: row.try_get(2)?,
            digest: row.try_get(3)?,
            withdrawn: row.try_get(4)?,
            blind_index: row.try_get(5)?,
        };
        out.insert(row.try_get(0)?, found);
    }
    Ok(out)
}

/// Which of these keys of a school exist and are not withdrawn.
pub async fn existing_keys(
    conn: &mut PgConnection,
    table: &Table,
    school_code: &str,
    keys: &[&str],
) -> Result<HashSet<String>, DbError> {
    let sql = format!(
        "select k.key from unnest($2::text[]) as k(key) where exists (
           select from {} where school_code = $1 and record_key = k.key and not withdrawn offset 0)",
        table.name
    );
    let rows = sqlx::query_scalar(AssertSqlSafe(sql)).bind(school_code).bind(keys).fetch_all(conn).await?;
    Ok(rows.into_iter().collect())
}

/// Current images of records of one kind, named by school and key, in any order; absent and withdrawn ones are missing. One
/// statement, whatever the number.
pub async fn get_many(
    conn: &mut PgConnection,
    table: &Table,
    names: &[(&str, &str)],
) -> Result<Vec<StoredImage>, DbError> {
    let sql = format!(
        "select r.* from unnest($1::text[], $2::text[]) as w(school, key) cross join lateral (
           select {COLUMNS} from {} where school_code = w.school and record_key = w.key and not withdrawn offset 0) r",
        table.name
    );
    let (schools, keys): (Vec<&str>, Vec<&str>) = names.iter().copied().unzip();
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(schools).bind(keys).fetch_all(conn).await?;
    Ok(rows.iter().map(StoredImage::from_row).collect::<Result<_, _>>()?)
}

/// Current images of a school after a key, in key order.
pub async fn list(
    conn: &mut PgConnection,
    table: &Table,
    school_code: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<StoredImage>, DbError> {
    let sql = format!(
        "select {COLUMNS} from {} where school_code = $1 and record_key > $2 and not withdrawn order by record_key limit $3",
        table.name
    );
    let rows =
        sqlx::query(AssertSqlSafe(sql)).bind(school_code).bind(after).bind(limit).fetch_all(conn).await?;
    Ok(rows.iter().map(StoredImage::from_row).collect::<Result<_, _>>()?)
}
