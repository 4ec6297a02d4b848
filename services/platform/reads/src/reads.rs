//! The records of one service for callers.
use crate::{
    as_of::At,
    batcher::Batcher,
    cache::Cache,
    fresh::Freshness,
    view::{Reader, Seen},
};
use eduhub_auth::{Caller, Gate};
use eduhub_changelog::{
    Epochs, FeedIdentity, LogPoint, RecordSet, StoredImage, Table, get_as_of, school_position,
};
use eduhub_faults::{Fault, Reason};
use eduhub_feed::Heads;
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::common::v1::{LogPosition, ReadPoint};
use eduhub_vault::Vault;
use sqlx::{PgConnection, Postgres, pool::PoolConnection};
use std::{marker::PhantomData, sync::Arc};
use tokio::sync::Semaphore;

/// Counts of more than one school that are made at once: each may read whole tables.
const WIDE_COUNTS: usize = 2;

/// One record of a school by kind and full key.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// School.
    pub school_code: &'a str,
    /// Number of the kind.
    pub kind: i32,
    /// Key within the school; yearly kinds with the school year.
    pub record_key: &'a str,
}

/// The records of one service. Clones share everything.
pub struct Reads<S> {
    pub(crate) pool: PgPool,
    pub(crate) gate: Gate,
    pub(crate) vault: Arc<Vault>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) batcher: Batcher,
    pub(crate) wide_counts: Arc<Semaphore>,
    set: PhantomData<fn() -> S>,
}

impl<S> Clone for Reads<S> {
    fn clone(&self) -> Self {
        let (pool, gate, vault) = (self.pool.clone(), self.gate.clone(), self.vault.clone());
        let (cache, batcher) = (self.cache.clone(), self.batcher.clone());
        Self { pool, gate, vault, cache, batcher, wide_counts: self.wide_counts.clone(), set: PhantomData }
    }
}

/// Table of a kind.
///
/// # Errors
/// INVALID_ARGUMENT when the service does not hold the kind.
pub fn table<S: RecordSet>(kind: i32) -> Result<&'static Table, Fault> {
    S::table(kind).ok_or_else(|| Fault::invalid("kind", "is not held by this service"))
}

impl<S: RecordSet> Reads<S> {
    /// Over a service's database, keys and schools. `epochs` are those that its writers count, `heads` what its feed sees of
    /// the log: both keep the cache right. Needs a tokio runtime.
    pub fn new(pool: PgPool, vault: Arc<Vault>, gate: Gate, epochs: Arc<Epochs>, heads: Heads) -> Self {
        let cache = Arc::new(Cache::new(Freshness { epochs, heads }));
        let batcher = Batcher::start::<S>(&pool);
        let wide_counts = Arc::new(Semaphore::new(WIDE_COUNTS));
        Self { pool, gate, vault, cache, batcher, wide_counts, set: PhantomData }
    }

    pub(crate) fn reader(&self, caller: &Caller) -> Reader<'_> {
        Reader { vault: &self.vault, max_class: caller.max_class }
    }

    pub(crate) async fn conn(&self) -> Result<PoolConnection<Postgres>, Fault> {
        Ok(self.pool.acquire().await.map_err(DbError::from)?)
    }

    /// One record as of a position.
    ///
    /// # Errors
    /// NOT_FOUND when it is absent, or the school is absent or out of reach; PERMISSION_DENIED for the domain; those of the
    /// position.
    pub async fn get_as_of(
        &self,
        caller: &Caller,
        what: Named<'_>,
        as_of: &ReadPoint,
    ) -> Result<Seen<S::Record>, Fault> {
        self.gate.kind(caller, what.school_code, what.kind).await?;
        let mut conn = self.conn().await?;
        let at = At::of(&mut conn, what.school_code, as_of).await?;
        let side = at.side(what.school_code, 0);
        let found = get_as_of(&mut conn, table::<S>(what.kind)?, &side, &[what.record_key]).await?;
        at.confirm(&mut conn).await?;
        let image = found.first().ok_or_else(|| Fault::new(Reason::NotFound))?;
        self.reader(caller).read::<S>(what.kind, image)
    }

    /// Present position of a school, for a caller with any domain of the service.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND; PERMISSION_DENIED/FORBIDDEN without such a domain.
    pub async fn position(&self, caller: &Caller, school_code: &str) -> Result<LogPosition, Fault> {
        self.gate.any(caller, school_code, &S::domains()).await?;
        let mut conn = self.conn().await?;
        let position = school_position(&mut conn, school_code).await?;
        let feed = FeedIdentity::read(&mut conn).await?;
        Ok(LogPosition { position: LogPoint::encode(position, &feed) })
    }
}

/// Images of named records of one kind, live or as of a position.
pub(crate) async fn images(
    conn: &mut PgConnection,
    table: &Table,
    school_code: &str,
    keys: &[&str],
    at: Option<&At>,
) -> Result<Vec<StoredImage>, Fault> {
    let found = match at {
        Some(at) => get_as_of(conn, table, &at.side(school_code, 0), keys).await?,
        None => {
            let names: Vec<_> = keys.iter().map(|key| (school_code, *key)).collect();
            eduhub_changelog::get_many(conn, table, &names).await?
        }
    };
    Ok(found)
}
