//! Pages of the log with their images, shared by the streams that stand at the same place.
use eduhub_changelog::{Entry, Position, RecordSet, StoredImage, images, page};
use eduhub_pg::DbError;
use moka::future::Cache;
use sqlx::PgPool;
use std::{collections::HashMap, marker::PhantomData, sync::Arc, time::Duration};
use uuid::Uuid;

/// Entries in one page.
const PAGE: i64 = 1_000;
/// Bytes of images that the cache may hold.
const CACHE_BYTES: u64 = 32 << 20;

/// One change with its image.
#[derive(Debug)]
pub(crate) struct Event {
    /// Where it stands in the log; unused for rows of a snapshot.
    pub position: Position,
    pub kind: i32,
    pub image: StoredImage,
}

/// Changes that follow a position.
#[derive(Debug)]
pub(crate) struct Page {
    pub events: Vec<Event>,
    /// Position of the last one.
    pub last: Position,
}

/// Page cache of one process.
pub(crate) struct Pages<S> {
    pool: PgPool,
    cache: Cache<Position, Arc<Page>>,
    set: PhantomData<S>,
}

impl<S: RecordSet> Pages<S> {
    pub(crate) fn new(pool: PgPool) -> Self {
        let cache = Cache::builder()
            .weigher(|_, page: &Arc<Page>| {
                let bytes: usize = page.events.iter().map(|e| e.image.body.len() + 200).sum();
                u32::try_from(bytes).unwrap_or(u32::MAX)
            })
            .max_capacity(CACHE_BYTES)
            .time_to_idle(Duration::from_secs(30))
            .build();
        Self { pool, cache, set: PhantomData }
    }

    /// The page after a position. Only to be asked when the head is past it: an empty page would stay empty.
    pub(crate) async fn after(&self, position: Position) -> Result<Arc<Page>, Arc<DbError>> {
        self.cache.try_get_with(position, self.read(position)).await
    }

    async fn read(&self, after: Position) -> Result<Arc<Page>, DbError> {
        let mut conn = self.pool.acquire().await?;
        let entries = page(&mut conn, after, PAGE).await?;
        let last = entries.last().ok_or(DbError::NoRow)?.position;
        let mut wanted: HashMap<i32, Vec<(Uuid, i64)>> = HashMap::new();
        for e in entries.iter().filter(|e| !e.withdrawn) {
            wanted.entry(e.kind).or_default().push((e.record_id, e.version));
        }
        let mut found = HashMap::new();
        for (kind, versions) in wanted {
            if let Some(table) = S::table(kind) {
                found.extend(images(&mut conn, table, &versions).await?);
            }
        }
        let events = entries
            .into_iter()
            .map(|e| {
                let parts = if e.withdrawn { None } else { found.remove(&(e.record_id, e.version)) };
                event(e, parts)
            })
            .collect::<Result<_, _>>()?;
        Ok(Arc::new(Page { events, last }))
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
