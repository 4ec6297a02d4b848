//! `eduhub admin restored`.
use crate::output;
use anyhow::{Context, bail, ensure};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

/// Options of `eduhub admin restored`. Run it once on a database that was restored from a backup, before the services start on
/// it. It raises the epoch of every feed there: cursors from before the restore are then refused, and consumers take a new
/// snapshot, instead of going on from positions that mean something else by now.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The restored database, as its owner or a superuser (postgres://...).
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: SecretString,
    /// Although services are connected to it already.
    #[arg(long)]
    while_serving: bool,
}

impl Args {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut conn = PgConnection::connect(self.database_url.expose_secret())
            .await
            // The driver's error may quote the address, and that a password.
            .map_err(|_| anyhow::anyhow!("the database does not answer at the given address"))?;
        let recovering: bool = sqlx::query_scalar("select pg_is_in_recovery()").fetch_one(&mut conn).await?;
        ensure!(!recovering, "the database is still in recovery: promote it first (select pg_promote())");
        if !self.while_serving {
            nobody_serves(&mut conn).await?;
        }
        let mut tx = conn.begin().await?;
        let schemas = feeds(&mut tx).await?;
        ensure!(!schemas.is_empty(), "no feed in this database: is it EduHub's?");
        for schema in schemas {
            let (before, after) = raise(&mut tx, &schema).await.with_context(|| schema.clone())?;
            output::line(format!("{schema}: epoch {before} -> {after}"));
        }
        tx.commit().await?;
        output::note(
            "consumers with older cursors take a new snapshot; now start the services, all of them anew",
        );
        Ok(())
    }
}

async fn nobody_serves(conn: &mut PgConnection) -> anyhow::Result<()> {
    let names: Vec<String> = sqlx::query_scalar(
        "select distinct application_name from pg_stat_activity
         where datname = current_database() and application_name like 'eduhub-%' order by 1",
    )
    .fetch_all(conn)
    .await?;
    if !names.is_empty() {
        bail!("still connected: {}; end them first, or say --while-serving", names.join(", "));
    }
    Ok(())
}

/// Schemas that have a feed.
async fn feeds(conn: &mut PgConnection) -> anyhow::Result<Vec<String>> {
    let schemas =
        "select quote_ident(n.nspname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relname = 'feed_state' and c.relkind = 'r' order by 1";
    Ok(sqlx::query_scalar(schemas).fetch_all(conn).await?)
}

async fn raise(conn: &mut PgConnection, schema: &str) -> anyhow::Result<(i32, i32)> {
    // The names come quoted from Postgres.
    let newest = AssertSqlSafe(format!("select coalesce(max(xid), 0) from {schema}.change_log"));
    let newest: i64 = sqlx::query_scalar(newest).fetch_one(&mut *conn).await?;
    let now: i64 =
        sqlx::query_scalar("select pg_current_xact_id()::text::bigint").fetch_one(&mut *conn).await?;
    ensure!(
        newest < now,
        "the log was written up to transaction {newest}, this server is at {now}: it was filled from a dump (pg_dump). Entries \
         above the server's own would stay invisible; restore a base backup with its WAL instead"
    );
    let raise = AssertSqlSafe(format!("update {schema}.feed_state set epoch = epoch + 1 returning epoch"));
    let after: i32 = sqlx::query(raise).fetch_one(conn).await?.try_get(0)?;
    Ok((after - 1, after))
}
