//! The differences as something to push.
use super::ask::KindDifference;
use crate::lines::LineError;
use crate::push::{Records, Source};
use eduhub_proto::common::v1::Withdrawal;
use std::sync::Arc;

/// Some records of a source, and what is no longer in it.
pub(super) struct Difference<R> {
    source: Arc<dyn Source<R>>,
    wanted: Arc<[usize]>,
    away: Vec<Withdrawal>,
}

impl<R> Difference<R> {
    /// The differences of all kinds.
    pub fn new(source: Arc<dyn Source<R>>, mut kinds: Vec<KindDifference>) -> Self {
        let mut wanted: Vec<usize> = kinds.iter_mut().flat_map(|d| std::mem::take(&mut d.send)).collect();
        wanted.sort_unstable();
        // Kinds are numbered parents first: children go before them.
        kinds.sort_by_key(|d| std::cmp::Reverse(d.kind as i32));
        let mut away = Vec::new();
        for difference in kinds {
            let kind = difference.kind as i32;
            away.extend(difference.away.into_iter().map(|record_key| Withdrawal { kind, record_key }));
        }
        Self { source, wanted: wanted.into(), away }
    }

    /// True when there is nothing to push.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty() && self.away.is_empty()
    }
}

impl<R: 'static> Source<R> for Difference<R> {
    fn open(&self) -> Result<Records<R>, LineError> {
        self.source.pick(self.wanted.clone())
    }

    fn withdrawals(&self) -> &[Withdrawal] {
        &self.away
    }
}
