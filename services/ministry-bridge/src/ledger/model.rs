use std::collections::BTreeMap;

use eduhub_proto::bridge::v1::LedgerState;
use eduhub_proto::common::v1::Kind;

/// Records of one kind in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindCount {
    /// Kind.
    pub kind: Kind,
    /// State.
    pub state: LedgerState,
    /// Records.
    pub records: u64,
}

/// Sums over kinds, by state.
pub fn by_state(counts: &[KindCount]) -> Vec<(LedgerState, u64)> {
    let mut sums = BTreeMap::<i32, (LedgerState, u64)>::new();
    for count in counts {
        sums.entry(count.state.into()).or_insert((count.state, 0)).1 += count.records;
    }
    sums.into_values().collect()
}

/// States from which a row comes back only by request.
pub(super) const FINAL: [LedgerState; 6] = [
    LedgerState::Accepted,
    LedgerState::Rejected,
    LedgerState::Stale,
    LedgerState::Dead,
    LedgerState::Blocked,
    LedgerState::Entered,
];

/// Numbers of states, for statements.
pub(super) fn numbers(states: &[LedgerState]) -> Vec<i16> {
    states.iter().map(|state| *state as i16).collect()
}
