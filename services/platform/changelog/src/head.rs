//! How far the log may be read.
use crate::position::{FeedIdentity, Position};
use eduhub_pg::DbError;
use sqlx::{PgConnection, Row};

/// How far the log may be read in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Newest entry that every reader may have seen.
    pub position: Position,
    /// Oldest running transaction: at and above it the log has holes that may still be filled.
    pub horizon: i64,
    /// Age in milliseconds of the first committed entry above the horizon; 0 for none.
    pub held_back_ms: i64,
}

/// The log at one moment.
#[derive(Debug, Clone)]
pub struct Standing {
    /// How far it may be read in order.
    pub head: Head,
    /// Which log it is.
    pub feed: FeedIdentity,
    /// Transactions above the horizon that are committed and wrote to the log, in order: of each school all that there are, or
    /// all up to one of them.
    pub committed: Vec<i64>,
    /// False when there may be more of them.
    pub all: bool,
}

/// A thousand transaction ids above the horizon are looked at, of all databases of the cluster: each costs a look into an index. The
/// statement has no parameter: planning it takes longer than running it, and is done once for a connection so.
const STANDING: &str = "with s as materialized (select pg_current_snapshot() as snap),
         h as materialized (select snap, pg_snapshot_xmin(snap)::text::int8 as xmin, pg_snapshot_xmax(snap)::text::int8 as xmax from s),
         c as materialized (
           select g.xid, l.changed_at from h cross join generate_series(h.xmin, least(h.xmax, h.xmin + 1000) - 1) as g(xid)
           cross join lateral (
             select l.changed_at from change_log l
             -- Of a running one each entry would be looked at, and is not visible.
             where l.xid = case when pg_visible_in_snapshot(g.xid::text::xid8, h.snap) then g.xid end
             order by l.seq limit 1
           ) l
         )
         select h.xmin, h.xmax <= h.xmin + 1000, n.xid, n.seq,
           -- The lowest position stands for the oldest.
           case when exists (select from c) or h.xmax <= h.xmin + 1000
             then (select (extract(epoch from clock_timestamp() - c.changed_at) * 1000)::int8 from c order by c.xid limit 1)
             else (select (extract(epoch from clock_timestamp() - l.changed_at) * 1000)::int8 from change_log l
                   where l.xid >= h.xmin order by l.xid, l.seq limit 1) end,
           array(select c.xid from c order by c.xid),
           f.database_id, f.epoch, f.pruned_xid, f.pruned_seq
         from h cross join feed_state f left join lateral (
           select l.xid, l.seq from change_log l where l.xid < h.xmin order by l.xid desc, l.seq desc limit 1
         ) n on true";

/// Reads it in one round trip, since the reader of each process asks after every commit.
///
/// Everything is of one snapshot: when it shows a transaction of a school, it shows those of the school before it.
pub async fn head(conn: &mut PgConnection) -> Result<Standing, DbError> {
    let row = sqlx::query(STANDING).fetch_one(conn).await?;
    let or_start =
        |column| Ok::<i64, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.unwrap_or_default());
    let position = Position { xid: or_start(2)?, seq: or_start(3)? };
    // Never 0 while something is held back, however young.
    let held_back_ms = row.try_get::<Option<i64>, _>(4)?.map_or(0, |ms| ms.max(1));
    let head = Head { position, horizon: row.try_get(0)?, held_back_ms };
    let pruned = Position { xid: row.try_get(8)?, seq: row.try_get(9)? };
    let feed = FeedIdentity { database_id: row.try_get(6)?, epoch: row.try_get(7)?, pruned };
    Ok(Standing { head, feed, committed: row.try_get(5)?, all: row.try_get(1)? })
}
