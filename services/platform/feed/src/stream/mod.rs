//! One consumer's stream.

mod cut;
mod rescope;

use crate::{
    begun::Begun,
    event::Page,
    head::{Feed, Follower, State},
    outbox::{Outbox, Replies, outbox},
    reach::Reach,
    scope::{Asked, View},
    shelf::ShelfError,
    wire::Reply,
};
use eduhub_changelog::{Cursor, CursorError, FeedIdentity, Phase, Position, RecordSet, SnapshotPoint};
use eduhub_faults::{Fault, Reason};
use eduhub_ingest::to_proto;
use eduhub_proto::common::v1::Checkpoint;
use std::{future::Future, sync::Arc};
use time::OffsetDateTime;
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
    let mut states = feed.state.clone();
    let first = *states.wait_for(Option::is_some).await.map_err(|_| Fault::stopping())?;
    let first = first.ok_or_else(Fault::stopping)?;
    let filter = following.asked.fingerprint()?;
    let mut stream = Stream {
        feed,
        out,
        states,
        first,
        filter,
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
        stream.phase = cursor.phase;
        (stream.held, stream.begun) = view.of_cursor(&cursor.scope).map_err(refuse)?;
        stream.rescope(view).await?;
    }
    stream.run().await
}

struct Stream<'a, S: RecordSet> {
    feed: &'a Arc<Feed<S>>,
    following: &'a Following,
    out: &'a Outbox,
    states: watch::Receiver<Option<State>>,
    first: State,
    filter: u64,
    phase: Phase,
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
            let state = (*self.states.borrow_and_update()).unwrap_or(self.first);
            self.check(&state)?;
            self.look().await?;
            match self.phase.clone() {
                Phase::Snapshot { horizon, kind, school_code, record_key } => {
                    let point = SnapshotPoint { horizon, school_code, record_key };
                    let step = self.feed.snapshots.step(&self.view, &point, kind).await;
                    let step = step.map_err(|e| unavailable(&e))?;
                    self.rows(&step.page, horizon, step.next).await?;
                }
                Phase::Tail(position) if state.is_past(position) => {
                    let page = self.feed.shelf.after(position).await;
                    let page = page.map_err(|e| match &*e {
                        ShelfError::Expired => refuse(CursorError::Expired),
                        ShelfError::Db(error) => unavailable(error),
                    })?;
                    self.changes(page, position).await?;
                }
                Phase::Tail(_) => self.wait(&state).await?,
            }
        }
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

    /// Sends a page of the snapshot.
    async fn rows(&mut self, page: &Page, horizon: i64, next: Phase) -> Result<(), Fault> {
        let mut at = 0;
        while let Some(cut) = self.cut(page, at)? {
            at = cut.end;
            let last = &page.events[at - 1];
            let phase = if at == page.events.len() {
                next.clone()
            } else {
                Phase::Snapshot {
                    horizon,
                    kind: last.kind,
                    school_code: last.image.school_code.clone(),
                    record_key: last.image.record_key.clone(),
                }
            };
            let cursor = self.cursor(phase.clone());
            self.put(Reply::changes(&cut.parts, &cursor), &cursor).await?;
            self.phase = phase;
        }
        self.phase = next;
        Ok(())
    }

    /// Sends what follows a position in a page. Lets go of the page as soon as the consumer has to be waited for: it would hold a
    /// page in memory for each slow one.
    async fn changes(&mut self, page: Arc<Page>, position: Position) -> Result<(), Fault> {
        let mut at = page.after(position);
        let waiting = loop {
            let Some(cut) = self.cut(&page, at)? else { break None };
            at = cut.end;
            let end = if at == page.events.len() { page.last } else { page.events[at - 1].position };
            let cursor = self.cursor(Phase::Tail(end));
            let offered = self.out.offer(Reply::changes(&cut.parts, &cursor), &cursor);
            if let Err(reply) = offered {
                break Some((reply, cursor, end));
            }
            (self.phase, self.sent_at) = (Phase::Tail(end), Instant::now());
            if self.follower.is_some() {
                self.feed.measured.delivered(page.events[at - 1].image.changed_at);
            }
        };
        let last = page.last;
        drop(page);
        match waiting {
            Some((reply, cursor, end)) => {
                self.put(reply, &cursor).await?;
                self.phase = Phase::Tail(end);
            }
            None => {
                self.phase = Phase::Tail(last);
                // Nothing that this consumer sees for a while: it learns that it moves, and where it stands.
                if self.sent_at.elapsed() >= self.feed.limits.checkpoint {
                    self.checkpoint(0, false).await?;
                }
            }
        }
        Ok(())
    }

    /// Waits for the head to move; sends a checkpoint when the stream was quiet for long enough.
    async fn wait(&mut self, state: &State) -> Result<(), Fault> {
        let limits = &self.feed.limits;
        self.follower.get_or_insert_with(|| Follower::new(&self.feed.followers));
        if self.sent_at.elapsed() >= limits.checkpoint && state.seen.elapsed() < limits.checkpoint {
            self.checkpoint(state.head.held_back_ms.unsigned_abs(), true).await?;
        }
        match tokio::time::timeout(limits.checkpoint, self.states.changed()).await {
            Ok(Err(_)) => Err(Fault::stopping()),
            _ => Ok(()),
        }
    }

    async fn checkpoint(&mut self, lag_ms: u64, live: bool) -> Result<(), Fault> {
        let cursor = self.cursor(self.phase.clone());
        let server_time = Some(to_proto(OffsetDateTime::now_utc()));
        let checkpoint = Checkpoint { cursor: cursor.clone(), server_time, lag_ms, live };
        self.put(Reply::checkpoint(&checkpoint), &cursor).await
    }

    async fn put(&mut self, reply: Reply, cursor: &[u8]) -> Result<(), Fault> {
        self.out.put(reply, cursor).await?;
        self.sent_at = Instant::now();
        Ok(())
    }

    fn cursor(&self, phase: Phase) -> Vec<u8> {
        let feed: &FeedIdentity = &self.first.feed;
        Cursor { phase, filter: self.filter, scope: self.held.encode(&self.begun) }.encode(feed)
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
