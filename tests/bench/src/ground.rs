//! What every figure stands on: identity and registry as real processes, the vendors, a connection to look from outside.
use crate::cast::Desk;
use crate::cpu::Watched;
use crate::plan::Plan;
use anyhow::{Context, Result};
use eduhub_cli::generate::{Province, School};
use eduhub_cli::server::Server;
use eduhub_stack::{Program, Stack, StackConfig};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The autumn of the generated school year.
const TODAY: &str = "2026-11-02";

/// The running services.
pub struct Ground {
    /// Processes.
    pub stack: Stack,
    /// Sign-in.
    pub desk: Desk,
    /// Schools that are pushed for, each with its vendor.
    pub vendors: Vec<(School, Server)>,
    /// School year.
    pub school_year: i32,
    /// Whose CPU time is measured.
    pub watched: Watched,
    /// Superuser's connection, in registry's schema.
    pub outside: PgConnection,
}

impl Ground {
    /// Starts the services with vendors for the first `vendors` schools.
    ///
    /// # Errors
    /// When anything does not start.
    pub async fn start(
        plan: &Plan,
        province: &Province,
        vendors: usize,
        env: &[(&str, &str)],
    ) -> Result<Self> {
        std::fs::create_dir_all(&plan.dir)?;
        let mut config = StackConfig::new(plan.database_url.clone(), plan.dir.canonicalize()?);
        config.redis_url.clone_from(&plan.redis_url);
        config.programs = vec![Program::Identity, Program::Registry];
        config = config.with_env(Program::Registry, "EDUHUB_TODAY", TODAY);
        for (name, value) in env {
            config = config.with_env(Program::Registry, *name, *value);
        }
        let stack = Stack::start(config).await?;
        let desk = Desk::open(&stack, &province.schools).await?;
        let mut signed_in = Vec::new();
        for school in province.schools.iter().take(vendors) {
            signed_in.push((school.clone(), desk.vendor(school).await?));
        }
        let mut outside = PgConnection::connect(&stack.database().superuser_url()).await?;
        run(&mut outside, "set search_path = registry").await?;
        let backend: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut outside).await?;
        let service = stack.pid(Program::Registry).context("registry has ended")?;
        let watched = Watched::new(backend.unsigned_abs(), service)?;
        let school_year = province.school_year;
        Ok(Self { stack, desk, vendors: signed_in, school_year, watched, outside })
    }

    /// Empties what pushes have written, as before the first load.
    ///
    /// # Errors
    /// The database's.
    pub async fn empty(&mut self) -> Result<()> {
        let tables = "pupil_record, change_log, push_session, push_batch, push_seen, held_record, data_issue, verification";
        // The follower of verifications may hold one of them and want another.
        let truncate = format!("truncate {tables}");
        let mut tries = 5;
        while let Err(error) = run(&mut self.outside, &truncate).await {
            tries -= 1;
            anyhow::ensure!(tries > 0, error);
        }
        run(&mut self.outside, "checkpoint").await
    }

    /// Lets the server finish what earlier rounds left it to do.
    ///
    /// # Errors
    /// The database's.
    pub async fn settle(&mut self) -> Result<()> {
        run(&mut self.outside, "vacuum (analyze) pupil_record").await?;
        run(&mut self.outside, "vacuum (analyze) change_log").await?;
        run(&mut self.outside, "checkpoint").await
    }

    /// Rows of a table.
    ///
    /// # Errors
    /// The database's.
    pub async fn count(&mut self, table: &str) -> Result<i64> {
        let sql = format!("select count(*) from {table}");
        Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.outside).await?)
    }

    /// Ends the services and drops the database.
    ///
    /// # Errors
    /// When something does not end.
    pub async fn stop(self) -> Result<()> {
        drop(self.outside);
        let killed = self.stack.stop().await?;
        anyhow::ensure!(killed.is_empty(), "had to be killed: {killed:?}");
        Ok(())
    }
}

/// Runs one statement.
///
/// # Errors
/// The database's.
pub async fn run(connection: &mut PgConnection, statement: &str) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await
        .with_context(|| statement.to_owned())?;
    Ok(())
}
