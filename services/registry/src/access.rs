//! Finds the school that a request is about.
use crate::school::{School, store};
use async_trait::async_trait;
use eduhub_auth::{Places, SchoolPlace};
use eduhub_cache::Cache;
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::registry::v1::SchoolEntry;
use std::time::Duration;

/// A school's place changes with a reform, not in minutes; registration invalidates it at once in this process.
const TTL: Duration = Duration::from_secs(300);

/// Why a look-up found nothing; shared by all who waited for the same fetch.
#[derive(Clone)]
enum Missing {
    Absent,
    Failed(String),
}

/// Look-up of schools, for answers and for the [`eduhub_auth::Gate`].
#[derive(Clone)]
pub struct Access {
    pool: PgPool,
    cache: Cache,
}

impl Access {
    /// Over this database and cache.
    pub fn new(pool: PgPool, cache: Cache) -> Self {
        Self { pool, cache }
    }

    /// Registration of a school. NOT_FOUND/SCHOOL_NOT_FOUND when there is none.
    pub async fn entry(&self, school_code: &str) -> Result<SchoolEntry, Fault> {
        let pool = self.pool.clone();
        let code = school_code.to_owned();
        let fetch = async move {
            let failed = |e: DbError| Missing::Failed(e.to_string());
            let mut conn = pool.acquire().await.map_err(|e| failed(e.into()))?;
            let school = store::get(&mut conn, &code).await.map_err(failed)?;
            school.map(School::into_entry).ok_or(Missing::Absent)
        };
        let found: Result<SchoolEntry, Missing> =
            self.cache.get_or_fetch(&format!("school/{school_code}"), TTL, fetch).await;
        found.map_err(|missing| match missing {
            Missing::Absent => Fault::new(Reason::SchoolNotFound),
            Missing::Failed(text) => Fault::new(Reason::Unavailable).source(text),
        })
    }

    /// Forgets a school after its registration changed.
    pub async fn forget(&self, school_code: &str) {
        self.cache.invalidate(&format!("school/{school_code}")).await;
    }
}

#[async_trait]
impl Places for Access {
    async fn place(&self, school_code: &str) -> Result<SchoolPlace, Fault> {
        let entry = self.entry(school_code).await?;
        Ok(SchoolPlace { school_code: entry.school_code, commune_code: entry.commune_code })
    }

    async fn in_communes(&self, communes: &[String]) -> Result<Vec<String>, Fault> {
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        Ok(store::in_communes(&mut conn, communes).await?)
    }
}
