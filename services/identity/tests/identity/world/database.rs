use eduhub_identity::schema::MIGRATOR;
use eduhub_pg::{DbSettings, PgPool};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use std::str::FromStr;

/// A database of one test, dropped with this value.
pub struct Database {
    pub pool: PgPool,
    name: String,
    server: PgConnectOptions,
}

impl Database {
    /// An empty database, migrated.
    pub async fn create() -> Self {
        let database = Self::empty().await;
        eduhub_pg::migrate(&database.pool, &MIGRATOR).await.unwrap();
        eduhub_pg::check_schema(&database.pool, &MIGRATOR).await.unwrap();
        database
    }

    /// A database without any table.
    pub async fn empty() -> Self {
        let url = std::env::var("EDUHUB_TEST_DATABASE_URL")
            .expect("EDUHUB_TEST_DATABASE_URL must name a superuser's database; scripts/test sets it");
        let server = PgConnectOptions::from_str(&url).unwrap().disable_statement_logging();
        let name = format!("identity_{}", uuid::Uuid::now_v7().simple());
        run(&server, format!("create database {name}")).await;
        let url = server.clone().database(&name).to_url_lossy().to_string();
        let mut settings = DbSettings::for_url(url, "identity-test");
        settings.schema = Some("identity".to_owned());
        settings.max_connections = 8;
        let pool = eduhub_pg::connect(&settings).await.unwrap();
        Self { pool, name, server }
    }

    /// The URL of a role that owns the service's schema and may nothing else, as a deployment gives it.
    pub async fn service_url(&self) -> String {
        let (name, role, inside) = (&self.name, self.role(), self.server.clone().database(&self.name));
        run(&inside, format!("create role {role} login password 'x'")).await;
        run(
            &inside,
            format!("revoke all on database {name} from public; grant connect on database {name} to {role}"),
        )
        .await;
        run(&inside, format!("create schema identity authorization {role}")).await;
        run(&inside, format!("alter role {role} in database {name} set search_path = identity")).await;
        inside.username(&role).password("x").to_url_lossy().to_string()
    }

    fn role(&self) -> String {
        format!("{}_role", self.name)
    }
}

async fn run(server: &PgConnectOptions, statement: String) {
    let mut conn: PgConnection = server.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

impl Drop for Database {
    /// On a thread of its own, since this one belongs to the test's runtime.
    fn drop(&mut self) {
        let (server, name, role) = (self.server.clone(), self.name.clone(), self.role());
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run(&server, format!("drop database {name} with (force)")));
            runtime.block_on(run(&server, format!("drop role if exists {role}")));
        };
        let _ = std::thread::spawn(work).join();
    }
}
