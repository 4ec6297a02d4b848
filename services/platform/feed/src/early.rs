//! What was committed above the oldest running transaction: streams get it ahead of its turn, so that a long transaction of one
//! school keeps nothing of the others from the consumers.
use crate::{event::Page, shelf::Shelf};
use eduhub_changelog::{Ahead, Position, RecordSet, Standing};
use std::{collections::BTreeMap, sync::Arc};

/// Transactions that are kept for streams to have early: each stands in the cursors of those that have it.
const MOST: usize = 256;
/// Bytes of their pages.
const BYTES: usize = 16 << 20;

/// Pages of transactions above the horizon, all of one moment: with a transaction of a school it has those of the school before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Early {
    pages: BTreeMap<i64, Vec<Arc<Page>>>,
    /// Transactions are committed that are not here.
    more: bool,
}

impl Early {
    /// Brings it to what stands in the log now. When there is no room, or a page can't be read, the rest waits for its turn.
    pub async fn follow<S: RecordSet>(&mut self, standing: &Standing, shelf: &Shelf<S>) {
        self.pages = self.pages.split_off(&standing.head.horizon);
        self.more = !standing.all;
        let mut bytes: usize = self.pages.values().flatten().map(|p| p.weight()).sum();
        for &xid in &standing.committed {
            if self.pages.contains_key(&xid) {
                continue;
            }
            // In order and without a gap: what is left out keeps what comes after it waiting, too.
            if self.pages.len() >= MOST || bytes >= BYTES {
                self.more = true;
                return;
            }
            match shelf.transaction(xid).await {
                Ok(pages) => {
                    bytes += pages.iter().map(|p| p.weight()).sum::<usize>();
                    self.pages.insert(xid, pages);
                }
                Err(error) => {
                    tracing::warn!(%error, "a transaction above the horizon can't be read; it waits for its turn");
                    self.more = true;
                    return;
                }
            }
        }
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
