//! States that callers name by cursors.
use crate::{
    ahead::Ahead,
    cursor::{Cursor, CursorError, Phase, content},
    position::{FeedIdentity, Position},
};
use eduhub_pg::DbError;
use sqlx::PgConnection;

/// A state that a caller named by a cursor, whatever filter that was made under. The feed that it is of is checked after
/// the state was read ([`LogPoint::check`]): what was pruned before the reading shows then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPoint {
    position: Position,
    ahead: Ahead,
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
        let (position, ahead) = (Position { xid: wire.xid, seq: wire.seq }, wire.ahead()?);
        Ok(Self { position, ahead, database_id: wire.database_id, epoch: wire.epoch })
    }

    /// The position at which a school had the state that the cursor's consumer has of it: what the consumer has ahead may be of
    /// this school, and then everything of the school before it was ahead, too.
    pub async fn of_school(&self, conn: &mut PgConnection, school_code: &str) -> Result<Position, DbError> {
        if self.ahead.is_empty() {
            return Ok(self.position);
        }
        let (xids, seqs) = self.ahead.unzip();
        let newest: Option<(i64, i64)> = sqlx::query_as(
            "select l.xid, l.seq from unnest($1::int8[], $2::int8[]) as a(xid, seq)
             join change_log l on l.xid = a.xid and l.seq <= a.seq and l.school_code = $3
             order by l.xid desc, l.seq desc limit 1",
        )
        .bind(xids)
        .bind(seqs)
        .bind(school_code)
        .fetch_optional(conn)
        .await?;
        Ok(newest.map_or(self.position, |(xid, seq)| self.position.max(Position { xid, seq })))
    }

    /// Opaque bytes for a position of this feed.
    pub fn encode(position: Position, feed: &FeedIdentity) -> Vec<u8> {
        let (phase, ahead) = (Phase::Tail(position), Ahead::default());
        Cursor { phase, ahead, filter: 0, scope: vec![] }.encode(feed)
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
    use uuid::Uuid;

    #[test]
    fn a_state_is_read_from_the_cursor_of_any_filter() {
        let pruned = Position { xid: 10, seq: 5 };
        let f = FeedIdentity { database_id: Uuid::from_u128(7), epoch: 1, pruned };
        let cursor = |phase| Cursor { phase, ahead: Ahead::default(), filter: 3, scope: vec![4] }.encode(&f);
        let tail = |xid, seq| LogPoint::decode(&cursor(Phase::Tail(Position { xid, seq })));
        assert_eq!(tail(11, 2).unwrap().position, Position { xid: 11, seq: 2 });
        let point = LogPoint::decode(&LogPoint::encode(Position { xid: 10, seq: 5 }, &f)).unwrap();
        assert_eq!(point.check(&f), Ok(()));
        assert_eq!(tail(10, 4).unwrap().check(&f), Err(CursorError::Expired));
        assert_eq!(point.check(&FeedIdentity { epoch: 2, ..f }), Err(CursorError::Foreign));
        assert_eq!(LogPoint::decode(b"hello world"), Err(CursorError::Malformed));
        let (school_code, record_key) = (String::new(), String::new());
        let within = Phase::Snapshot { horizon: 20, kind: 1, school_code, record_key };
        assert_eq!(LogPoint::decode(&cursor(within)), Err(CursorError::Malformed));
    }
}
