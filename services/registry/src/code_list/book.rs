//! Code lists in memory.
use super::store;
use arc_swap::ArcSwap;
use eduhub_pg::{DbError, PgPool};
use eduhub_rules::CodeTable;
use std::{sync::Arc, time::Duration};

/// How often the version is looked at.
const REFRESH: Duration = Duration::from_secs(30);

/// The code lists in force, re-read when their version rises.
#[derive(Clone)]
pub struct CodeBook(Arc<ArcSwap<CodeTable>>);

impl CodeBook {
    /// Reads the lists and keeps them fresh.
    pub async fn load(pool: PgPool) -> Result<Self, DbError> {
        let mut conn = pool.acquire().await?;
        let mut seen = store::version(&mut conn).await?;
        let book = Self(Arc::new(ArcSwap::from_pointee(
            store::codes(&mut conn, "").await?.into_iter().collect::<CodeTable>(),
        )));
        drop(conn);
        let shared = book.clone();
        tokio::spawn(async move {
            // Ends with the last user of the book.
            while Arc::strong_count(&shared.0) > 1 {
                tokio::time::sleep(REFRESH).await;
                match shared.refresh(&pool, seen).await {
                    Ok(version) => seen = version,
                    Err(error) => {
                        tracing::warn!(%error, "code lists can't be re-read; the known ones stay in force")
                    }
                }
            }
        });
        Ok(book)
    }

    async fn refresh(&self, pool: &PgPool, seen: i64) -> Result<i64, DbError> {
        let mut conn = pool.acquire().await?;
        let version = store::version(&mut conn).await?;
        if version != seen {
            self.0.store(Arc::new(store::codes(&mut conn, "").await?.into_iter().collect::<CodeTable>()));
        }
        Ok(version)
    }

    /// The lists in force.
    pub fn current(&self) -> Arc<CodeTable> {
        self.0.load_full()
    }
}
