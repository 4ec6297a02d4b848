//! Pruning of old entries.
use crate::position::Position;
use eduhub_pg::DbError;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;

/// What may go.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Entries made before this may go.
    pub before: OffsetDateTime,
    /// Those that a stored subscription still needs only when they were made before this, which is earlier.
    pub subscribed_before: OffsetDateTime,
}

/// Deletes at most `limit` entries that nobody needs any more, oldest first, and moves the mark that refuses older cursors.
/// What a seal needs stays as long as the seal, what a stored subscription has not acknowledged for a time. Returns how many
/// went. To be called in a transaction: readers must see the entries and the mark change as one.
pub async fn prune(conn: &mut PgConnection, keep: Retention, limit: i64) -> Result<u64, DbError> {
    let row = sqlx::query(
        "with floor as (
           select (select min(xid) from seal where xid > 0) as sealed, s.xid, s.seq
           from (values (1)) one left join lateral (
             select xid, seq from feed_subscription where xid > 0 order by xid, seq limit 1
           ) s on true
         ), gone as (
           select l.xid, l.seq from change_log l, floor
           where l.changed_at < $1 and (floor.sealed is null or l.xid < floor.sealed)
             and (floor.xid is null or (l.xid, l.seq) <= (floor.xid, floor.seq) or l.changed_at < $3)
             and l.xid < pg_snapshot_xmin(pg_current_snapshot())::text::int8
           order by l.xid, l.seq limit $2
         ), deleted as (
           delete from change_log l using gone where l.xid = gone.xid and l.seq = gone.seq returning l.xid, l.seq
         )
         select count(*), (select xid from deleted order by xid desc, seq desc limit 1),
           (select seq from deleted order by xid desc, seq desc limit 1) from deleted",
    )
    .bind(keep.before)
    .bind(limit)
    .bind(keep.subscribed_before)
    .fetch_one(&mut *conn)
    .await?;
    let count: i64 = row.try_get(0)?;
    if count > 0 {
        let up_to = Position { xid: row.try_get(1)?, seq: row.try_get(2)? };
        sqlx::query("update feed_state set pruned_xid = $1, pruned_seq = $2 where (pruned_xid, pruned_seq) < ($1, $2)")
            .bind(up_to.xid)
            .bind(up_to.seq)
            .execute(conn)
            .await?;
    }
    Ok(count as u64)
}
