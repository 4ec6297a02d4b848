//! A database for one test.
use eduhub_pg::{DbSettings, PgPool};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use std::{str::FromStr, time::Duration};

/// A database of its own on the server that `EDUHUB_TEST_DATABASE_URL` names; dropped, with its connections, at the end.
#[derive(Debug)]
pub struct Database {
    name: String,
    url: String,
}

/// URL of the test server; its user is a superuser.
///
/// # Panics
/// When `EDUHUB_TEST_DATABASE_URL` is not set.
pub(crate) fn server_url() -> String {
    std::env::var("EDUHUB_TEST_DATABASE_URL").expect(
        "EDUHUB_TEST_DATABASE_URL must name a Postgres server and a superuser for tests, such as \
         postgres://postgres@127.0.0.1:5433/postgres (scripts/test sets it)",
    )
}

impl Database {
    /// Makes an empty one; `what` becomes part of its name, so that one sees in `pg_stat_activity` whose it is.
    ///
    /// # Panics
    /// Without a test server.
    pub async fn create(what: &str) -> Self {
        let name = Self::new_name(what);
        at(&server_url(), format!("create database {name}")).await;
        Self::called(name)
    }

    pub(crate) fn new_name(what: &str) -> String {
        format!("t_{what}_{}", uuid::Uuid::now_v7().simple())
    }

    /// The one of this name, which is there.
    pub(crate) fn called(name: String) -> Self {
        let server = server_url();
        let base = server.rsplit_once('/').map_or(server.as_str(), |(base, _)| base);
        let url = format!("{base}/{name}");
        Self { name, url }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its URL, with the superuser's password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// URL of a role that owns this schema and may nothing else, as a deployment gives it to a service. The role goes with
    /// the database.
    ///
    /// # Panics
    /// When the database does not answer, or the role is there already.
    pub async fn role_url(&self, schema: &str) -> String {
        let (name, role) = (&self.name, role_of(&self.name));
        at(&self.url, format!("create role {role} login password 'x'")).await;
        let rights =
            format!("revoke all on database {name} from public; grant connect on database {name} to {role}");
        at(&self.url, rights).await;
        at(&self.url, format!("create schema {schema} authorization {role}")).await;
        at(&self.url, format!("alter role {role} in database {name} set search_path = {schema}")).await;
        let server = PgConnectOptions::from_str(&self.url).expect("URL of the test server");
        server.username(&role).password("x").to_url_lossy().to_string()
    }

    /// A pool with the settings that services run with.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn pool(&self) -> PgPool {
        eduhub_pg::connect(&DbSettings::for_url(self.url.clone(), "eduhub-test"))
            .await
            .expect("test database")
    }
}

async fn at(server: &str, sql: String) {
    let mut admin = PgConnection::connect(server).await.expect("test server");
    run(&mut admin, sql).await;
}

pub(crate) async fn run(admin: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(admin).await.expect("superuser on the test server");
}

fn role_of(database: &str) -> String {
    format!("{database}_role")
}

/// How long the test waits for the end of its database; it goes on in the background after that.
const PATIENCE: Duration = Duration::from_millis(500);

impl Drop for Database {
    fn drop(&mut self) {
        let sql = [
            format!("drop database if exists {} with (force)", self.name),
            format!("drop role if exists {}", role_of(&self.name)),
        ];
        let (done, dropped) = std::sync::mpsc::channel();
        // Not on the test's runtime: it ends with the test. And not waited for without end: this thread drives that runtime, so
        // a connection that it is just making stands still in its handshake, and the server waits for that one before it
        // drops anything.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            for sql in sql {
                runtime.block_on(at(&server_url(), sql));
            }
            let _ = done.send(());
        });
        let _ = dropped.recv_timeout(PATIENCE);
    }
}
