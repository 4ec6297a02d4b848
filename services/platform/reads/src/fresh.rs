//! Whether something that was read from the database still stands.
use eduhub_changelog::{Epochs, Position};
use eduhub_feed::Heads;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How far an answer may be behind a commit of another process.
const BEHIND: Duration = Duration::from_secs(1);

/// What was known just before a reading. Everything that had been committed then is in what was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    epoch: u64,
    at: Instant,
    head: Option<(Position, i32)>,
}

/// Watches for writers.
pub(crate) struct Freshness {
    /// Counted by the writers of this process before they acknowledge a commit.
    pub epochs: Arc<Epochs>,
    /// What the feed's reader sees of the log: commits of all processes.
    pub heads: Heads,
}

impl Freshness {
    /// To be asked before a reading.
    pub fn now(&self, school_code: &str) -> Known {
        // The count first: a commit after it makes the reading older than it might be, never newer.
        Known { epoch: self.epochs.of(school_code), at: Instant::now(), head: self.quiet_head() }
    }

    /// Whether what was read then may be given as an answer now: nothing of the school has been acknowledged in this process
    /// since; and it is young, or nothing at all has been committed by anybody.
    pub fn stands(&self, school_code: &str, known: &Known) -> bool {
        if self.epochs.of(school_code) != known.epoch {
            return false;
        }
        known.at.elapsed() <= BEHIND || (known.head.is_some() && known.head == self.quiet_head())
    }

    /// Newest position of the log with the epoch of its database, when that is all that was committed a moment ago. Later
    /// commits have higher positions: below this one no transaction runs any more.
    fn quiet_head(&self) -> Option<(Position, i32)> {
        let state = self.heads.borrow();
        let state = &state.as_ref()?.state;
        let quiet = state.head.held_back_ms == 0 && state.seen.elapsed() <= BEHIND;
        quiet.then_some((state.head.position, state.feed.epoch))
    }
}
