//! Prepared databases, copied instead of made anew: migrations and seeds run once for each test program, whatever the number
//! of its tests and of the processes that run them.
use crate::database::{Database, run, server_url};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::{Duration, UNIX_EPOCH},
};

/// SQLSTATE: the template is not there (yet).
const ABSENT: &str = "3D000";
/// SQLSTATE: somebody (autovacuum) is looking into the template.
const IN_USE: &str = "55006";

/// Name of a template. Migrations and seeds are part of the test program, so one build of it is one state of them.
struct Name {
    /// What all builds of the program call it.
    stem: String,
    /// This build.
    digest: u64,
}

impl Name {
    fn of(what: &str) -> Self {
        let program = std::env::current_exe().expect("this program's file");
        let file = program.metadata().expect("this program's file");
        let built = file.modified().expect("a file system with times").duration_since(UNIX_EPOCH).unwrap();
        Self {
            stem: format!("template_{what}_{:08x}", digest(&program) & 0xffff_ffff),
            digest: digest((file.len(), built)),
        }
    }

    fn full(&self) -> String {
        format!("{}_{:016x}", self.stem, self.digest)
    }
}

/// The same in every process of one build.
fn digest(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

impl Database {
    /// Makes one that holds what `prepare` writes into an empty one. What it writes must not tell two databases apart (an
    /// identity drawn by a migration does): all databases of one test program with the same `what` are copies of one.
    ///
    /// # Panics
    /// Without a test server, and when `prepare` does.
    pub async fn prepared<T>(what: &str, prepare: impl AsyncFnOnce(&Self) -> T) -> Self {
        let template = Name::of(what);
        let mut admin = PgConnection::connect(&server_url()).await.expect("test server");
        if let Some(copy) = Self::copy(&mut admin, what, &template).await {
            return copy;
        }
        // One process prepares, the others wait and find it done. Ending the connection lets go.
        lock(&mut admin, &template.full()).await;
        if let Some(copy) = Self::copy(&mut admin, what, &template).await {
            return copy;
        }
        drop_older(&mut admin, &template).await;
        let made = Self::create(what).await;
        prepare(&made).await;
        keep(&mut admin, &made, &template.full()).await;
        Self::copy(&mut admin, what, &template).await.expect("the template that was just made")
    }

    /// A copy of the template, if that is there.
    async fn copy(admin: &mut PgConnection, what: &str, template: &Name) -> Option<Self> {
        let name = Self::new_name(what);
        let sql = format!("create database {name} template {}", template.full());
        loop {
            let outcome = sqlx::raw_sql(AssertSqlSafe(sql.as_str())).execute(&mut *admin).await;
            let Err(error) = outcome else { return Some(Self::called(name)) };
            match error.as_database_error().and_then(|e| e.code()).as_deref() {
                Some(ABSENT) => return None,
                Some(IN_USE) => tokio::time::sleep(Duration::from_millis(50)).await,
                _ => panic!("superuser on the test server: {error}"),
            }
        }
    }
}

async fn lock(admin: &mut PgConnection, name: &str) {
    let lock = sqlx::query("select pg_advisory_lock(hashtextextended($1, 0))").bind(name);
    lock.execute(admin).await.expect("test server");
}

/// Templates of earlier builds. One of them may be just being copied: it goes next time.
async fn drop_older(admin: &mut PgConnection, template: &Name) {
    let older = sqlx::query_scalar("select datname::text from pg_database where starts_with(datname, $1)");
    let older: Vec<String> = older.bind(&template.stem).fetch_all(&mut *admin).await.expect("test server");
    for name in older {
        let sql = format!("drop database if exists {name}");
        let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *admin).await;
    }
}

/// Makes a template of a database: nobody can connect to it any more. Its name is the last that it gets, so that one which
/// has the name is complete.
async fn keep(admin: &mut PgConnection, made: &Database, name: &str) {
    let connections =
        sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1");
    run(admin, format!("alter database {} allow_connections false", made.name())).await;
    connections.bind(made.name()).execute(&mut *admin).await.expect("test server");
    run(admin, format!("alter database {} rename to {name}", made.name())).await;
}
