//! Pages of the log, shared by all streams of the process: a position that lies within a page that is here is never read
//! again, and what is read stops where the next page begins, so streams that stood apart meet and go on together.
use crate::{
    event::{Event, Page},
    pages::pages,
};
use eduhub_changelog::{Entry, FeedIdentity, Position, RecordSet, StoredImage, images, page_until};
use eduhub_pg::DbError;
use moka::future::Cache;
use sqlx::{PgConnection, PgPool};
use std::{
    collections::{BTreeMap, HashMap},
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use uuid::Uuid;

/// Entries in one page.
pub(crate) const PAGE: i64 = 1_000;
/// Insertions after which what the cache dropped is forgotten in the order, too.
const SWEEP: usize = 256;
/// Bytes that pages may hold.
const CACHE_BYTES: u64 = 48 << 20;

/// Why a page can't be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShelfError {
    /// What follows the position may be pruned.
    #[error("pruned")]
    Expired,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// The shelf of one process.
pub(crate) struct Shelf<S> {
    pool: PgPool,
    pages: Cache<Position, Arc<Page>>,
    /// Pages by the position before them; the cache holds them, so what it drops is gone here, too.
    order: Mutex<BTreeMap<Position, Weak<Page>>>,
    set: PhantomData<S>,
}

impl<S: RecordSet> Shelf<S> {
    pub fn new(pool: PgPool) -> Self {
        let pages = pages(CACHE_BYTES);
        Self { pool, pages, order: Mutex::default(), set: PhantomData }
    }

    /// Forgets everything: the database is another one now.
    pub fn clear(&self) {
        self.pages.invalidate_all();
        self.order.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A page with what follows a position. Only to be asked when the head is past it: an empty page would stay empty.
    pub async fn after(&self, position: Position) -> Result<Arc<Page>, Arc<ShelfError>> {
        let until = match self.around(position) {
            Ok(page) => return Ok(page),
            Err(until) => until,
        };
        let page = self.pages.try_get_with(position, self.read(position, until)).await?;
        self.place(&page);
        Ok(page)
    }

    /// Puts a page here that somebody else has read.
    pub async fn put(&self, page: &Arc<Page>) {
        self.pages.insert(page.from, page.clone()).await;
        self.place(page);
    }

    fn place(&self, page: &Arc<Page>) {
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        order.insert(page.from, Arc::downgrade(page));
        if order.len().is_multiple_of(SWEEP) {
            order.retain(|_, page| page.strong_count() > 0);
        }
    }

    /// The page that a position lies in, or where the next one after it begins.
    fn around(&self, position: Position) -> Result<Arc<Page>, Position> {
        let mut order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((&from, page)) = order.range(..=position).next_back() {
            match page.upgrade() {
                Some(page) if page.last > position => return Ok(page),
                Some(_) => break,
                None => drop(order.remove(&from)),
            }
        }
        while let Some((&from, page)) = order.range(position..).find(|(from, _)| **from > position) {
            if page.strong_count() > 0 {
                return Err(from);
            }
            order.remove(&from);
        }
        Err(Position::END)
    }

    async fn read(&self, after: Position, until: Position) -> Result<Arc<Page>, ShelfError> {
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        let entries = page_until(&mut conn, after, until, PAGE).await?;
        // Read later than the entries: what was pruned before they were read shows here.
        if after < FeedIdentity::read(&mut conn).await?.pruned {
            return Err(ShelfError::Expired);
        }
        let last = match entries.last() {
            Some(last) => last.position,
            // Nothing up to the next page: this one only leads there.
            None if until < Position::END => until,
            None => return Err(DbError::NoRow.into()),
        };
        let events = Self::events(&mut conn, entries).await?;
        Ok(Arc::new(Page::of_log(after, events, last)))
    }

    /// Entries with their images.
    pub async fn events(conn: &mut PgConnection, entries: Vec<Entry>) -> Result<Vec<Event>, DbError> {
        let mut wanted: HashMap<i32, Vec<(Uuid, i64)>> = HashMap::new();
        for e in entries.iter().filter(|e| !e.withdrawn) {
            wanted.entry(e.kind).or_default().push((e.record_id, e.version));
        }
        let mut found = HashMap::new();
        for (kind, versions) in wanted {
            if let Some(table) = S::table(kind) {
                found.extend(images(conn, table, &versions).await?);
            }
        }
        let with_image = |e: Entry| {
            let parts = if e.withdrawn { None } else { found.remove(&(e.record_id, e.version)) };
            event(e, parts)
        };
        entries.into_iter().map(with_image).collect()
    }
}

fn event(entry: Entry, parts: Option<(Vec<u8>, Option<Vec<u8>>)>) -> Result<Event, DbError> {
    // A change without its image would be a silent drop: better the stream ends with an error.
    let (body, secret) = match parts {
        Some(parts) => parts,
        None if entry.withdrawn => (vec![], None),
        None => return Err(DbError::NoRow),
    };
    let image = StoredImage {
        record_id: entry.record_id,
        school_code: entry.school_code,
        record_key: entry.record_key,
        version: entry.version,
        digest: entry.digest,
        body,
        secret,
        changed_at: entry.changed_at,
        withdrawn: entry.withdrawn,
    };
    Ok(Event { position: entry.position, kind: entry.kind, image })
}
