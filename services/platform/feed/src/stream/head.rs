//! What a stream does near the head of the log, and on its way there.
use super::Stream;
use crate::{event::Page, head::Follower};
use eduhub_changelog::{Position, RecordSet};
use eduhub_faults::Fault;
use std::sync::Arc;
use tokio::time::Instant;

/// What a stream that may have met the head does next.
pub(super) enum AtHead {
    /// Reads on: the head is further.
    InTurn,
    /// Sends what was committed above the horizon.
    Early(Arc<Page>),
    /// Waits: it has everything of this moment but what has kept changes waiting for so long.
    Quiet { seen: Instant, lag_ms: u64 },
}

impl<S: RecordSet> Stream<'_, S> {
    /// Has the next page read while this one is sent, unless somebody else has.
    pub(super) fn read_ahead(&self, last: Position) {
        if self.follower.is_none() && self.state().is_past(last) {
            let shelf = self.feed.shelf.clone();
            // What goes wrong the stream meets itself when it asks for the page.
            tokio::spawn(async move { shelf.after(last).await.is_ok() });
        }
    }

    /// What comes next, from one look at what the reader saw: what is early at one moment may need what was in turn just before.
    pub(super) fn at_head(&self, position: Position) -> Result<AtHead, Fault> {
        let seen = self.seen.borrow();
        let Some(seen) = &*seen else {
            return Ok(AtHead::Quiet { seen: self.first.seen, lag_ms: 0 });
        };
        self.check(&seen.state)?;
        if seen.state.is_past(position) {
            return Ok(AtHead::InTurn);
        }
        let quiet = AtHead::Quiet { seen: seen.state.seen, lag_ms: seen.lag_ms() };
        Ok(seen.early.next(position, &self.ahead).map_or(quiet, AtHead::Early))
    }

    /// Waits for the head to move; sends a checkpoint when the stream was quiet for long enough.
    pub(super) async fn wait(&mut self, seen: Instant, lag_ms: u64) -> Result<(), Fault> {
        let limits = &self.feed.limits;
        self.follower.get_or_insert_with(|| Follower::new(&self.feed.followers));
        if self.sent_at.elapsed() >= limits.checkpoint && seen.elapsed() < limits.checkpoint {
            self.checkpoint(lag_ms, true).await?;
        }
        match tokio::time::timeout(limits.checkpoint, self.seen.changed()).await {
            Ok(Err(_)) => Err(Fault::stopping()),
            _ => Ok(()),
        }
    }
}
