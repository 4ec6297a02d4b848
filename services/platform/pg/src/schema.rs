use std::collections::HashMap;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, PgPool, Row};
use tokio::time::Instant;

use crate::DbError;
use crate::connect::is_plain_name;

/// How long a migration waits for other migrators and for running transactions, all tries together: a rollout
/// starts several replicas at once.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(500);
/// One try: a DDL statement that waits for a lock makes everybody else wait behind it, so it gives up early.
const LOCK_TIMEOUT: &str = "set lock_timeout = '2s'; set statement_timeout = 0";

/// Why a service can't start on its database.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// A setting is not usable; its value is not quoted.
    #[error("{0}")]
    Settings(&'static str),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The database has migrations that this binary does not know: it is from a newer release.
    #[error(
        "the database is at migration {database}, this binary knows up to {binary}: use the newer release"
    )]
    Newer {
        /// The newest applied migration.
        database: i64,
        /// The newest that the binary knows.
        binary: i64,
    },
    /// Migrations are missing: run `migrate` first.
    #[error("migration {missing} has not been applied: run the migrate command first")]
    Older {
        /// The first one that is missing.
        missing: i64,
    },
    /// A migration was changed after it was applied.
    #[error("migration {0} differs from the one that was applied")]
    Changed(i64),
    /// A migration failed half-way outside of a transaction; a person has to look.
    #[error("migration {0} was left half applied")]
    Dirty(i64),
    /// A migration does not run.
    #[error("a migration failed: {0}")]
    Migration(String),
}

/// Applies what is missing, one migration at a time, on a connection of its own.
///
/// Several may run at once: one migrates, the others wait and find nothing to do. A lock that is not had within 2 s
/// is let go and tried again, for up to two minutes, so that a migration never stops the service behind it.
///
/// # Errors
/// [`SchemaError`].
pub async fn migrate(pool: &PgPool, migrator: &Migrator) -> Result<(), SchemaError> {
    let until = Instant::now() + PATIENCE;
    loop {
        // The migrator's session lock stays on a connection whose migration failed: closing it lets go.
        let mut conn = PgConnection::connect_with(&pool.connect_options()).await.map_err(DbError::from)?;
        conn.execute(LOCK_TIMEOUT).await.map_err(DbError::from)?;
        create_schema(&mut conn).await?;
        let outcome =
            migrator.run_direct(None, &mut conn, false).await.map_err(|e| SchemaError::of(e, migrator));
        let _ = conn.close().await;
        match outcome {
            Err(SchemaError::Db(error)) if error.is_retryable() && Instant::now() < until => {
                tracing::info!(%error, "migration waits");
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

/// Checks that the database has exactly the migrations that this binary knows. Writes nothing.
///
/// # Errors
/// [`SchemaError::Newer`], [`SchemaError::Older`], [`SchemaError::Changed`], [`SchemaError::Dirty`].
pub async fn check_schema(pool: &PgPool, migrator: &Migrator) -> Result<(), SchemaError> {
    let applied = applied(pool).await?;
    let known: HashMap<i64, &[u8]> = migrator
        .iter()
        .filter(|migration| !migration.migration_type.is_down_migration())
        .map(|migration| (migration.version, &*migration.checksum))
        .collect();
    let binary = known.keys().max().copied().unwrap_or(0);
    let mut unknown: Vec<i64> =
        applied.keys().filter(|version| !known.contains_key(version)).copied().collect();
    unknown.sort_unstable();
    if let Some(&database) = unknown.last() {
        return Err(SchemaError::Newer { database, binary });
    }
    let mut versions: Vec<i64> = known.keys().copied().collect();
    versions.sort_unstable();
    for version in versions {
        match applied.get(&version) {
            None => return Err(SchemaError::Older { missing: version }),
            Some((_, false)) => return Err(SchemaError::Dirty(version)),
            Some((checksum, true)) if checksum != known[&version] => {
                return Err(SchemaError::Changed(version));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

async fn applied(pool: &PgPool) -> Result<HashMap<i64, (Vec<u8>, bool)>, DbError> {
    let there: bool =
        sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null").fetch_one(pool).await?;
    if !there {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query("select version, checksum, success from _sqlx_migrations").fetch_all(pool).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?)))).collect()
}

/// The service's own schema, when the connection names one that is not there yet.
async fn create_schema(conn: &mut PgConnection) -> Result<(), DbError> {
    let path: String =
        sqlx::query_scalar("select current_setting('search_path')").fetch_one(&mut *conn).await?;
    let first = path.split(',').next().unwrap_or_default().trim();
    if first == "public" || !is_plain_name(first) {
        return Ok(());
    }
    // Asked first: `if not exists` wants the right to create even where the schema is there, and a service's role that
    // was given its schema has no such right.
    let is_there = sqlx::query_scalar("select to_regnamespace($1) is not null").bind(first);
    if !is_there.fetch_one(&mut *conn).await? {
        // The name passed is_plain_name, so it needs no quoting.
        let create = AssertSqlSafe(format!("create schema if not exists {first}"));
        match conn.execute(create).await.map_err(DbError::from) {
            // `if not exists` does not see one that another replica is creating at this moment.
            Err(error) if !error.is_unique("pg_namespace_nspname_index") => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

impl SchemaError {
    fn of(error: MigrateError, migrator: &Migrator) -> Self {
        match error {
            MigrateError::Execute(error) => Self::Db(error.into()),
            MigrateError::ExecuteMigration(error, version) => match DbError::from(error) {
                error if error.is_retryable() || error.is_unavailable() => Self::Db(error),
                error => Self::Migration(format!("{version}: {error}")),
            },
            MigrateError::VersionMismatch(version) => Self::Changed(version),
            MigrateError::VersionMissing(database) => {
                let binary = migrator.iter().map(|migration| migration.version).max().unwrap_or(0);
                Self::Newer { database, binary }
            }
            MigrateError::Dirty(version) => Self::Dirty(version),
            other => Self::Migration(other.to_string()),
        }
    }
}
