//! What became of the records of one batch.
use crate::incoming::Incoming;
use eduhub_faults::{Problem, Reason, Severity};
use eduhub_proto::common::v1::{PushCounts, RootCause};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Kind and full key of records.
pub(crate) type Keys = HashSet<(i32, String)>;

/// Counts by number of the kind.
#[derive(Debug, Default)]
pub(crate) struct Tally(pub BTreeMap<i32, PushCounts>);

impl Tally {
    fn of(&mut self, kind: i32) -> &mut PushCounts {
        self.0.entry(kind).or_default()
    }

    /// Adds what was counted of a kind between two moments.
    pub fn add(&mut self, kind: i32, before: &PushCounts, now: &PushCounts) {
        let counts = self.of(kind);
        counts.created += now.created - before.created;
        counts.updated += now.updated - before.updated;
        counts.unchanged += now.unchanged - before.unchanged;
        counts.rejected += now.rejected - before.rejected;
        counts.held += now.held - before.held;
        counts.withdrawn += now.withdrawn - before.withdrawn;
    }

    /// Adds records that had waited: admitted, refused now, or waiting on.
    pub fn admit(&mut self, round: &Self) {
        for (kind, counts) in &round.0 {
            let into = self.of(*kind);
            into.admitted += counts.created + counts.updated + counts.unchanged;
            into.rejected += counts.rejected;
        }
    }
}

/// What happened to the records of one batch.
#[derive(Default)]
pub(crate) struct Outcome {
    pub counts: PushCounts,
    /// The same by kind.
    pub tally: Tally,
    /// Findings by full key.
    pub problems: Vec<(String, Problem)>,
    /// Kind and full key of every record that was accepted, unchanged ones included.
    pub accepted: Vec<(i32, String)>,
    /// Kind and full key of every refused record.
    pub refused: Vec<(i32, String)>,
    /// Kind and full key of every record that is taken away, whether it was there or not.
    pub withdrawn: Vec<(i32, String)>,
    /// Kind and full key of every record that gave up its secret: it can share it with nobody any more.
    pub bared: Vec<(i32, String)>,
    /// Kind and full key of every record that is new, or back: others may have waited for it.
    pub arrived: Vec<(i32, String)>,
    /// Kind and full key of every record of the batch that waits for a parent.
    pub held: HashSet<(i32, String)>,
    /// Parents that held records wait for.
    pub waited_for: HashSet<(i32, String)>,
    /// Position in the batch of each person of it, by kind and full key: the first one for a key that comes twice.
    pub persons: HashMap<(i32, String), u32>,
    /// Blind indexes that came or went, by kind.
    pub indexes: HashMap<i32, Vec<Vec<u8>>>,
    /// Kinds with records that were never there before.
    pub new_kinds: BTreeSet<i32>,
    /// Kinds with records that superseded an image.
    pub changed_kinds: BTreeSet<i32>,
}

impl Outcome {
    /// Before anything was done with a batch.
    pub fn of(batch: &[Incoming]) -> Self {
        let mut persons = HashMap::new();
        for record in batch.iter().filter(|r| r.blind_index.is_some()) {
            if let Some(index) = record.index {
                persons.entry((record.kind, record.record_key.clone())).or_insert(index);
            }
        }
        Self { persons, ..Self::default() }
    }
}

/// What the batches before this one would have left, if they had been written.
#[derive(Default)]
pub(crate) struct Earlier {
    /// Records that would be there: they may be named as parents.
    pub known: Keys,
    /// Why records would not be there: the reason that refused each, as the work list would have it.
    refused: HashMap<(i32, String), i32>,
}

impl Earlier {
    /// Adds what a batch would have left. What it brought is in `known` already.
    pub fn add(&mut self, out: &Outcome) {
        for gone in &out.withdrawn {
            self.known.remove(gone);
            self.refused.remove(gone);
        }
        for settled in out.accepted.iter().chain(&out.refused) {
            self.refused.remove(settled);
        }
        for (key, problem) in out.problems.iter().filter(|(_, p)| p.severity == Severity::Error as i32) {
            let reason = self.refused.entry((problem.kind, key.clone())).or_insert(problem.reason);
            *reason = problem.reason.min(*reason);
        }
    }

    /// Says why a parent is not here when the tables can't.
    pub fn explain(&self, cause: &mut RootCause) {
        if cause.reason == Reason::ParentMissing as i32
            && let Some(reason) = self.refused.get(&(cause.kind, cause.record_key.clone()))
        {
            cause.reason = *reason;
        }
    }
}
