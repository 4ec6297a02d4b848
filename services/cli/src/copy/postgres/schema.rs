//! The copy's tables, and how older ones become the present ones.
use crate::copy::CopyError;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// Steps from nothing to the present tables; the number of a step is its place, from 1.
const STEPS: [&str; 1] = [include_str!("tables.sql")];

/// Whether a text can be a schema's name without quoting.
pub(super) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && name.len() <= 63
}

/// Brings the schema's tables to the present version, each step in a transaction. Copies of two services may begin at once.
pub(super) async fn upgrade(conn: &mut PgConnection, schema: &str) -> Result<(), CopyError> {
    let mut tx = conn.begin().await?;
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('eduhub copy schema', 0))")
        .execute(&mut *tx)
        .await?;
    let begin = format!(
        "create schema if not exists {schema}; set local search_path = {schema};
         create table if not exists version (version integer not null)"
    );
    tx.execute(sqlx::raw_sql(AssertSqlSafe(begin))).await?;
    let at: Option<i32> = sqlx::query_scalar("select max(version) from version").fetch_one(&mut *tx).await?;
    let at = at.unwrap_or(0);
    let steps = usize::try_from(at).ok().and_then(|n| STEPS.get(n..)).ok_or(CopyError::NewerTables(at))?;
    for (version, step) in (at + 1..).zip(steps) {
        tx.execute(sqlx::raw_sql(*step)).await?;
        sqlx::query("insert into version values ($1)").bind(version).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
}
