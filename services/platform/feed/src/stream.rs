//! One consumer's stream.
use crate::{
    filter::{View, fingerprint},
    head::{Feed, State},
    page::{Event, Page},
    snapshot,
};
use eduhub_changelog::{Cursor, CursorError, FeedIdentity, Opener, Phase, RecordSet, SnapshotPoint};
use eduhub_faults::{Fault, Reason};
use eduhub_ingest::to_proto;
use eduhub_proto::common::v1::{ChangeHeader, ChangeOp, Checkpoint, Kind};
use std::{future::Future, sync::Arc};
use time::OffsetDateTime;
use tokio::{
    sync::{Mutex, mpsc, watch},
    time::Instant,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// What a stream brings; services wrap it into their own reply messages.
#[derive(Debug)]
pub enum Item<R> {
    /// Changes with the cursor that covers them.
    Changes(Vec<(ChangeHeader, Option<R>)>, Vec<u8>),
    /// Sign of life.
    Checkpoint(Checkpoint),
}

impl<S: RecordSet> Feed<S> {
    /// Follows the feed from a cursor (empty: snapshot first) until the consumer goes, stalls, or `ended` resolves with
    /// the reason why its access is over.
    pub fn watch<E>(
        self: &Arc<Self>,
        view: View,
        cursor: Vec<u8>,
        max_batch: usize,
        ended: E,
    ) -> ReceiverStream<Result<Item<S::Record>, Status>>
    where
        E: Future<Output = Fault> + Send + 'static,
    {
        // One place more than batches may take: the error that ends the stream never waits for a slow consumer.
        let (tx, rx) = mpsc::channel(self.limits.buffer + 1);
        let last_word = tx.clone().try_reserve_owned();
        let feed = self.clone();
        tokio::spawn(async move {
            let work = Watching { feed, view, max_batch, out: tx.clone(), sent: Mutex::new(cursor.clone()) };
            let fault = tokio::select! {
                outcome = work.run(cursor) => outcome.err(),
                fault = ended => Some(fault),
                () = tx.closed() => None,
            };
            if let (Some(fault), Ok(place)) = (fault, last_word) {
                place.send(Err(fault.into()));
            }
        });
        ReceiverStream::new(rx)
    }
}

struct Watching<S: RecordSet> {
    feed: Arc<Feed<S>>,
    view: View,
    max_batch: usize,
    out: mpsc::Sender<Result<Item<S::Record>, Status>>,
    /// Cursor of the last batch or checkpoint that was put into the buffer.
    sent: Mutex<Vec<u8>>,
}

impl<S: RecordSet> Watching<S> {
    async fn run(&self, cursor: Vec<u8>) -> Result<(), Fault> {
        let mut states = self.feed.state.clone();
        let first = *states.wait_for(Option::is_some).await.map_err(|_| Fault::new(Reason::Unavailable))?;
        let first = first.ok_or_else(|| Fault::new(Reason::Unavailable))?;
        let filter = fingerprint(&self.view)?;
        let mut phase = if cursor.is_empty() {
            snapshot::start(first.head.horizon)
        } else {
            Cursor::decode(&cursor, &first.feed, filter).map_err(refuse)?.phase
        };
        let mut last_sent = Instant::now();
        loop {
            let state = (*states.borrow_and_update()).unwrap_or(first);
            if state.feed.database_id != first.feed.database_id || state.feed.epoch != first.feed.epoch {
                return Err(refuse(CursorError::Foreign));
            }
            // Also while the stream is open: what was pruned before it was sent would be missing without a word.
            if phase.resume() < state.feed.pruned {
                return Err(refuse(CursorError::Expired));
            }
            let (batch, next) = self.next(&phase, &state).await?;
            if next == phase {
                self.wait(&mut states, &state, &phase, filter, &mut last_sent).await?;
                continue;
            }
            let snapshot = matches!(phase, Phase::Snapshot { .. });
            phase = next;
            let token = Token { feed: &state.feed, filter };
            if self.deliver(batch.events(), snapshot, &phase, &token).await? {
                last_sent = Instant::now();
            }
        }
    }

    /// The next events and the phase after them; the same phase when there is nothing yet.
    async fn next(&self, phase: &Phase, state: &State) -> Result<(Batch, Phase), Fault> {
        match phase {
            Phase::Snapshot { horizon, kind, school_code, record_key } => {
                let point = SnapshotPoint {
                    horizon: *horizon,
                    school_code: school_code.clone(),
                    record_key: record_key.clone(),
                };
                let step = snapshot::step::<S>(&self.feed.pool, &self.view, &point, *kind).await;
                let step = step.map_err(|e| Fault::new(Reason::Unavailable).source(e))?;
                Ok((Batch::Owned(step.events), step.next))
            }
            Phase::Tail(position) if state.is_past(*position) => {
                let page = self.feed.pages.after(*position).await;
                let page = page.map_err(|e| Fault::new(Reason::Unavailable).source(e.to_string()))?;
                let last = page.last;
                Ok((Batch::Shared(page), Phase::Tail(last)))
            }
            Phase::Tail(position) => Ok((Batch::Owned(vec![]), Phase::Tail(*position))),
        }
    }

    /// Waits for the head to move; sends a checkpoint when the stream was quiet for long enough.
    async fn wait(
        &self,
        states: &mut watch::Receiver<Option<State>>,
        state: &State,
        phase: &Phase,
        filter: u64,
        last_sent: &mut Instant,
    ) -> Result<(), Fault> {
        let due = *last_sent + self.feed.limits.checkpoint;
        if Instant::now() >= due && state.seen.elapsed() < self.feed.limits.checkpoint {
            let checkpoint = Checkpoint {
                cursor: Cursor { phase: phase.clone(), filter }.encode(&state.feed),
                server_time: Some(to_proto(OffsetDateTime::now_utc())),
                lag_ms: state.head.held_back_ms.unsigned_abs(),
                live: true,
            };
            self.send(Item::Checkpoint(checkpoint)).await?;
            *last_sent = Instant::now();
        }
        let changed = tokio::time::timeout(self.feed.limits.checkpoint, states.changed()).await;
        match changed {
            Ok(Err(_)) => Err(Fault::new(Reason::Unavailable).detail("server is stopping")),
            _ => Ok(()),
        }
    }

    /// Sends the events that the consumer sees, in batches; the cursor comes with the last one. True when any was sent.
    async fn deliver(
        &self,
        events: &[Event],
        snapshot: bool,
        phase: &Phase,
        token: &Token<'_>,
    ) -> Result<bool, Fault> {
        let shown: Vec<&Event> =
            events.iter().filter(|e| self.view.shows(e.kind, &e.image.school_code)).collect();
        let mut chunks = shown.chunks(self.max_batch).peekable();
        let any = chunks.peek().is_some();
        while let Some(chunk) = chunks.next() {
            let mut changes = Vec::with_capacity(chunk.len());
            for event in chunk {
                changes.push(self.change(event, snapshot)?);
            }
            // Only the last chunk completes the page: a cursor of an earlier one points at the last change in it.
            let cursor = match (chunks.peek(), chunk.last()) {
                (Some(_), Some(last)) => token.after(last, snapshot, phase),
                _ => token.encode(phase.clone()),
            };
            self.send(Item::Changes(changes, cursor)).await?;
        }
        Ok(any)
    }

    fn change(&self, event: &Event, snapshot: bool) -> Result<(ChangeHeader, Option<S::Record>), Fault> {
        let image = &event.image;
        let op = if image.withdrawn { ChangeOp::Withdraw } else { ChangeOp::Upsert };
        let header = ChangeHeader {
            record_id: image.record_id.to_string(),
            school_code: image.school_code.clone(),
            kind: event.kind,
            record_key: image.record_key.clone(),
            op: op as i32,
            version: image.version,
            digest: image.digest.clone(),
            changed_at: Some(to_proto(image.changed_at)),
            snapshot,
        };
        if image.withdrawn {
            return Ok((header, None));
        }
        let kind = Kind::try_from(event.kind).unwrap_or_default();
        let opener =
            Opener { vault: &self.feed.vault, image, kind: event.kind, max_class: self.view.max_class };
        Ok((header, Some(S::open(kind, &opener).map_err(Fault::internal)?)))
    }

    async fn send(&self, item: Item<S::Record>) -> Result<(), Fault> {
        let cursor = match &item {
            Item::Changes(_, cursor) => cursor.clone(),
            Item::Checkpoint(checkpoint) => checkpoint.cursor.clone(),
        };
        let mut sent = self.sent.lock().await;
        match self.out.send_timeout(Ok(item), self.feed.limits.stall).await {
            Ok(()) => {
                *sent = cursor;
                Ok(())
            }
            // The consumer still gets what is in the buffer, so this cursor is that of the last batch before the error.
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                Err(Fault::new(Reason::ConsumerTooSlow).meta("cursor", hex::encode(&*sent)))
            }
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(Fault::new(Reason::Unavailable)),
        }
    }
}

/// Events of a step: the stream's own, or a page that others read too.
enum Batch {
    Owned(Vec<Event>),
    Shared(Arc<Page>),
}

impl Batch {
    fn events(&self) -> &[Event] {
        match self {
            Self::Owned(events) => events,
            Self::Shared(page) => &page.events,
        }
    }
}

/// Makes the stream's cursors.
struct Token<'a> {
    feed: &'a FeedIdentity,
    filter: u64,
}

impl Token<'_> {
    fn encode(&self, phase: Phase) -> Vec<u8> {
        Cursor { phase, filter: self.filter }.encode(self.feed)
    }

    /// Cursor after one change in the middle of a page.
    fn after(&self, event: &Event, snapshot: bool, page_end: &Phase) -> Vec<u8> {
        let horizon = match page_end {
            Phase::Snapshot { horizon, .. } => *horizon,
            Phase::Tail(p) => p.xid,
        };
        let phase = if snapshot {
            Phase::Snapshot {
                horizon,
                kind: event.kind,
                school_code: event.image.school_code.clone(),
                record_key: event.image.record_key.clone(),
            }
        } else {
            Phase::Tail(event.position)
        };
        self.encode(phase)
    }
}

fn refuse(error: CursorError) -> Fault {
    Fault::new(match error {
        CursorError::Malformed => Reason::CursorMalformed,
        CursorError::Foreign => Reason::CursorForeign,
        CursorError::Expired => Reason::CursorExpired,
    })
}
