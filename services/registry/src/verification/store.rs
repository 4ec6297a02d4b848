//! SQL of verification.
use crate::records::RegistryRecords;
use eduhub_changelog::{Entry, Position, RecordSet, StoredImage, Table};
use eduhub_faults::Reason;
use eduhub_pg::DbError;
use eduhub_proto::registry::v1::VerificationCounts;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

/// State of a person that was asked for and is waited for.
pub const PENDING: i16 = 1;
/// Number, name, birth date and sex belong together.
pub const VERIFIED: i16 = 2;
/// The number belongs to other data.
pub const MISMATCH: i16 = 3;
/// The number is not known.
pub const NOT_FOUND: i16 = 4;

/// Tables of kinds that are about a person with a number.
pub fn person_tables() -> impl Iterator<Item = &'static Table> {
    RegistryRecords::tables().iter().filter(|t| t.blind_index().is_some())
}

/// Takes the cursor if no other process follows the log right now.
pub async fn take_cursor(conn: &mut PgConnection) -> Result<Option<Position>, DbError> {
    let row = sqlx::query("select xid, seq from verification_cursor for update skip locked")
        .fetch_optional(conn)
        .await?;
    row.map(|r| Ok(Position { xid: r.try_get(0)?, seq: r.try_get(1)? })).transpose()
}

/// Moves the cursor.
pub async fn move_cursor(conn: &mut PgConnection, to: Position) -> Result<(), DbError> {
    sqlx::query("update verification_cursor set xid = $1, seq = $2")
        .bind(to.xid)
        .bind(to.seq)
        .execute(conn)
        .await?;
    Ok(())
}

/// Makes the persons of these entries pending; those withdrawn or without a number are forgotten.
pub async fn enqueue(conn: &mut PgConnection, entries: &[Entry]) -> Result<(), DbError> {
    for table in person_tables() {
        let ids: Vec<Uuid> =
            entries.iter().filter(|e| e.kind == table.meta.kind).map(|e| e.record_id).collect();
        if ids.is_empty() {
            continue;
        }
        let column = table.blind_index().map(|c| c.name.as_str()).unwrap_or_default();
        let upsert = format!(
            "insert into verification (record_id, school_code, kind, record_key)
             select record_id, school_code, $2, record_key from {} where record_id = any($1) and not withdrawn and {column} is not null
             on conflict (record_id) do update set state = {PENDING}, next_at = now(), attempts = 0",
            table.name
        );
        let kind = i16::try_from(table.meta.kind).unwrap_or_default();
        sqlx::query(AssertSqlSafe(upsert)).bind(&ids).bind(kind).execute(&mut *conn).await?;
        forget(conn, table, &ids).await?;
    }
    Ok(())
}

/// Forgets those of these persons that were withdrawn or have no number any more, and closes what was found of them.
async fn forget(conn: &mut PgConnection, table: &Table, ids: &[Uuid]) -> Result<(), DbError> {
    let column = table.blind_index().map(|c| c.name.as_str()).unwrap_or_default();
    let sql = format!(
        "with gone as (
           delete from verification where record_id in (
             select record_id from {} where record_id = any($1) and (withdrawn or {column} is null))
           returning school_code, kind, record_key
         )
         update data_issue d set closed_at = now() from gone g
         where d.school_code = g.school_code and d.kind = g.kind and d.record_key = g.record_key and d.reason = $2
           and d.closed_at is null",
        table.name
    );
    sqlx::query(AssertSqlSafe(sql)).bind(ids).bind(Reason::PopulationMismatch as i16).execute(conn).await?;
    Ok(())
}

/// A person leased for verification.
#[derive(Debug, Clone)]
pub struct Leased {
    /// Record.
    pub record_id: Uuid,
    /// School.
    pub school_code: String,
    /// Number of the kind.
    pub kind: i32,
    /// Full key.
    pub record_key: String,
}

/// Leases pending persons of one school for a minute: a worker that dies is followed by another.
pub async fn lease(conn: &mut PgConnection, limit: i64) -> Result<Vec<Leased>, DbError> {
    let rows = sqlx::query(
        "update verification v set next_at = now() + interval '60 seconds', attempts = attempts + 1
         where record_id in (
           select record_id from verification
           where state = 1 and next_at <= now() and school_code = (
             select school_code from verification where state = 1 and next_at <= now() limit 1)
           order by next_at limit $1 for update skip locked)
         returning record_id, school_code, kind, record_key",
    )
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|r| {
            Ok(Leased {
                record_id: r.try_get(0)?,
                school_code: r.try_get(1)?,
                kind: i32::from(r.try_get::<i16, _>(2)?),
                record_key: r.try_get(3)?,
            })
        })
        .collect()
}

/// Current images of leased persons of one kind.
pub async fn images(
    conn: &mut PgConnection,
    table: &Table,
    ids: &[Uuid],
) -> Result<Vec<StoredImage>, DbError> {
    let mut out = Vec::with_capacity(ids.len());
    let sql = format!(
        "select record_id, school_code, record_key, version, digest, body, secret, changed_at, withdrawn from {}
         where record_id = any($1) and not withdrawn",
        table.name
    );
    for r in sqlx::query(AssertSqlSafe(sql)).bind(ids).fetch_all(conn).await? {
        out.push(StoredImage {
            record_id: r.try_get(0)?,
            school_code: r.try_get(1)?,
            record_key: r.try_get(2)?,
            version: r.try_get(3)?,
            digest: r.try_get(4)?,
            body: r.try_get(5)?,
            secret: r.try_get(6)?,
            changed_at: r.try_get(7)?,
            withdrawn: r.try_get(8)?,
        });
    }
    Ok(out)
}

/// Records outcomes. A person changed meanwhile is pending again by then and is left so: its attempts were reset.
pub async fn settle(conn: &mut PgConnection, outcomes: &[(Uuid, i16)]) -> Result<(), DbError> {
    sqlx::query(
        "update verification v set state = o.state, checked_at = now()
         from unnest($1::uuid[], $2::int2[]) as o(record_id, state)
         where v.record_id = o.record_id and v.attempts > 0",
    )
    .bind(outcomes.iter().map(|o| o.0).collect::<Vec<_>>())
    .bind(outcomes.iter().map(|o| o.1).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives leased persons back. After a failure they are tried again soon, then ever later up to five minutes; otherwise at
/// once, by whoever comes first.
pub async fn give_back(conn: &mut PgConnection, ids: &[Uuid], failed: bool) -> Result<(), DbError> {
    sqlx::query(
        "update verification
         set next_at = now() + case when $2 then make_interval(secs => least(300, power(2, least(attempts, 9)))::float8) else '0' end
         where record_id = any($1) and state = 1",
    )
    .bind(ids)
    .bind(failed)
    .execute(conn)
    .await?;
    Ok(())
}

/// Traceparent of the school's last push.
pub async fn traceparent(conn: &mut PgConnection, school_code: &str) -> Result<Option<String>, DbError> {
    let found: Option<Option<String>> = sqlx::query_scalar(
        "select traceparent from push_session where school_code = $1 order by opened_at desc limit 1",
    )
    .bind(school_code)
    .fetch_optional(conn)
    .await?;
    Ok(found.flatten())
}

/// Progress of a school. What the worker has not met yet counts as pending.
pub async fn counts(conn: &mut PgConnection, school_code: &str) -> Result<VerificationCounts, DbError> {
    let mut out = VerificationCounts::default();
    let rows = sqlx::query("select state, count(*) from verification where school_code = $1 group by 1")
        .bind(school_code)
        .fetch_all(&mut *conn)
        .await?;
    let mut known = 0;
    for r in rows {
        let n = r.try_get::<i64, _>(1)?.unsigned_abs();
        known += n;
        match r.try_get::<i16, _>(0)? {
            VERIFIED => out.verified = n,
            MISMATCH => out.mismatch = n,
            NOT_FOUND => out.not_found = n,
            _ => out.pending = n,
        }
    }
    for table in person_tables() {
        let column = table.blind_index().map(|c| c.name.as_str()).unwrap_or_default();
        let sql = format!(
            "select count({column}), count(*) filter (where {column} is null) from {} where school_code = $1 and not withdrawn",
            table.name
        );
        let row = sqlx::query(AssertSqlSafe(sql)).bind(school_code).fetch_one(&mut *conn).await?;
        let with_id = row.try_get::<i64, _>(0)?.unsigned_abs();
        out.pending += with_id.saturating_sub(known);
        known = known.saturating_sub(with_id);
        out.without_id += row.try_get::<i64, _>(1)?.unsigned_abs();
    }
    Ok(out)
}
