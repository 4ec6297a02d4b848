//! Pruning of old entries.
use crate::position::Position;
use eduhub_pg::DbError;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;

/// Deletes at most `limit` entries older than a day and not needed by any seal, oldest first, and moves the mark that
/// refuses older cursors. Returns how many went.
pub async fn prune(conn: &mut PgConnection, older_than: OffsetDateTime, limit: i64) -> Result<u64, DbError> {
    let row = sqlx::query(
        "with floor as (select min(xid) as xid from seal where xid > 0),
         gone as (
           select l.xid, l.seq from change_log l, floor
           where l.changed_at < $1 and (floor.xid is null or l.xid < floor.xid)
             and l.xid < pg_snapshot_xmin(pg_current_snapshot())::text::int8
           order by l.xid, l.seq limit $2
         ), deleted as (
           delete from change_log l using gone where l.xid = gone.xid and l.seq = gone.seq returning l.xid, l.seq
         )
         select count(*), (select xid from deleted order by xid desc, seq desc limit 1),
           (select seq from deleted order by xid desc, seq desc limit 1) from deleted",
    )
    .bind(older_than)
    .bind(limit)
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
