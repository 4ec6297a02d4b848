//! What was committed above the oldest running transaction: streams get it ahead of its turn, so that a long transaction of one
//! school keeps nothing of the others from the consumers.
use crate::event::Page;
use eduhub_changelog::{Ahead, Position, Standing};
use std::{collections::BTreeMap, sync::Arc};

/// Transactions that are kept for streams to have early: each stands in the cursors of those that have it.
const MOST: usize = 256;
/// Bytes of their pages, about: what is begun is read whole.
const BYTES: usize = 16 << 20;

/// Pages of transactions above the horizon, all of one moment: with a transaction of a school it has those of the school before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Early {
    pages: BTreeMap<i64, Vec<Arc<Page>>>,
    /// A transaction that is too large to be read out of its turn.
    large: Option<i64>,
    /// Transactions are committed that are not here.
    more: bool,
}

impl Early {
    /// Which committed transactions are to be read, in order and without a gap: what is left out keeps what comes after it waiting,
    /// too.
    pub fn wanted(&mut self, standing: &Standing) -> Vec<i64> {
        self.large = self.large.filter(|xid| *xid >= standing.head.horizon);
        let bytes: usize = self.pages.values().flatten().map(|p| p.weight()).sum();
        let room = if bytes < BYTES { MOST.saturating_sub(self.pages.len()) } else { 0 };
        let new: Vec<i64> =
            standing.committed.iter().filter(|xid| !self.pages.contains_key(xid)).copied().collect();
        let fits =
            new.iter().take_while(|xid| self.large.is_none_or(|large| **xid < large)).count().min(room);
        self.more = !standing.all || fits < new.len();
        new[..fits].to_vec()
    }

    /// A transaction was read.
    pub fn add(&mut self, page: Arc<Page>) {
        self.pages.entry(page.last.xid).or_default().push(page);
    }

    /// This one is too large; neither is anything after it read.
    pub fn stop_at(&mut self, large: i64) {
        (self.large, self.more) = (Some(large), true);
    }

    /// Nothing more could be read now.
    pub fn stop(&mut self) {
        self.more = true;
    }

    /// Transactions that are here.
    pub fn xids(&self) -> Vec<i64> {
        self.pages.keys().copied().collect()
    }

    /// Pages of those whose turn it is by now.
    pub fn up_to(&self, position: Position) -> Vec<Arc<Page>> {
        self.pages.range(..=position.xid).flat_map(|(_, pages)| pages).cloned().collect()
    }

    /// Forgets those whose turn was.
    pub fn pass(&mut self, horizon: i64) {
        self.pages = self.pages.split_off(&horizon);
    }

    /// The first page that a stream does not have.
    pub fn next(&self, position: Position, ahead: &Ahead) -> Option<Arc<Page>> {
        let lacks = |page: &&Arc<Page>| page.last > position && !ahead.covers(page.last);
        self.pages.values().flatten().find(lacks).cloned()
    }

    /// True when a stream that has all of it lacks nothing that is committed.
    pub fn is_all(&self) -> bool {
        !self.more
    }
}
