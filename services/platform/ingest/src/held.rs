//! Records that wait for a parent: bounded per school, for a limited time, admitted when the parent comes.
use crate::incoming::Incoming;
use eduhub_changelog::{StoredImage, WriteContext};
use eduhub_faults::{Reason, error};
use eduhub_pg::DbError;
use eduhub_proto::common::v1::{Problem, PushOpen, RootCause};
use eduhub_rules::ParentRef;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

/// Records that a school has in waiting.
pub(crate) async fn count(conn: &mut PgConnection, school_code: &str) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar("select count(*) from held_record where school_code = $1")
        .bind(school_code)
        .fetch_one(conn)
        .await?)
}

/// Holds records, each for the parent beside it; a newer image of the same record replaces the one that waits.
pub(crate) async fn hold(
    conn: &mut PgConnection,
    who: &WriteContext,
    records: &[(Incoming, ParentRef)],
) -> Result<(), DbError> {
    if records.is_empty() {
        return Ok(());
    }
    let small = |n: i32| i16::try_from(n).unwrap_or_default();
    sqlx::query(
        "insert into held_record (school_code, grant_id, actor, session_id, kind, record_key, school_year, parent_kind,
           parent_key, body, secret)
         select $1, $2, $3, $4, t.* from unnest($5::int2[], $6::text[], $7::int4[], $8::int2[], $9::text[], $10::bytea[],
           $11::bytea[]) as t
         on conflict (school_code, kind, record_key) do update set parent_kind = excluded.parent_kind,
           parent_key = excluded.parent_key, body = excluded.body, secret = excluded.secret, grant_id = excluded.grant_id,
           actor = excluded.actor, session_id = excluded.session_id, held_at = now()",
    )
    .bind(&who.school_code)
    .bind(who.grant_id)
    .bind(&who.actor)
    .bind(who.session_id)
    .bind(records.iter().map(|(r, _)| small(r.kind)).collect::<Vec<_>>())
    .bind(records.iter().map(|(r, _)| r.record_key.as_str()).collect::<Vec<_>>())
    .bind(records.iter().map(|(r, _)| r.school_year).collect::<Vec<_>>())
    .bind(records.iter().map(|(_, p)| small(p.kind as i32)).collect::<Vec<_>>())
    .bind(records.iter().map(|(_, p)| p.key.as_str()).collect::<Vec<_>>())
    .bind(records.iter().map(|(r, _)| r.body.as_slice()).collect::<Vec<_>>())
    .bind(records.iter().map(|(r, _)| r.secret.as_deref()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// A record taken out of waiting.
pub(crate) struct Waiting {
    pub kind: i32,
    pub school_year: i32,
    pub image: StoredImage,
}

/// Takes out every record that waits for one of these parents.
pub(crate) async fn take(
    conn: &mut PgConnection,
    school_code: &str,
    parents: &[(i32, String)],
) -> Result<Vec<Waiting>, DbError> {
    let rows = sqlx::query(
        "delete from held_record h using unnest($2::int2[], $3::text[]) as p(kind, key)
         where h.school_code = $1 and h.parent_kind = p.kind and h.parent_key = p.key
         returning h.kind, h.school_year, h.record_key, h.body, h.secret",
    )
    .bind(school_code)
    .bind(parents.iter().map(|p| i16::try_from(p.0).unwrap_or_default()).collect::<Vec<_>>())
    .bind(parents.iter().map(|p| p.1.as_str()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|r| {
            let image = StoredImage {
                record_id: Uuid::nil(),
                school_code: school_code.to_owned(),
                record_key: r.try_get(2)?,
                version: 0,
                digest: vec![],
                body: r.try_get(3)?,
                secret: r.try_get(4)?,
                changed_at: OffsetDateTime::UNIX_EPOCH,
                withdrawn: false,
            };
            Ok(Waiting { kind: i32::from(r.try_get::<i16, _>(0)?), school_year: r.try_get(1)?, image })
        })
        .collect()
}

/// Forgets the waiting images of records that were accepted or refused meanwhile.
pub(crate) async fn forget(
    conn: &mut PgConnection,
    school_code: &str,
    records: &[(i32, &str)],
) -> Result<(), DbError> {
    sqlx::query(
        "delete from held_record h using unnest($2::int2[], $3::text[]) as r(kind, key)
         where h.school_code = $1 and h.kind = r.kind and h.record_key = r.key",
    )
    .bind(school_code)
    .bind(records.iter().map(|r| i16::try_from(r.0).unwrap_or_default()).collect::<Vec<_>>())
    .bind(records.iter().map(|r| r.1).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets what a FULL session did not name of its kinds (and, for yearly ones, its year).
pub(crate) async fn forget_unnamed(
    conn: &mut PgConnection,
    school_code: &str,
    session_id: Uuid,
    open: &PushOpen,
) -> Result<(), DbError> {
    sqlx::query(
        "delete from held_record h where h.school_code = $1 and h.kind = any($2) and h.school_year in (0, $3)
           and not exists (select 1 from push_seen s
             where s.session_id = $4 and s.kind = h.kind and s.record_key = h.record_key)",
    )
    .bind(school_code)
    .bind(open.full_kinds.iter().map(|k| i16::try_from(*k).unwrap_or_default()).collect::<Vec<_>>())
    .bind(open.school_year)
    .bind(session_id)
    .execute(conn)
    .await?;
    Ok(())
}

/// What a school's records wait for, with the reason why the parent is not there: the finding that refused it, if any.
pub(crate) async fn root_causes(
    conn: &mut PgConnection,
    school_code: &str,
    only: Option<&[(i32, String)]>,
) -> Result<Vec<RootCause>, DbError> {
    let (kinds, keys): (Vec<i16>, Vec<&str>) = only
        .unwrap_or_default()
        .iter()
        .map(|(k, key)| (i16::try_from(*k).unwrap_or_default(), key.as_str()))
        .unzip();
    let rows = sqlx::query(
        "select h.parent_kind, h.parent_key, count(*),
           (select min(d.reason) from data_issue d where d.school_code = $1 and d.kind = h.parent_kind
              and d.record_key = h.parent_key and d.severity = 2 and d.closed_at is null)
         from held_record h
         where h.school_code = $1
           and ($2 or (h.parent_kind, h.parent_key) in (select * from unnest($3::int2[], $4::text[])))
         group by 1, 2 order by 3 desc, 1, 2 limit 500",
    )
    .bind(school_code)
    .bind(only.is_none())
    .bind(kinds)
    .bind(keys)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|r| {
            let reason: Option<i16> = r.try_get(3)?;
            Ok(RootCause {
                kind: i32::from(r.try_get::<i16, _>(0)?),
                record_key: r.try_get(1)?,
                reason: reason.map_or(Reason::ParentMissing as i32, i32::from),
                blocked: r.try_get::<i64, _>(2)? as u64,
            })
        })
        .collect()
}

/// Turns records that waited longer than allowed into issues, at most `limit` a call. Returns how many.
pub async fn expire_held(
    conn: &mut PgConnection,
    held_before: OffsetDateTime,
    limit: i64,
) -> Result<usize, DbError> {
    let rows = sqlx::query(
        "delete from held_record where ctid in (select ctid from held_record where held_at < $1 order by held_at limit $2)
         returning school_code, kind, record_key, parent_kind, parent_key",
    )
    .bind(held_before)
    .bind(limit)
    .fetch_all(&mut *conn)
    .await?;
    for r in &rows {
        let mut problem: Problem = error(Reason::HeldExpired, "");
        problem.kind = i32::from(r.try_get::<i16, _>(1)?);
        problem.record_key = r.try_get(2)?;
        problem.parent_kind = i32::from(r.try_get::<i16, _>(3)?);
        problem.parent_key = r.try_get(4)?;
        let key = problem.record_key.clone();
        crate::issues::open_issues(conn, r.try_get(0)?, &[(key, problem)]).await?;
    }
    Ok(rows.len())
}
