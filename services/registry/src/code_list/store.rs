//! SQL of code lists and their versions.
use super::model::{Entries, Entry, Plan, digest};
use eduhub_ingest::to_proto;
use eduhub_pg::DbError;
use eduhub_proto::registry::v1::{Code, CodeListVersion};
use sqlx::{AssertSqlSafe, PgConnection, Row, postgres::PgRow};
use time::{Date, OffsetDateTime};

/// Columns of a [`Code`]; `c` is the entry.
const CODE: &str = "c.list, c.code, c.name, coalesce(c.valid_from::text, ''), coalesce(c.valid_to::text, ''), c.since,
  coalesce((select f.successors from former_unit f where c.list in ('DM_XA', 'DM_TINH') and c.valid_to is not null
    and f.code = c.code), '{}')";
/// Columns of a [`CodeListVersion`].
const VERSION: &str = "list, version, changed_at, changed_by, note, digest, codes, added, changed, ended";

/// Number of the newest version; rises with every change of a list or a mapping table.
pub async fn version(conn: &mut PgConnection) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar("select version from code_list_version").fetch_one(conn).await?)
}

/// The same, locked until the end of the transaction: whoever makes a version takes it first, so versions come in the order
/// of their commits.
pub async fn lock_version(conn: &mut PgConnection) -> Result<i64, DbError> {
    Ok(sqlx::query_scalar("select version from code_list_version for update").fetch_one(conn).await?)
}

/// Makes the next version.
pub async fn next_version(conn: &mut PgConnection) -> Result<i64, DbError> {
    let sql = "update code_list_version set version = version + 1 returning version";
    Ok(sqlx::query_scalar(sql).fetch_one(conn).await?)
}

fn code(row: &PgRow) -> Result<Code, sqlx::Error> {
    Ok(Code {
        list: row.try_get(0)?,
        code: row.try_get(1)?,
        name: row.try_get(2)?,
        valid_from: row.try_get(3)?,
        valid_to: row.try_get(4)?,
        since: row.try_get(5)?,
        successors: row.try_get(6)?,
    })
}

/// Codes of these lists (none: of all) that got their content after a version, by list and code.
pub async fn codes(conn: &mut PgConnection, lists: &[String], after: i64) -> Result<Vec<Code>, DbError> {
    let sql = AssertSqlSafe(format!(
        "select {CODE} from code c where (cardinality($1) = 0 or c.list = any($1)) and c.since > $2
         order by c.list, c.code collate \"C\""
    ));
    let rows = sqlx::query(sql).bind(lists).bind(after).fetch_all(conn).await?;
    Ok(rows.iter().map(code).collect::<Result<_, _>>()?)
}

/// Codes of a list as it was at a version, and of them those that are valid on a day.
pub async fn codes_at(
    conn: &mut PgConnection,
    list: &str,
    version: i64,
    on: Option<Date>,
) -> Result<Vec<Code>, DbError> {
    let sql = AssertSqlSafe(format!(
        "select {CODE} from (
           select list, code, name, valid_from, valid_to, since from code where list = $1 and since <= $2
           union all
           select list, code, name, valid_from, valid_to, since from code_past
           where list = $1 and since <= $2 and until > $2
         ) c
         where $3::date is null or
           ($3 >= coalesce(c.valid_from, '-infinity') and $3 <= coalesce(c.valid_to, 'infinity'))
         order by c.code collate \"C\""
    ));
    let rows = sqlx::query(sql).bind(list).bind(version).bind(on).fetch_all(conn).await?;
    Ok(rows.iter().map(code).collect::<Result<_, _>>()?)
}

/// Entries of a list as it is.
pub async fn entries(conn: &mut PgConnection, list: &str) -> Result<Entries, DbError> {
    let rows = sqlx::query("select code, name, valid_from, valid_to from code where list = $1");
    let rows = rows.bind(list).fetch_all(conn).await?;
    let entry = |r: &PgRow| {
        Ok::<_, sqlx::Error>((
            r.try_get(0)?,
            Entry { name: r.try_get(1)?, from: r.try_get(2)?, to: r.try_get(3)? },
        ))
    };
    Ok(rows.iter().map(entry).collect::<Result<_, _>>()?)
}

/// In whose name a version is made.
pub struct Maker<'a> {
    /// Principal.
    pub by: &'a str,
    /// What is said of it.
    pub note: &'a str,
}

/// Writes what a plan changes of a list as the version that was just made. What an entry was is kept.
pub async fn write(
    conn: &mut PgConnection,
    list: &str,
    version: i64,
    plan: &Plan,
    maker: &Maker<'_>,
) -> Result<(), DbError> {
    let codes: Vec<&str> = plan.written.keys().map(String::as_str).collect();
    sqlx::query(
        "insert into code_past (list, code, name, valid_from, valid_to, since, until)
         select list, code, name, valid_from, valid_to, since, $3 from code where list = $1 and code = any($2)",
    )
    .bind(list)
    .bind(&codes)
    .bind(version)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "insert into code (list, code, name, valid_from, valid_to, since)
         select $1, e.*, $2 from unnest($3::text[], $4::text[], $5::date[], $6::date[]) e
         on conflict (list, code) do update set name = excluded.name, valid_from = excluded.valid_from,
           valid_to = excluded.valid_to, since = excluded.since",
    )
    .bind(list)
    .bind(version)
    .bind(&codes)
    .bind(plan.written.values().map(|e| e.name.as_str()).collect::<Vec<_>>())
    .bind(plan.written.values().map(|e| e.from).collect::<Vec<_>>())
    .bind(plan.written.values().map(|e| e.to).collect::<Vec<_>>())
    .execute(&mut *conn)
    .await?;
    let small = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    sqlx::query(
        "insert into code_list_change (version, list, changed_by, note, digest, codes, added, changed, ended)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(version)
    .bind(list)
    .bind(maker.by)
    .bind(maker.note)
    .bind(digest(&plan.after).to_vec())
    .bind(i32::try_from(plan.after.len()).unwrap_or(i32::MAX))
    .bind(small(plan.added))
    .bind(small(plan.changed))
    .bind(small(plan.ended))
    .execute(conn)
    .await?;
    Ok(())
}

fn list_version(row: &PgRow) -> Result<CodeListVersion, sqlx::Error> {
    let count = |i: usize| row.try_get::<i32, _>(i).map(i32::unsigned_abs);
    Ok(CodeListVersion {
        list: row.try_get(0)?,
        version: row.try_get(1)?,
        changed_at: Some(to_proto(row.try_get::<OffsetDateTime, _>(2)?)),
        changed_by: row.try_get(3)?,
        note: row.try_get(4)?,
        digest: row.try_get(5)?,
        codes: count(6)?,
        added: count(7)?,
        changed: count(8)?,
        ended: count(9)?,
    })
}

/// The last version of a list at or before one; `None` when it had none.
pub async fn version_of(
    conn: &mut PgConnection,
    list: &str,
    at: i64,
) -> Result<Option<CodeListVersion>, DbError> {
    let sql = AssertSqlSafe(format!(
        "select {VERSION} from code_list_change where list = $1 and version <= $2 order by version desc limit 1"
    ));
    let row = sqlx::query(sql).bind(list).bind(at).fetch_optional(conn).await?;
    Ok(row.as_ref().map(list_version).transpose()?)
}

/// Versions before one (version and list) in their order, newest first; an empty list means all lists.
pub async fn versions(
    conn: &mut PgConnection,
    list: &str,
    before: (i64, &str),
    limit: i64,
) -> Result<Vec<CodeListVersion>, DbError> {
    let sql = AssertSqlSafe(format!(
        "select {VERSION} from code_list_change
         where ($1 = '' or list = $1) and version <= $2 and (version < $2 or list > $3)
         order by version desc, list limit $4"
    ));
    let rows = sqlx::query(sql).bind(list).bind(before.0).bind(before.1).bind(limit).fetch_all(conn).await?;
    Ok(rows.iter().map(list_version).collect::<Result<_, _>>()?)
}

/// Whether somebody other than the hub itself has changed a list.
pub async fn is_imported(conn: &mut PgConnection, list: &str, hub: &str) -> Result<bool, DbError> {
    let sql = "select exists (select 1 from code_list_change where list = $1 and changed_by <> $2)";
    Ok(sqlx::query_scalar(sql).bind(list).bind(hub).fetch_one(conn).await?)
}
