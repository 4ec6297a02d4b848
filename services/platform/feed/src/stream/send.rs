//! What a stream puts into its outbox, with the cursor that covers it.
use super::Stream;
use crate::{event::Page, wire::Reply};
use eduhub_changelog::{Cursor, FeedIdentity, Phase, Position, RecordSet};
use eduhub_faults::Fault;
use eduhub_ingest::to_proto;
use eduhub_proto::common::v1::Checkpoint;
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::time::Instant;

impl<S: RecordSet> Stream<'_, S> {
    /// Sends a page of the snapshot.
    pub(super) async fn rows(&mut self, page: &Page, horizon: i64, next: Phase) -> Result<(), Fault> {
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

    /// Sends the events of a page from one on, in their turn or early. Lets go of the page as soon as the consumer has to be waited
    /// for: it would hold a page in memory for each slow one. The rest of the page is what comes next then.
    pub(super) async fn changes(&mut self, page: Arc<Page>, from: usize, early: bool) -> Result<(), Fault> {
        let mut at = from;
        while let Some(cut) = self.cut(&page, at)? {
            at = cut.end;
            let end = if at == page.events.len() { page.last } else { page.events[at - 1].position };
            self.pass(end, early);
            let cursor = self.cursor(self.phase.clone());
            if let Err(reply) = self.out.offer(Reply::changes(&cut.parts, &cursor), &cursor) {
                drop(page);
                return self.put(reply, &cursor).await;
            }
            self.sent_at = Instant::now();
            if self.follower.is_some() {
                self.feed.measured.delivered(page.events[at - 1].image.changed_at);
            }
        }
        self.pass(page.last, early);
        drop(page);
        // Nothing that this consumer sees for a while: it learns that it moves, and where it stands.
        if !early && self.sent_at.elapsed() >= self.feed.limits.checkpoint {
            self.checkpoint(0, false).await?;
        }
        Ok(())
    }

    /// The consumer has the log up to here, or this transaction up to here.
    fn pass(&mut self, end: Position, early: bool) {
        if early {
            self.ahead.add(end);
        } else {
            self.phase = Phase::Tail(end);
            self.ahead.pass(end);
        }
    }

    pub(super) async fn checkpoint(&mut self, lag_ms: u64, live: bool) -> Result<(), Fault> {
        let cursor = self.cursor(self.phase.clone());
        let server_time = Some(to_proto(OffsetDateTime::now_utc()));
        let checkpoint = Checkpoint { cursor: cursor.clone(), server_time, lag_ms, live };
        self.put(Reply::checkpoint(&checkpoint), &cursor).await
    }

    pub(super) async fn put(&mut self, reply: Reply, cursor: &[u8]) -> Result<(), Fault> {
        self.out.put(reply, cursor).await?;
        self.sent_at = Instant::now();
        Ok(())
    }

    pub(super) fn cursor(&self, phase: Phase) -> Vec<u8> {
        let feed: &FeedIdentity = &self.first.feed;
        let (ahead, scope) = (self.ahead.clone(), self.held.encode(&self.begun));
        Cursor { phase, ahead, filter: self.filter, scope }.encode(feed)
    }
}
