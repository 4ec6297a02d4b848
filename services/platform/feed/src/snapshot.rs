//! The snapshot part of a stream: current rows, kind by kind. Streams of the whole province that begin within a moment share
//! one horizon and so its pages: a row that changed since it was read comes with the tail, whoever reads it.
use crate::{
    event::{Event, Page},
    pages::pages,
    scope::View,
};
use eduhub_changelog::{Phase, Position, RecordSet, SnapshotPoint, Table, snapshot_page};
use eduhub_pg::DbError;
use moka::future::Cache;
use sqlx::PgPool;
use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Rows in one page.
const PAGE: i64 = 1_000;
/// Streams that begin within this time share a horizon; the later ones get the changes since as a tail.
const SHARED: Duration = Duration::from_secs(5);
/// Bytes that shared pages may hold.
const CACHE_BYTES: u64 = 32 << 20;

/// Horizon, kind, school and key of the row before the page.
type Place = (i64, i32, String, String);

/// Snapshots of one process.
pub(crate) struct Snapshots<S> {
    pool: PgPool,
    pages: Cache<Place, Arc<Page>>,
    horizon: Mutex<Option<(Instant, i64)>>,
    set: PhantomData<S>,
}

/// What a snapshot shows next, and where it goes on.
pub(crate) struct Step {
    pub page: Arc<Page>,
    /// Phase after this page.
    pub next: Phase,
}

impl<S: RecordSet> Snapshots<S> {
    pub fn new(pool: PgPool) -> Self {
        let pages = pages(CACHE_BYTES);
        Self { pool, pages, horizon: Mutex::default(), set: PhantomData }
    }

    /// Forgets everything: the database is another one now.
    pub fn clear(&self) {
        self.pages.invalidate_all();
        *self.horizon.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Start of a snapshot; `horizon` is the oldest running transaction now, `pruned` what the log no longer holds.
    pub fn start(&self, horizon: i64, pruned: Position) -> Phase {
        let mut shared = self.horizon.lock().unwrap_or_else(PoisonError::into_inner);
        let horizon = match *shared {
            Some((at, old)) if at.elapsed() < SHARED && Position { xid: old, seq: 0 } >= pruned => old,
            _ => shared.insert((Instant::now(), horizon)).1,
        };
        Phase::Snapshot { horizon, kind: 0, school_code: String::new(), record_key: String::new() }
    }

    /// The next page for a view. Goes on with the following kind when one is through, and to the tail after the last.
    pub async fn step(&self, view: &View, point: &SnapshotPoint, kind: i32) -> Result<Step, Arc<DbError>> {
        let tables: Vec<_> = S::tables().iter().filter(|t| view.kinds.contains(&t.meta.kind)).collect();
        let horizon = point.horizon;
        let at = tables.iter().position(|t| t.meta.kind == kind).unwrap_or(0);
        let end = Phase::Tail(Position { xid: horizon, seq: 0 });
        let Some(table) = tables.get(at) else {
            return Ok(Step { page: Arc::new(Page::of_snapshot(vec![])), next: end });
        };
        let page = self.page(view, table, point).await?;
        let begin = |kind: i32, school_code: String, record_key: String| Phase::Snapshot {
            horizon,
            kind,
            school_code,
            record_key,
        };
        let next = match (page.events.last(), tables.get(at + 1)) {
            (Some(last), _) if page.events.len() as i64 == PAGE => {
                begin(table.meta.kind, last.image.school_code.clone(), last.image.record_key.clone())
            }
            (_, Some(following)) => begin(following.meta.kind, String::new(), String::new()),
            (_, None) => end,
        };
        Ok(Step { page, next })
    }

    async fn page(
        &self,
        view: &View,
        table: &Table,
        point: &SnapshotPoint,
    ) -> Result<Arc<Page>, Arc<DbError>> {
        if let Some(schools) = view.school_list() {
            return Ok(self.read(table, point, Some(&schools)).await?);
        }
        let place = (point.horizon, table.meta.kind, point.school_code.clone(), point.record_key.clone());
        self.pages.try_get_with(place, self.read(table, point, None)).await
    }

    async fn read(
        &self,
        table: &Table,
        point: &SnapshotPoint,
        schools: Option<&[String]>,
    ) -> Result<Arc<Page>, DbError> {
        let mut conn = self.pool.acquire().await?;
        let rows = snapshot_page(&mut conn, table, point, schools, PAGE).await?;
        let event = |image| Event { position: Position::START, kind: table.meta.kind, image };
        Ok(Arc::new(Page::of_snapshot(rows.into_iter().map(event).collect())))
    }
}
