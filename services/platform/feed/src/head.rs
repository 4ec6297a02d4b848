//! The one reader per process that follows the head of the log.
use crate::{
    early::Early, limits::FeedLimits, live::Live, metrics::Measured, shelf::Shelf, snapshot::Snapshots, wake,
};
use eduhub_changelog::{FeedIdentity, Head, Position, RecordSet};
use eduhub_pg::DbError;
use eduhub_vault::Vault;
use sqlx::{PgPool, Postgres, pool::PoolConnection};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::Instant,
};

/// What the reader saw last.
#[derive(Debug, Clone, Copy)]
pub struct State {
    /// How far the log may be read.
    pub head: Head,
    /// Which log it is.
    pub feed: FeedIdentity,
    /// When it was looked at; nothing that is committed later is in it.
    pub seen: Instant,
}

/// What the reader saw last, and what streams may have ahead of its turn.
#[derive(Debug, Clone)]
pub struct Seen {
    /// How far the log goes.
    pub state: State,
    pub(crate) early: Early,
}

impl Seen {
    /// For how long, in milliseconds, a committed change has been waiting that a stream at the head does not have; 0 for none.
    pub fn lag_ms(&self) -> u64 {
        if self.early.is_all() { 0 } else { self.state.head.held_back_ms.unsigned_abs() }
    }
}

/// What the reader saw last, as long as its feed lives; `None` before the first time.
pub type Heads = watch::Receiver<Option<Seen>>;

impl State {
    /// True when something after this position may be read.
    pub fn is_past(&self, position: Position) -> bool {
        self.head.position > position
    }
}

/// The feed of one service.
pub struct Feed<S> {
    pub(crate) pool: PgPool,
    pub(crate) vault: Arc<Vault>,
    pub(crate) shelf: Arc<Shelf<S>>,
    pub(crate) snapshots: Arc<Snapshots<S>>,
    pub(crate) limits: FeedLimits,
    pub(crate) seen: Heads,
    pub(crate) followers: Arc<AtomicUsize>,
    pub(crate) measured: Measured,
    /// Ended with the feed.
    _tasks: JoinSet<()>,
}

impl<S: RecordSet> Feed<S> {
    /// Starts the reader. `wake` is notified by the ingest of this process after each commit.
    pub fn start(pool: PgPool, vault: Arc<Vault>, wake: Arc<Notify>, limits: FeedLimits) -> Arc<Self> {
        let (tx, seen) = watch::channel(None);
        let (shelf, followers) = (Arc::new(Shelf::new(pool.clone())), Arc::<AtomicUsize>::default());
        let remote = Arc::<Notify>::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(until_closed(pool.clone(), wake::relay(pool.clone(), wake.clone(), remote.clone())));
        let snapshots = Arc::new(Snapshots::new(pool.clone()));
        let reader = Reader {
            pool: pool.clone(),
            shelf: shelf.clone(),
            snapshots: snapshots.clone(),
            followers: followers.clone(),
            poll: limits.poll,
            live: Live::new(shelf.clone()),
            feed: None,
        };
        tasks.spawn(until_closed(pool.clone(), reader.run(wake, remote, tx)));
        let measured = Measured::new(seen.clone());
        Arc::new(Self { pool, vault, shelf, snapshots, limits, seen, followers, measured, _tasks: tasks })
    }

    /// What the reader of this process sees of the log, for others who need to know of commits.
    pub fn heads(&self) -> Heads {
        self.seen.clone()
    }
}

/// Both tasks hold a connection of the pool, and a call that outlives the drain keeps them alive: they end with the pool, which
/// waits for its connections.
async fn until_closed(pool: PgPool, work: impl Future<Output = ()>) {
    tokio::select! {
        () = pool.close_event() => {}
        () = work => {}
    }
}

/// Reads the head after every commit, and while anybody follows, the pages that come with it: once for all.
struct Reader<S> {
    pool: PgPool,
    shelf: Arc<Shelf<S>>,
    snapshots: Arc<Snapshots<S>>,
    followers: Arc<AtomicUsize>,
    poll: Duration,
    live: Live<S>,
    /// Database and epoch of what was read.
    feed: Option<(uuid::Uuid, i32)>,
}

impl<S: RecordSet> Reader<S> {
    async fn run(mut self, local: Arc<Notify>, remote: Arc<Notify>, tx: watch::Sender<Option<Seen>>) {
        let mut conn = None;
        loop {
            // Registered before the log is read: a commit during the reading is not slept through.
            let (mut here, mut there) = (std::pin::pin!(local.notified()), std::pin::pin!(remote.notified()));
            here.as_mut().enable();
            there.as_mut().enable();
            let pause = match self.turn(&mut conn).await {
                Ok(state) => {
                    // Every reading is published, unchanged ones too: their time says that the feed is alive.
                    tx.send_replace(Some(Seen { state, early: self.live.early().clone() }));
                    self.poll
                }
                Err(error) => {
                    tracing::warn!(%error, "head of the log can't be read; streams stay quiet");
                    conn = None;
                    Duration::from_millis(500)
                }
            };
            tokio::select! {
                () = here => {}
                () = there => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Reads the head on a connection of its own (a pool's would cost three round trips), then the new pages.
    async fn turn(&mut self, held: &mut Option<PoolConnection<Postgres>>) -> Result<State, DbError> {
        let conn = match held {
            Some(conn) => conn,
            None => held.insert(self.pool.acquire().await?),
        };
        let seen = Instant::now();
        let standing = eduhub_changelog::head(conn).await?;
        let (head, feed) = (standing.head, standing.feed);
        let life = Some((feed.database_id, feed.epoch));
        if std::mem::replace(&mut self.feed, life).is_some_and(|before| Some(before) != life) {
            // Restored under the running process: positions mean other changes now.
            self.shelf.clear();
            self.snapshots.clear();
            self.live.forget();
        }
        if self.followers.load(Ordering::Relaxed) == 0 {
            self.live.forget();
        } else {
            self.live.follow(conn, &standing).await;
        }
        Ok(State { head, feed, seen })
    }
}

/// Counts one stream that follows the head, as long as it lives.
pub(crate) struct Follower(Arc<AtomicUsize>);

impl Follower {
    pub fn new(followers: &Arc<AtomicUsize>) -> Self {
        followers.fetch_add(1, Ordering::Relaxed);
        Self(followers.clone())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
