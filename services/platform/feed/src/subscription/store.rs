//! Rows of `feed_subscription`.
use super::model::{Lag, Named, Stored};
use crate::scope::Asked;
use eduhub_changelog::{Position, ahead_of};
use eduhub_pg::DbError;
use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};

const COLUMNS: &str = "owner, name, kinds, school_codes, cursor, xid, seq, created_at, acknowledged_at";
/// Entries that a lag counts at most: counting more would cost more than it tells.
const COUNTED: i64 = 100_000;

fn from_row(row: &PgRow) -> Result<Stored, sqlx::Error> {
    let kinds: Vec<i16> = row.try_get(2)?;
    Ok(Stored {
        owner: row.try_get(0)?,
        name: row.try_get(1)?,
        asked: Asked::new(kinds.into_iter().map(i32::from).collect(), row.try_get(3)?),
        cursor: row.try_get(4)?,
        position: Position { xid: row.try_get(5)?, seq: row.try_get(6)? },
        created_at: row.try_get(7)?,
        acknowledged_at: row.try_get(8)?,
    })
}

/// Makes it unless the name is taken or the owner has too many; gives the row that stands then, `None` for too many.
pub(super) async fn create(
    conn: &mut PgConnection,
    of: &Named,
    asked: &Asked,
    (cursor, position): (&[u8], Position),
    most: i64,
) -> Result<Option<Stored>, DbError> {
    // One at a time for an owner, or two at once would pass the limit together.
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('feed_subscription/' || $1, 0))")
        .bind(&of.owner)
        .execute(&mut *conn)
        .await?;
    sqlx::query(
        "insert into feed_subscription (owner, name, kinds, school_codes, cursor, xid, seq)
         select $1, $2, $3, $4, $5, $6, $7
         where (select count(*) from feed_subscription where owner = $1) < $8
         on conflict (owner, name) do nothing",
    )
    .bind(&of.owner)
    .bind(&of.name)
    .bind(asked.kinds.iter().map(|k| *k as i16).collect::<Vec<_>>())
    .bind(asked.schools.iter().cloned().collect::<Vec<_>>())
    .bind(cursor)
    .bind(position.xid)
    .bind(position.seq)
    .bind(most)
    .execute(&mut *conn)
    .await?;
    get(conn, of).await
}

/// One subscription.
pub(super) async fn get(conn: &mut PgConnection, of: &Named) -> Result<Option<Stored>, DbError> {
    let sql = format!("select {COLUMNS} from feed_subscription where owner = $1 and name = $2");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(&of.owner).bind(&of.name).fetch_optional(conn).await?;
    Ok(row.as_ref().map(from_row).transpose()?)
}

/// Subscriptions after an owner and name; of one owner, or of all.
pub(super) async fn list(
    conn: &mut PgConnection,
    owner: Option<&str>,
    after: (&str, &str),
    limit: i64,
) -> Result<Vec<Stored>, DbError> {
    let sql = format!(
        "select {COLUMNS} from feed_subscription where ($1::text is null or owner = $1) and (owner, name) > ($2, $3)
         order by owner, name limit $4"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(owner)
        .bind(after.0)
        .bind(after.1)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    Ok(rows.iter().map(from_row).collect::<Result<_, _>>()?)
}

/// Moves a subscription from the cursor that it was seen with. False when it has moved meanwhile, or is gone.
pub(super) async fn acknowledge(
    conn: &mut PgConnection,
    seen: &Stored,
    cursor: &[u8],
    position: Position,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "update feed_subscription set cursor = $4, acknowledged_at = now(), xid = $5, seq = $6
         where owner = $1 and name = $2 and cursor = $3",
    )
    .bind(&seen.owner)
    .bind(&seen.name)
    .bind(&seen.cursor)
    .bind(cursor)
    .bind(position.xid)
    .bind(position.seq)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Deletes one, if it is there.
pub(super) async fn delete(conn: &mut PgConnection, of: &Named) -> Result<(), DbError> {
    sqlx::query("delete from feed_subscription where owner = $1 and name = $2")
        .bind(&of.owner)
        .bind(&of.name)
        .execute(conn)
        .await?;
    Ok(())
}

/// What the log holds that the owner has not acknowledged.
pub(super) async fn lag(conn: &mut PgConnection, of: &Stored) -> Result<Lag, DbError> {
    let lacks = "(l.xid, l.seq) > ($1, $2) and not exists (
        select from unnest($4::int8[], $5::int8[]) as a(xid, seq) where a.xid = l.xid and l.seq <= a.seq)";
    let sql = format!(
        "select
           (select count(*) from (select from change_log l where {lacks} limit $3) c),
           coalesce((select (extract(epoch from clock_timestamp() - l.changed_at) * 1000)::int8 from change_log l
             where {lacks} order by l.xid, l.seq limit 1), 0),
           (select $1 > 0 and (pruned_xid, pruned_seq) > ($1, $2) from feed_state)"
    );
    let (ahead_xids, ahead_seqs) = ahead_of(&of.cursor).unzip();
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(of.position.xid)
        .bind(of.position.seq)
        .bind(COUNTED)
        .bind(ahead_xids)
        .bind(ahead_seqs)
        .fetch_one(conn)
        .await?;
    let behind_ms = row.try_get::<i64, _>(1)?.max(0);
    Ok(Lag { entries: row.try_get(0)?, behind_ms, expired: row.try_get(2)? })
}
