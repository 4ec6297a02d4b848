//! Packs in memory.
use super::{
    model::{self, Pack},
    store,
};
use arc_swap::ArcSwap;
use eduhub_pg::{DbError, PgPool};
use eduhub_rules::RulePack;
use std::{sync::Arc, time::Duration};
use time::Date;

/// How often the packs are looked at. A pack is published days before it is in force.
const REFRESH: Duration = Duration::from_secs(30);

/// The published packs, re-read now and then.
#[derive(Clone)]
pub struct PackBook(Arc<ArcSwap<Vec<Pack>>>);

impl PackBook {
    /// Reads the packs and keeps them fresh.
    ///
    /// # Errors
    /// The database's.
    pub async fn load(pool: PgPool) -> Result<Self, DbError> {
        let book = Self(Arc::default());
        book.refresh(&pool).await?;
        let shared = book.clone();
        tokio::spawn(async move {
            // Ends with the last user of the book.
            while Arc::strong_count(&shared.0) > 1 {
                tokio::time::sleep(REFRESH).await;
                if let Err(error) = shared.refresh(&pool).await {
                    tracing::warn!(%error, "rule packs can't be re-read; the known ones stay in force");
                }
            }
        });
        Ok(book)
    }

    /// Reads them now.
    ///
    /// # Errors
    /// The database's.
    pub async fn refresh(&self, pool: &PgPool) -> Result<(), DbError> {
        let mut conn = pool.acquire().await?;
        let packs = store::packs(&mut conn).await?;
        self.0.store(Arc::new(packs.into_iter().map(|p| p.pack).collect()));
        Ok(())
    }

    /// The rules in force for a school year on a day; the usual ones when no pack is, or when it names rules that this program
    /// does not have (a newer program published it).
    pub fn in_force(&self, school_year: i32, day: Date) -> Arc<RulePack> {
        let packs = self.0.load();
        let rules = model::in_force(&packs, school_year, day).map(|pack| pack.on(day));
        match rules {
            Some(Ok(rules)) => Arc::new(rules),
            Some(Err(error)) => {
                tracing::warn!(%error, "a rule pack is not for this version; the usual rules are in force");
                Arc::new(RulePack::USUAL)
            }
            None => Arc::new(RulePack::USUAL),
        }
    }

    /// Version of the pack in force.
    pub fn version(&self, school_year: i32, day: Date) -> Option<String> {
        model::in_force(&self.0.load(), school_year, day).map(|pack| pack.version.clone())
    }

    /// A pack by its version.
    pub fn get(&self, version: &str) -> Option<Pack> {
        self.0.load().iter().find(|p| p.version == version).cloned()
    }
}
