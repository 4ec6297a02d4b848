//! The one reader per process that follows the head of the log.
use crate::page::Pages;
use eduhub_changelog::{FeedIdentity, Head, Position, RecordSet};
use eduhub_pg::DbError;
use eduhub_vault::Vault;
use sqlx::PgPool;
use std::{marker::PhantomData, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
    time::Instant,
};

/// Bounds of the feed.
#[derive(Debug, Clone, Copy)]
pub struct FeedLimits {
    /// How often the head is read when nobody wakes the reader: the net under changes of other processes.
    pub poll: Duration,
    /// Time without a batch after which a checkpoint is sent.
    pub checkpoint: Duration,
    /// A consumer that takes nothing for so long is ended.
    pub stall: Duration,
    /// Batches that wait for one consumer at most.
    pub buffer: usize,
}

impl Default for FeedLimits {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(50),
            checkpoint: Duration::from_secs(5),
            stall: Duration::from_secs(30),
            buffer: 4,
        }
    }
}

/// What the reader saw last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    pub head: Head,
    pub feed: FeedIdentity,
    pub seen: Instant,
}

/// The feed of one service.
pub struct Feed<S> {
    pub(crate) pool: PgPool,
    pub(crate) vault: Arc<Vault>,
    pub(crate) pages: Pages<S>,
    pub(crate) limits: FeedLimits,
    pub(crate) state: watch::Receiver<Option<State>>,
    reader: JoinHandle<()>,
    set: PhantomData<S>,
}

impl<S> Drop for Feed<S> {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl<S: RecordSet> Feed<S> {
    /// Starts the reader. `wake` is notified by the ingest of this process after each commit.
    pub fn start(pool: PgPool, vault: Arc<Vault>, wake: Arc<Notify>, limits: FeedLimits) -> Arc<Self> {
        let (tx, state) = watch::channel(None);
        let reader = tokio::spawn(follow(pool.clone(), wake, limits.poll, tx));
        let pages = Pages::new(pool.clone());
        Arc::new(Self { pool, vault, pages, limits, state, reader, set: PhantomData })
    }
}

async fn follow(pool: PgPool, wake: Arc<Notify>, poll: Duration, tx: watch::Sender<Option<State>>) {
    loop {
        match read(&pool).await {
            Ok(new) => {
                // Every reading is published, unchanged ones too: their time says that the feed is alive.
                tx.send_replace(Some(new));
            }
            Err(error) => {
                tracing::warn!(%error, "head of the log can't be read; streams stay quiet");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        tokio::select! {
            () = wake.notified() => {}
            () = tokio::time::sleep(poll) => {}
        }
    }
}

async fn read(pool: &PgPool) -> Result<State, DbError> {
    let mut conn = pool.acquire().await?;
    let head = eduhub_changelog::head(&mut conn).await?;
    let feed = FeedIdentity::read(&mut conn).await?;
    Ok(State { head, feed, seen: Instant::now() })
}

impl State {
    /// True when something after this position may be read.
    pub(crate) fn is_past(&self, position: Position) -> bool {
        self.head.position > position
    }
}
