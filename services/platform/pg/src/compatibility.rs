//! Which binaries run on which migration: said in the migration's own text, and kept in the database for the binaries that
//! do not have it (decision 0018).
use std::collections::HashMap;

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use crate::DbError;

/// In a migration: the binaries that know this migration, and all later ones, run on the schema as this one leaves it.
const MARK: &str = "-- oldest-binary:";

/// The oldest binary that runs on the schema which this migration leaves behind, named by the newest migration that it
/// knows. `None`: the migration does not say, so only binaries that have it.
pub fn oldest_binary(sql: &str) -> Option<i64> {
    sql.lines().find_map(|line| line.trim().strip_prefix(MARK)?.trim().parse().ok())
}

/// Tells older binaries of all migrations that are to come, before the first of them is applied: whoever starts meanwhile
/// finds the answer there.
pub(crate) async fn publish(conn: &mut PgConnection, migrator: &Migrator) -> Result<(), DbError> {
    let said = migrator.iter().filter_map(|m| Some((m.version, oldest_binary(m.sql.as_str())?)));
    let (versions, oldest): (Vec<i64>, Vec<i64>) = said.unzip();
    if versions.is_empty() {
        return Ok(());
    }
    // Asked first, so that replicas that start together do not all create.
    if !is_there(conn, "schema_compatibility").await? {
        let table = "create table if not exists schema_compatibility (version bigint primary key, oldest_binary bigint not null)";
        match conn.execute(table).await.map_err(DbError::from) {
            // `if not exists` does not see one that another replica is creating at this moment.
            Err(error) if !error.is_unique("pg_type_typname_nsp_index") => return Err(error),
            _ => {}
        }
    }
    let insert = "insert into schema_compatibility select * from unnest($1::bigint[], $2::bigint[])
         on conflict (version) do update set oldest_binary = excluded.oldest_binary";
    sqlx::query(insert).bind(versions).bind(oldest).execute(conn).await?;
    Ok(())
}

/// What was published, by migration.
pub(crate) async fn published(conn: &mut PgConnection) -> Result<HashMap<i64, i64>, DbError> {
    if !is_there(conn, "schema_compatibility").await? {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query("select version, oldest_binary from schema_compatibility").fetch_all(conn).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// An index that was being built without a lock when its migration gave up is left behind invalid, and `if not exists` would
/// take it for done. One that somebody is building at this moment is left alone.
pub(crate) async fn drop_unfinished_indexes(conn: &mut PgConnection) -> Result<(), DbError> {
    let left = "select c.oid::regclass::text from pg_index i join pg_class c on c.oid = i.indexrelid
         where c.relnamespace = current_schema()::regnamespace and c.relkind = 'i' and not i.indisvalid
           and not exists (select from pg_stat_progress_create_index p where p.index_relid = c.oid)";
    let names: Vec<String> = sqlx::query_scalar(left).fetch_all(&mut *conn).await?;
    for name in names {
        tracing::info!(index = name, "an index was left unfinished");
        // The name comes quoted from Postgres.
        conn.execute(AssertSqlSafe(format!("drop index concurrently if exists {name}"))).await?;
    }
    Ok(())
}

/// Whether a table is on the search path.
pub(crate) async fn is_there(conn: &mut PgConnection, table: &str) -> Result<bool, DbError> {
    Ok(sqlx::query_scalar("select to_regclass($1) is not null").bind(table).fetch_one(conn).await?)
}

#[cfg(test)]
mod tests {
    use super::oldest_binary;

    #[test]
    fn the_mark_is_read_from_the_text() {
        assert_eq!(oldest_binary("-- Why.\n-- oldest-binary: 10\nalter table x add y int;"), Some(10));
        assert_eq!(oldest_binary("-- no-transaction\n  -- oldest-binary:7"), Some(7));
        for silent in ["create table x ()", "-- oldest-binary: soon", "select '-- oldest-binary'"] {
            assert_eq!(oldest_binary(silent), None, "{silent}");
        }
    }
}
