//! Finds the school that a request is about and checks that the caller may touch it.
use crate::school::{School, store};
use eduhub_auth::{Caller, SchoolPlace};
use eduhub_cache::Cache;
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::{
    common::v1::{DataDomain, Kind},
    dictionary::record_of,
    registry::v1::SchoolEntry,
};
use std::time::Duration;

/// A school's place changes with a reform, not in minutes; registration invalidates it at once in this process.
const TTL: Duration = Duration::from_secs(300);

/// Why a look-up found nothing; shared by all who waited for the same fetch.
#[derive(Clone)]
enum Missing {
    Absent,
    Failed(String),
}

/// Look-up of schools for access checks.
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

    /// The school when it is in the caller's reach for a data domain; out of reach looks like absent.
    pub async fn school(&self, caller: &Caller, school_code: &str, domain: DataDomain) -> Result<SchoolEntry, Fault> {
        let entry = self.entry(school_code).await?;
        let place = SchoolPlace { school_code: entry.school_code.clone(), commune_code: entry.commune_code.clone() };
        caller.require_school(&place, domain)?;
        Ok(entry)
    }

    /// The same for the domain that a kind belongs to.
    pub async fn kind(&self, caller: &Caller, school_code: &str, kind: i32) -> Result<SchoolEntry, Fault> {
        self.school(caller, school_code, domain_of(kind)?).await
    }

    /// Forgets a school after its registration changed.
    pub async fn forget(&self, school_code: &str) {
        self.cache.invalidate(&format!("school/{school_code}")).await;
    }
}

/// Data domain of a kind.
pub fn domain_of(kind: i32) -> Result<DataDomain, Fault> {
    let meta = Kind::try_from(kind).ok().and_then(record_of);
    meta.map(|m| m.domain()).ok_or_else(|| Fault::invalid("kind", "unknown kind"))
}
