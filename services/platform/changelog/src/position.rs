//! Positions in the log, and the lock that makes their order the commit order.
use eduhub_pg::DbError;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// Position of a change: transaction id, then sequence. Compared as a pair; neither part alone orders the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Position {
    /// 64-bit transaction id of Postgres.
    pub xid: i64,
    /// Sequence number within the log.
    pub seq: i64,
}

impl Position {
    /// Before every change.
    pub const START: Position = Position { xid: 0, seq: 0 };
    /// After every change: "now".
    pub const END: Position = Position { xid: i64::MAX, seq: i64::MAX };
}

/// Which database and which life of it a cursor belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedIdentity {
    /// Random id given at the first migration.
    pub database_id: Uuid,
    /// Raised by a restore, because transaction ids start anew there.
    pub epoch: i32,
    /// Everything up to here may be pruned.
    pub pruned: Position,
}

impl FeedIdentity {
    /// Reads it.
    pub async fn read(conn: &mut PgConnection) -> Result<Self, DbError> {
        let row = sqlx::query("select database_id, epoch, pruned_xid, pruned_seq from feed_state")
            .fetch_one(conn)
            .await?;
        Ok(Self {
            database_id: row.try_get(0)?,
            epoch: row.try_get(1)?,
            pruned: Position { xid: row.try_get(2)?, seq: row.try_get(3)? },
        })
    }
}

/// Takes the school's lock until the end of the transaction. Must come before the transaction's first write: the lock
/// waits, and only then is the transaction id drawn, so ids of one school's transactions rise in commit order.
pub async fn lock_school(conn: &mut PgConnection, school_code: &str) -> Result<(), DbError> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(school_code)
        .execute(conn)
        .await?;
    Ok(())
}

/// Newest committed position of a school as this snapshot sees it. Every later change of the school has a higher one. Where the
/// log of a quiet school is pruned, the position up to which everything is: the school's state is the same there.
pub async fn school_position(conn: &mut PgConnection, school_code: &str) -> Result<Position, DbError> {
    let row = sqlx::query(
        "select l.xid, l.seq, f.pruned_xid, f.pruned_seq from feed_state f left join lateral (
           select xid, seq from change_log where school_code = $1 order by xid desc, seq desc limit 1
         ) l on true",
    )
    .bind(school_code)
    .fetch_one(conn)
    .await?;
    let or_start =
        |column| Ok::<i64, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.unwrap_or_default());
    let own = Position { xid: or_start(0)?, seq: or_start(1)? };
    Ok(own.max(Position { xid: row.try_get(2)?, seq: row.try_get(3)? }))
}
