//! Cursors: opaque to consumers, bound to the database, its epoch and the filter.
use crate::{
    ahead::Ahead,
    position::{FeedIdentity, Position},
};
use prost::Message;
use sha2::{Digest, Sha256};

/// Where a consumer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// In the snapshot: last row shown, by kind, school and key; `horizon` as in [`crate::SnapshotPoint`].
    Snapshot {
        /// Oldest running transaction when the snapshot began.
        horizon: i64,
        /// Number of the kind.
        kind: i32,
        /// School of the last row.
        school_code: String,
        /// Key of the last row.
        record_key: String,
    },
    /// In the log, after this position.
    Tail(Position),
}

impl Phase {
    /// Position after which the log is still needed.
    pub fn resume(&self) -> Position {
        match self {
            Self::Tail(position) => *position,
            Self::Snapshot { horizon, .. } => Position { xid: *horizon, seq: 0 },
        }
    }
}

/// A consumer's cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Where it stands.
    pub phase: Phase,
    /// What it has of the log above that.
    pub ahead: Ahead,
    /// Fingerprint of the filter it was made under.
    pub filter: u64,
    /// What its consumer saw of the filter when it was made; the feed compares it with what it may see now.
    pub scope: Vec<u8>,
}

/// Why a cursor is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// Not a cursor.
    #[error("cursor is malformed")]
    Malformed,
    /// Of another database, epoch or filter.
    #[error("cursor belongs to another database, epoch or filter")]
    Foreign,
    /// Older than what is kept.
    #[error("cursor is older than the retention")]
    Expired,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Wire {
    #[prost(bytes = "vec", tag = "1")]
    pub database_id: Vec<u8>,
    #[prost(int32, tag = "2")]
    pub epoch: i32,
    #[prost(fixed64, tag = "3")]
    filter: u64,
    #[prost(bool, tag = "4")]
    pub snapshot: bool,
    #[prost(int64, tag = "5")]
    pub xid: i64,
    #[prost(int64, tag = "6")]
    pub seq: i64,
    #[prost(int32, tag = "7")]
    kind: i32,
    #[prost(string, tag = "8")]
    school_code: String,
    #[prost(string, tag = "9")]
    record_key: String,
    #[prost(bytes = "vec", tag = "10")]
    scope: Vec<u8>,
    /// Transactions that the consumer has ahead, as distances from `xid`: a reader that does not know of them sends them again.
    #[prost(sint64, repeated, tag = "11")]
    ahead_xid: Vec<i64>,
    /// Last entry of each.
    #[prost(int64, repeated, tag = "12")]
    ahead_seq: Vec<i64>,
}

/// Transactions that a cursor may name; the feed sends far fewer ahead.
const MOST_AHEAD: usize = 4_096;

impl Wire {
    fn name(&mut self, ahead: &Ahead) {
        for last in ahead.iter() {
            self.ahead_xid.push(last.xid.wrapping_sub(self.xid));
            self.ahead_seq.push(last.seq);
        }
    }

    pub fn ahead(&self) -> Result<Ahead, CursorError> {
        if self.ahead_xid.len() != self.ahead_seq.len() || self.ahead_xid.len() > MOST_AHEAD {
            return Err(CursorError::Malformed);
        }
        let lasts = self.ahead_xid.iter().zip(&self.ahead_seq);
        Ok(lasts.map(|(above, &seq)| Position { xid: self.xid.wrapping_add(*above), seq }).collect())
    }
}

const VERSION: u8 = 1;
const CHECK: usize = 4;

impl Cursor {
    /// Opaque bytes: version, message, check sum.
    pub fn encode(&self, feed: &FeedIdentity) -> Vec<u8> {
        let mut wire = Wire {
            database_id: feed.database_id.as_bytes().to_vec(),
            epoch: feed.epoch,
            filter: self.filter,
            scope: self.scope.clone(),
            ..Wire::default()
        };
        match &self.phase {
            Phase::Tail(p) => (wire.xid, wire.seq) = (p.xid, p.seq),
            Phase::Snapshot { horizon, kind, school_code, record_key } => {
                (wire.snapshot, wire.xid, wire.kind) = (true, *horizon, *kind);
                (wire.school_code, wire.record_key) = (school_code.clone(), record_key.clone());
            }
        }
        wire.name(&self.ahead);
        let mut out = vec![VERSION];
        out.extend(wire.encode_to_vec());
        let check = Sha256::digest(&out);
        out.extend(&check[..CHECK]);
        out
    }

    /// Reads a cursor that must be of this feed and filter and not older than what is kept.
    pub fn decode(bytes: &[u8], feed: &FeedIdentity, filter: u64) -> Result<Self, CursorError> {
        let wire = content(bytes)?;
        if wire.database_id != feed.database_id.as_bytes()
            || wire.epoch != feed.epoch
            || wire.filter != filter
        {
            return Err(CursorError::Foreign);
        }
        let ahead = wire.ahead()?;
        let scope = wire.scope;
        let phase = if wire.snapshot {
            let (school_code, record_key) = (wire.school_code, wire.record_key);
            Phase::Snapshot { horizon: wire.xid, kind: wire.kind, school_code, record_key }
        } else {
            Phase::Tail(Position { xid: wire.xid, seq: wire.seq })
        };
        if phase.resume() < feed.pruned {
            return Err(CursorError::Expired);
        }
        Ok(Self { phase, ahead, filter, scope })
    }
}

/// What the consumer of a cursor has ahead, whatever feed it is of; nothing for bytes that are no cursor.
pub fn ahead_of(cursor: &[u8]) -> Ahead {
    content(cursor).and_then(|wire| wire.ahead()).unwrap_or_default()
}

/// The message in a cursor's bytes.
pub(crate) fn content(bytes: &[u8]) -> Result<Wire, CursorError> {
    let split = bytes.len().checked_sub(CHECK).filter(|n| *n >= 1).ok_or(CursorError::Malformed)?;
    let (content, check) = bytes.split_at(split);
    if Sha256::digest(content)[..CHECK] != *check || content[0] != VERSION {
        return Err(CursorError::Malformed);
    }
    Wire::decode(&content[1..]).map_err(|_| CursorError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn feed() -> FeedIdentity {
        FeedIdentity { database_id: Uuid::from_u128(7), epoch: 1, pruned: Position { xid: 10, seq: 5 } }
    }

    fn at(xid: i64, seq: i64) -> Cursor {
        let ahead =
            [(xid + 7, 2), (xid + 9, 40)].map(|(xid, seq)| Position { xid, seq }).into_iter().collect();
        Cursor { phase: Phase::Tail(Position { xid, seq }), ahead, filter: 3, scope: vec![4] }
    }

    #[test]
    fn foreign_expired_and_malformed_are_told_apart() {
        let f = feed();
        let bytes = at(10, 5).encode(&f);
        assert_eq!(Cursor::decode(&bytes, &f, 3), Ok(at(10, 5)));
        assert_eq!(Cursor::decode(&bytes, &f, 4), Err(CursorError::Foreign));
        assert_eq!(Cursor::decode(&bytes, &FeedIdentity { epoch: 2, ..f }, 3), Err(CursorError::Foreign));
        assert_eq!(Cursor::decode(&at(10, 4).encode(&f), &f, 3), Err(CursorError::Expired));
        assert_eq!(Cursor::decode(b"", &f, 3), Err(CursorError::Malformed));
        assert_eq!(Cursor::decode(b"hello world", &f, 3), Err(CursorError::Malformed));
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_malformed(bit in 0usize..200) {
            let f = feed();
            let mut bytes = at(11, 1).encode(&f);
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(Cursor::decode(&bytes, &f, 3), Err(CursorError::Malformed));
        }

        #[test]
        fn snapshot_cursors_come_back(horizon in 11i64..i64::MAX, kind in 0i32..100, school in ".{0,20}", key in ".{0,20}") {
            let phase = Phase::Snapshot { horizon, kind, school_code: school, record_key: key };
            let c = Cursor { phase, ahead: Ahead::default(), filter: 3, scope: vec![] };
            prop_assert_eq!(Cursor::decode(&c.encode(&feed()), &feed(), 3), Ok(c));
        }
    }
}
