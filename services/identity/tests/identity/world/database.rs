use eduhub_identity::schema::MIGRATOR;
use eduhub_pg::{DbSettings, PgPool};

/// A database of one test, dropped with this value.
pub struct Database {
    pub pool: PgPool,
    inner: eduhub_testkit::Database,
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
        let inner = eduhub_testkit::Database::create("identity").await;
        let mut settings = DbSettings::for_url(inner.url().to_owned(), "identity-test");
        settings.schema = Some("identity".to_owned());
        settings.max_connections = 8;
        let pool = eduhub_pg::connect(&settings).await.unwrap();
        Self { pool, inner }
    }

    /// The URL of a role that owns the service's schema and may nothing else, as a deployment gives it.
    pub async fn service_url(&self) -> String {
        self.inner.role_url("identity").await
    }
}
