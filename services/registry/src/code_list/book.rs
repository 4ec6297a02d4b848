//! Code lists and mapping tables in memory.
use super::{mapping, store};
use eduhub_ingest::Mappings;
use eduhub_pg::{DbError, PgPool};
use eduhub_rules::CodeTable;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// How often the version is looked at: one read of one row a second, and a new list is in force everywhere that soon.
const REFRESH: Duration = Duration::from_secs(1);

/// What is in force at a version.
#[derive(Debug, Clone)]
pub struct InForce {
    /// The version.
    pub version: i64,
    /// The lists.
    pub codes: Arc<CodeTable>,
    /// The mapping tables of all vendors.
    pub mappings: Arc<Mappings>,
}

impl InForce {
    async fn read(pool: &PgPool) -> Result<Self, DbError> {
        let mut tx = pool.begin().await?;
        // One snapshot for both: codes of another version than the number says would never be read again.
        sqlx::query("set transaction isolation level repeatable read read only").execute(&mut *tx).await?;
        let version = store::version(&mut tx).await?;
        let codes = store::codes(&mut tx, &[], -1).await?;
        let mappings = mapping::in_force(&mut tx).await?;
        tx.rollback().await?;
        Ok(Self { version, codes: Arc::new(codes.into_iter().collect()), mappings: Arc::new(mappings) })
    }
}

/// The code lists in force, re-read when their version changes. Cheap to clone.
#[derive(Clone)]
pub struct CodeBook(watch::Receiver<InForce>);

impl CodeBook {
    /// Reads the lists and keeps them fresh.
    pub async fn load(pool: PgPool) -> Result<Self, DbError> {
        let (shared, book) = watch::channel(InForce::read(&pool).await?);
        tokio::spawn(async move {
            // Ends with the last user of the book.
            loop {
                tokio::select! {
                    () = shared.closed() => return,
                    () = tokio::time::sleep(REFRESH) => {}
                }
                let known = shared.borrow().version;
                match refresh(&pool, known).await {
                    Ok(Some(now)) => drop(shared.send(now)),
                    Ok(None) => {}
                    Err(_) if pool.is_closed() => return,
                    Err(error) => {
                        tracing::warn!(%error, "code lists can't be re-read; the known ones stay in force")
                    }
                }
            }
        });
        Ok(Self(book))
    }

    /// The lists in force.
    pub fn current(&self) -> Arc<CodeTable> {
        self.0.borrow().codes.clone()
    }

    /// The mapping tables in force.
    pub fn mappings(&self) -> Arc<Mappings> {
        self.0.borrow().mappings.clone()
    }

    /// Follows the versions; the present one counts as seen.
    pub fn follow(&self) -> watch::Receiver<InForce> {
        self.0.clone()
    }
}

async fn refresh(pool: &PgPool, known: i64) -> Result<Option<InForce>, DbError> {
    let mut conn = pool.acquire().await?;
    let version = store::version(&mut conn).await?;
    drop(conn);
    if version == known { Ok(None) } else { InForce::read(pool).await.map(Some) }
}
