use eduhub_identity::schema::MIGRATOR;
use eduhub_pg::{DbSettings, PgPool};
use eduhub_testkit as testkit;

/// A database of one test, dropped with this value.
pub struct Database {
    pub pool: PgPool,
    inner: testkit::Database,
}

impl Database {
    /// A database with identity's tables, empty.
    pub async fn create() -> Self {
        let migrate = async |db: &testkit::Database| {
            let pool = connect(db).await;
            eduhub_pg::migrate(&pool, &MIGRATOR).await.unwrap();
            eduhub_pg::check_schema(&pool, &MIGRATOR).await.unwrap();
        };
        Self::over(testkit::Database::prepared("identity", migrate).await).await
    }

    /// A database without any table.
    pub async fn empty() -> Self {
        Self::over(testkit::Database::create("identity").await).await
    }

    async fn over(inner: testkit::Database) -> Self {
        Self { pool: connect(&inner).await, inner }
    }

    /// The URL of a role that owns the service's schema and may nothing else, as a deployment gives it.
    pub async fn service_url(&self) -> String {
        self.inner.role_url("identity").await
    }
}

async fn connect(db: &testkit::Database) -> PgPool {
    let mut settings = DbSettings::for_url(db.url().to_owned(), "identity-test");
    settings.schema = Some("identity".to_owned());
    settings.max_connections = 8;
    eduhub_pg::connect(&settings).await.unwrap()
}
