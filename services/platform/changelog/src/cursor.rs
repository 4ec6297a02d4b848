//! Cursors: opaque to consumers, bound to the database, its epoch and the filter.
use crate::position::{FeedIdentity, Position};
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
struct Wire {
    #[prost(bytes = "vec", tag = "1")]
    database_id: Vec<u8>,
    #[prost(int32, tag = "2")]
    epoch: i32,
    #[prost(fixed64, tag = "3")]
    filter: u64,
    #[prost(bool, tag = "4")]
    snapshot: bool,
    #[prost(int64, tag = "5")]
    xid: i64,
    #[prost(int64, tag = "6")]
    seq: i64,
    #[prost(int32, tag = "7")]
    kind: i32,
    #[prost(string, tag = "8")]
    school_code: String,
    #[prost(string, tag = "9")]
    record_key: String,
    #[prost(bytes = "vec", tag = "10")]
    scope: Vec<u8>,
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
        Ok(Self { phase, filter, scope })
    }
}

/// The message in a cursor's bytes.
fn content(bytes: &[u8]) -> Result<Wire, CursorError> {
    let split = bytes.len().checked_sub(CHECK).filter(|n| *n >= 1).ok_or(CursorError::Malformed)?;
    let (content, check) = bytes.split_at(split);
    if Sha256::digest(content)[..CHECK] != *check || content[0] != VERSION {
        return Err(CursorError::Malformed);
    }
    Wire::decode(&content[1..]).map_err(|_| CursorError::Malformed)
}

/// A position that a caller named by a cursor, whatever filter that was made under. The feed that it is of is checked after
/// the state was read ([`LogPoint::check`]): what was pruned before the reading shows then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPoint {
    /// The position.
    pub position: Position,
    database_id: Vec<u8>,
    epoch: i32,
}

impl LogPoint {
    /// Reads a cursor. One from within a snapshot stands for no state: rows that it has shown and rows that it has not are of
    /// different times.
    pub fn decode(bytes: &[u8]) -> Result<Self, CursorError> {
        let wire = content(bytes)?;
        if wire.snapshot {
            return Err(CursorError::Malformed);
        }
        let position = Position { xid: wire.xid, seq: wire.seq };
        Ok(Self { position, database_id: wire.database_id, epoch: wire.epoch })
    }

    /// Opaque bytes for a position of this feed.
    pub fn encode(position: Position, feed: &FeedIdentity) -> Vec<u8> {
        Cursor { phase: Phase::Tail(position), filter: 0, scope: vec![] }.encode(feed)
    }

    /// Requires that it is of this feed, and that the log still reaches back to it.
    pub fn check(&self, feed: &FeedIdentity) -> Result<(), CursorError> {
        if self.database_id != feed.database_id.as_bytes() || self.epoch != feed.epoch {
            return Err(CursorError::Foreign);
        }
        if self.position < feed.pruned { Err(CursorError::Expired) } else { Ok(()) }
    }
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
        Cursor { phase: Phase::Tail(Position { xid, seq }), filter: 3, scope: vec![4] }
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

    #[test]
    fn a_position_is_read_from_the_cursor_of_any_filter() {
        let f = feed();
        let read = |c: &Cursor| LogPoint::decode(&c.encode(&f));
        assert_eq!(read(&at(11, 2)).unwrap().position, Position { xid: 11, seq: 2 });
        let point = LogPoint::decode(&LogPoint::encode(Position { xid: 10, seq: 5 }, &f)).unwrap();
        assert_eq!(point.check(&f), Ok(()));
        assert_eq!(read(&at(10, 4)).unwrap().check(&f), Err(CursorError::Expired));
        assert_eq!(point.check(&FeedIdentity { epoch: 2, ..f }), Err(CursorError::Foreign));
        assert_eq!(LogPoint::decode(b"hello world"), Err(CursorError::Malformed));
        let (school_code, record_key) = (String::new(), String::new());
        let phase = Phase::Snapshot { horizon: 20, kind: 1, school_code, record_key };
        assert_eq!(read(&Cursor { phase, filter: 0, scope: vec![] }), Err(CursorError::Malformed));
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
            let c = Cursor { phase, filter: 3, scope: vec![] };
            prop_assert_eq!(Cursor::decode(&c.encode(&feed()), &feed(), 3), Ok(c));
        }
    }
}
