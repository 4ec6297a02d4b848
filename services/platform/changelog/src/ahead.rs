//! What a consumer has of the log ahead of its position.
use crate::position::Position;
use std::collections::BTreeMap;

/// Transactions above a consumer's position that it has already, each up to and with an entry: they were committed while an older
/// one was still open. When the position comes by, they are not shown again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ahead(BTreeMap<i64, i64>);

impl Ahead {
    /// True when the consumer has the entry at this position.
    pub fn covers(&self, position: Position) -> bool {
        self.0.get(&position.xid).is_some_and(|seq| position.seq <= *seq)
    }

    /// True when the consumer has all that another has.
    pub fn includes(&self, other: &Self) -> bool {
        other.iter().all(|last| self.covers(last))
    }

    /// The consumer has this transaction up to and with this entry.
    pub fn add(&mut self, last: Position) {
        let seq = self.0.entry(last.xid).or_insert(last.seq);
        *seq = last.seq.max(*seq);
    }

    /// Forgets what a position has passed.
    pub fn pass(&mut self, position: Position) {
        self.0.retain(|&xid, &mut seq| Position { xid, seq } > position);
    }

    /// The last entries of these transactions, in order.
    pub fn iter(&self) -> impl Iterator<Item = Position> + '_ {
        self.0.iter().map(|(&xid, &seq)| Position { xid, seq })
    }

    /// Numbers and last entries of these transactions, for a statement.
    pub fn unzip(&self) -> (Vec<i64>, Vec<i64>) {
        self.0.iter().map(|(&xid, &seq)| (xid, seq)).unzip()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl FromIterator<Position> for Ahead {
    fn from_iter<I: IntoIterator<Item = Position>>(lasts: I) -> Self {
        let mut all = Self::default();
        lasts.into_iter().for_each(|last| all.add(last));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(xid: i64, seq: i64) -> Position {
        Position { xid, seq }
    }

    #[test]
    fn a_transaction_counts_up_to_what_was_sent_and_until_it_is_passed() {
        let mut ahead: Ahead = [at(20, 3), at(30, 7), at(20, 2)].into_iter().collect();
        assert!(ahead.covers(at(20, 1)) && ahead.covers(at(20, 3)));
        assert!(!ahead.covers(at(20, 4)) && !ahead.covers(at(25, 1)));
        ahead.pass(at(20, 2));
        assert!(ahead.covers(at(20, 3)), "its last entry is still to come");
        ahead.pass(at(20, 3));
        assert!(!ahead.covers(at(20, 3)) && ahead.covers(at(30, 7)));
        assert_eq!(ahead.iter().collect::<Vec<_>>(), [at(30, 7)]);
        let more: Ahead = [at(30, 8), at(40, 1)].into_iter().collect();
        assert!(more.includes(&ahead) && !ahead.includes(&more) && ahead.includes(&Ahead::default()));
        ahead.clear();
        assert!(ahead.is_empty());
    }
}
