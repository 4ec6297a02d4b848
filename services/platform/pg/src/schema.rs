use std::collections::HashMap;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, PgPool, Row};
use tokio::time::Instant;

use crate::DbError;
use crate::compatibility;
use crate::connect::is_plain_name;

/// How long a migration waits for other migrators and for running transactions, all tries together: a rollout
/// starts several replicas at once.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(500);
/// One try: a DDL statement that waits for a lock makes everybody else wait behind it, so it gives up early.
const LOCK_TIMEOUT: &str = "set lock_timeout = '800ms'; set statement_timeout = 0";

/// Why a service can't start on its database.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// A setting is not usable; its value is not quoted.
    #[error("{0}")]
    Settings(&'static str),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The database has migrations of a newer release, and one of them does not let this binary run on.
    #[error(
        "the database is at migration {database} and is for binaries that know migration {needs}; this one knows up to \
         {binary}: use the newer release"
    )]
    Newer {
        /// The newest applied migration.
        database: i64,
        /// The newest that the binary knows.
        binary: i64,
        /// The newest that a binary must know to run on the database.
        needs: i64,
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

/// How a database stands to the binary that looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has exactly the migrations that the binary knows.
    Current,
    /// It has later ones too, and all of them let this binary run on (decision 0018).
    Ahead,
}

/// Applies what is missing, one migration at a time, on a connection of its own.
///
/// Several may run at once: one migrates, the others wait and find nothing to do. A lock that is not had within 0.8 s
/// is let go and tried again, for up to two minutes, so that a migration never stops the service behind it. On a schema of a
/// newer release that this binary runs on there is nothing to do: that is how a rollback finds it.
///
/// # Errors
/// [`SchemaError`].
pub async fn migrate(pool: &PgPool, migrator: &Migrator) -> Result<Standing, SchemaError> {
    let until = Instant::now() + PATIENCE;
    loop {
        // The migrator's session lock stays on a connection whose migration failed: closing it lets go.
        let mut conn = PgConnection::connect_with(&pool.connect_options()).await.map_err(DbError::from)?;
        let outcome = attempt(&mut conn, migrator).await;
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

async fn attempt(conn: &mut PgConnection, migrator: &Migrator) -> Result<Standing, SchemaError> {
    conn.execute(LOCK_TIMEOUT).await.map_err(DbError::from)?;
    create_schema(conn).await?;
    match standing(conn, migrator).await {
        Ok(standing) => return Ok(standing),
        Err(error @ SchemaError::Newer { .. }) => return Err(error),
        // The migrator says what else is wrong, or mends it.
        Err(_) => {}
    }
    compatibility::publish(conn, migrator).await?;
    compatibility::drop_unfinished_indexes(conn).await?;
    migrator.run_direct(None, conn, false).await.map_err(|e| SchemaError::of(e, migrator))?;
    Ok(Standing::Current)
}

/// Checks that this binary runs on the database: it has all migrations that the binary knows, unchanged, and of later ones
/// only such as say that they let a binary of this age run on. Writes nothing.
///
/// # Errors
/// [`SchemaError::Newer`], [`SchemaError::Older`], [`SchemaError::Changed`], [`SchemaError::Dirty`].
pub async fn check_schema(pool: &PgPool, migrator: &Migrator) -> Result<Standing, SchemaError> {
    let mut conn = pool.acquire().await.map_err(DbError::from)?;
    let standing = standing(&mut conn, migrator).await?;
    if standing == Standing::Ahead {
        tracing::warn!("the database is of a newer release, which this one runs on");
    }
    Ok(standing)
}

async fn standing(conn: &mut PgConnection, migrator: &Migrator) -> Result<Standing, SchemaError> {
    let applied = applied(conn).await?;
    let mut known: Vec<(i64, &[u8])> = migrator
        .iter()
        .filter(|migration| !migration.migration_type.is_down_migration())
        .map(|migration| (migration.version, &*migration.checksum))
        .collect();
    known.sort_unstable();
    let binary = known.last().map_or(0, |(version, _)| *version);
    let later: Vec<i64> =
        applied.keys().filter(|version| !known.iter().any(|(k, _)| k == *version)).copied().collect();
    if let Some(&database) = later.iter().max() {
        let published = compatibility::published(conn).await?;
        let needs = |version: &i64| published.get(version).copied();
        // One that says nothing is for binaries that know it.
        if later.iter().any(|version| needs(version).is_none_or(|oldest| oldest > binary)) {
            let needs = later.iter().map(|version| needs(version).unwrap_or(*version)).max();
            return Err(SchemaError::Newer { database, binary, needs: needs.unwrap_or(database) });
        }
    }
    for (version, expected) in known {
        match applied.get(&version) {
            None => return Err(SchemaError::Older { missing: version }),
            Some((_, false)) => return Err(SchemaError::Dirty(version)),
            Some((checksum, true)) if checksum != expected => return Err(SchemaError::Changed(version)),
            Some(_) => {}
        }
    }
    Ok(if later.is_empty() { Standing::Current } else { Standing::Ahead })
}

async fn applied(conn: &mut PgConnection) -> Result<HashMap<i64, (Vec<u8>, bool)>, DbError> {
    if !compatibility::is_there(conn, "_sqlx_migrations").await? {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query("select version, checksum, success from _sqlx_migrations").fetch_all(conn).await?;
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
                Self::Newer { database, binary, needs: database }
            }
            MigrateError::Dirty(version) => Self::Dirty(version),
            other => Self::Migration(other.to_string()),
        }
    }
}
