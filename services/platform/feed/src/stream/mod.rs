//! One consumer's stream.

mod cut;
mod head;
mod rescope;
mod send;

use crate::{
    begun::Begun,
    head::{Feed, Follower, Seen, State},
    outbox::{Outbox, Replies, outbox},
    reach::Reach,
    scope::{Asked, View},
    shelf::ShelfError,
};
use eduhub_changelog::{Ahead, Cursor, CursorError, Phase, RecordSet, SnapshotPoint};
use eduhub_faults::{Fault, Reason};
use head::AtHead;
use std::{future::Future, sync::Arc};
use tokio::{sync::watch, time::Instant};

/// What a stream follows.
pub(crate) struct Following {
    pub asked: Asked,
    pub reach: Reach,
    /// Empty: a snapshot first.
    pub cursor: Vec<u8>,
    pub max_batch: usize,
}

impl<S: RecordSet> Feed<S> {
    /// Follows the feed until the consumer goes or stalls, or `ended` resolves with the reason why its access is over.
    pub(crate) fn watch<E>(self: &Arc<Self>, view: View, following: Following, ended: E) -> Replies
    where
        E: Future<Output = Fault> + Send + 'static,
    {
        let (out, replies) = outbox(self.limits.buffer, self.limits.stall, following.cursor.clone());
        let feed = self.clone();
        tokio::spawn(async move {
            let _open = feed.measured.stream();
            let fault = tokio::select! {
                outcome = run(&feed, view, following, &out) => outcome.err(),
                fault = ended => Some(fault),
                () = out.closed() => None,
            };
            if let Some(fault) = fault {
                out.end(fault);
            }
        });
        replies
    }
}

async fn run<S: RecordSet>(
    feed: &Arc<Feed<S>>,
    view: View,
    following: Following,
    out: &Outbox,
) -> Result<(), Fault> {
    let mut seen = feed.seen.clone();
    let first =
        seen.wait_for(Option::is_some).await.map_err(|_| Fault::stopping())?.as_ref().map(|s| s.state);
    let first = first.ok_or_else(Fault::stopping)?;
    let filter = following.asked.fingerprint()?;
    let mut stream = Stream {
        feed,
        out,
        seen,
        first,
        filter,
        ahead: Ahead::default(),
        phase: feed.snapshots.start(first.head.horizon, first.feed.pruned),
        held: view.clone(),
        begun: Begun::default(),
        view: view.clone(),
        sent_at: Instant::now(),
        looked_at: Instant::now(),
        follower: None,
        following: &following,
    };
    if !following.cursor.is_empty() {
        let cursor = Cursor::decode(&following.cursor, &first.feed, filter).map_err(refuse)?;
        (stream.phase, stream.ahead) = (cursor.phase, cursor.ahead);
        (stream.held, stream.begun) = view.of_cursor(&cursor.scope).map_err(refuse)?;
        stream.rescope(view).await?;
    }
    stream.run().await
}

struct Stream<'a, S: RecordSet> {
    feed: &'a Arc<Feed<S>>,
    following: &'a Following,
    out: &'a Outbox,
    seen: watch::Receiver<Option<Seen>>,
    first: State,
    filter: u64,
    phase: Phase,
    /// What it has of the log above its phase.
    ahead: Ahead,
    /// What the consumer may see.
    view: View,
    /// What it has been told of; another than `view` only while what was added is sent.
    held: View,
    /// What it may have a part of; empty but while what was added is sent.
    begun: Begun,
    sent_at: Instant,
    looked_at: Instant,
    /// Present once the stream has met the head.
    follower: Option<Follower>,
}

impl<S: RecordSet> Stream<'_, S> {
    async fn run(&mut self) -> Result<(), Fault> {
        loop {
            self.seen.mark_unchanged();
            self.check(&self.state())?;
            self.look().await?;
            match self.phase.clone() {
                Phase::Snapshot { horizon, kind, school_code, record_key } => {
                    let point = SnapshotPoint { horizon, school_code, record_key };
                    let step = self.feed.snapshots.step(&self.view, &point, kind).await;
                    let step = step.map_err(|e| unavailable(&e))?;
                    self.rows(&step.page, horizon, step.next).await?;
                }
                Phase::Tail(position) => match self.at_head(position)? {
                    AtHead::InTurn => {
                        let page = self.feed.shelf.after(position).await;
                        let page = page.map_err(|e| match &*e {
                            ShelfError::Expired => refuse(CursorError::Expired),
                            ShelfError::Db(error) => unavailable(error),
                        })?;
                        self.read_ahead(page.last);
                        let from = page.after(position);
                        self.changes(page, from, false).await?;
                    }
                    AtHead::Early(page) => self.changes(page, 0, true).await?,
                    AtHead::Quiet { seen, lag_ms } => self.wait(seen, lag_ms).await?,
                },
            }
        }
    }

    fn state(&self) -> State {
        self.seen.borrow().as_ref().map_or(self.first, |seen| seen.state)
    }

    /// Also while the stream is open: what was pruned before it was sent would be missing without a word.
    fn check(&self, state: &State) -> Result<(), Fault> {
        if state.feed.database_id != self.first.feed.database_id || state.feed.epoch != self.first.feed.epoch
        {
            return Err(refuse(CursorError::Foreign));
        }
        if self.phase.resume() < state.feed.pruned {
            return Err(refuse(CursorError::Expired));
        }
        Ok(())
    }
}

fn unavailable(error: &eduhub_pg::DbError) -> Fault {
    Fault::new(Reason::Unavailable).source(error.to_string())
}

pub(crate) fn refuse(error: CursorError) -> Fault {
    match error {
        CursorError::Malformed => Fault::new(Reason::CursorMalformed),
        CursorError::Foreign => Fault::new(Reason::CursorForeign)
            .detail("drop the copy and watch again without a cursor: a snapshot comes first"),
        CursorError::Expired => Fault::new(Reason::CursorExpired).detail(
            "the log is no longer kept back to this cursor; drop the copy and watch again without a cursor",
        ),
    }
}
