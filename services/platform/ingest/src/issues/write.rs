//! Opening and closing issues. Whoever writes issues of a school's own findings holds the school's lock.
use super::stored::rest_of;
use eduhub_faults::{Problem, Reason};
use eduhub_pg::{CopyRows, DbError};
use eduhub_rules::Rule;
use sqlx::PgConnection;
use std::{collections::HashSet, sync::LazyLock};
use uuid::Uuid;

/// Reasons that other checks than those of the record itself open and close: those of rules over stored data, and the two about
/// personal IDs.
static BY_OTHERS: LazyLock<Vec<i16>> = LazyLock::new(|| {
    let stored = Rule::ALL.iter().filter(|rule| rule.stored()).map(|rule| rule.reason() as i16);
    stored.chain([Reason::PersonalIdDuplicate as i16, Reason::PopulationMismatch as i16]).collect()
});

/// Findings by full key, column by column as statements take them.
struct Found<'a> {
    kinds: Vec<i16>,
    keys: Vec<&'a str>,
    reasons: Vec<i16>,
    fields: Vec<&'a str>,
}

impl<'a> Found<'a> {
    fn of(problems: &'a [(String, Problem)]) -> Self {
        Self {
            kinds: problems.iter().map(|(_, p)| small(p.kind)).collect(),
            keys: problems.iter().map(|(key, _)| key.as_str()).collect(),
            reasons: problems.iter().map(|(_, p)| small(p.reason)).collect(),
            fields: problems.iter().map(|(_, p)| p.field.as_str()).collect(),
        }
    }
}

fn small(n: i32) -> i16 {
    i16::try_from(n).unwrap_or_default()
}

/// Opens the findings as issues, without their place in a batch that is gone; one that is open already stays. The key of each
/// must be the full one. For writers who may meet another who opens the same.
///
/// # Errors
/// The database's.
pub async fn open_issues(
    conn: &mut PgConnection,
    school_code: &str,
    problems: &[(String, Problem)],
) -> Result<(), DbError> {
    if problems.is_empty() {
        return Ok(());
    }
    let found = Found::of(problems);
    sqlx::query(
        "insert into data_issue (issue_id, school_code, kind, record_key, reason, field, severity, problem)
         select * from unnest($1::uuid[], array_fill($2::text, array[cardinality($1)]), $3::int2[], $4::text[], $5::int2[],
           $6::text[], $7::int2[], $8::bytea[])
         on conflict (school_code, kind, record_key, reason, field) where closed_at is null do nothing",
    )
    .bind(problems.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
    .bind(school_code)
    .bind(found.kinds)
    .bind(found.keys)
    .bind(found.reasons)
    .bind(found.fields)
    .bind(problems.iter().map(|(_, p)| small(p.severity)).collect::<Vec<_>>())
    .bind(problems.iter().map(|(_, p)| rest_of(p)).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Closes the open issues of these records that are not among the findings any more, and opens the new findings.
pub(crate) async fn sync(
    conn: &mut PgConnection,
    school_code: &str,
    records: &[(i32, &str)],
    problems: &[(String, Problem)],
) -> Result<(), DbError> {
    let found = Found::of(problems);
    // In this shape the records always lead to their issues by the index, and the findings are looked up in a hash: as a
    // join, a plan made while the table was empty went through all open issues of the school for each record.
    let new: Vec<i64> = sqlx::query_scalar(
        "with have as materialized (
           select d.* from unnest($2::int2[], $3::text[]) as r(kind, record_key) cross join lateral (
             select issue_id, kind, record_key, reason, field from data_issue where school_code = $1 and closed_at is null
               and kind = r.kind and record_key = r.record_key and reason <> all($7) offset 0) d),
         gone as (
           update data_issue set closed_at = now()
           where school_code = $1 and closed_at is null and issue_id = any(array(
             select issue_id from have where (kind, record_key, reason, field) not in (
               select * from unnest($8::int2[], $4::text[], $5::int2[], $6::text[])))))
         select n from unnest($8::int2[], $4::text[], $5::int2[], $6::text[]) with ordinality
           as f(kind, record_key, reason, field, n)
         where (kind, record_key, reason, field) not in (select kind, record_key, reason, field from have)",
    )
    .bind(school_code)
    .bind(records.iter().map(|r| small(r.0)).collect::<Vec<_>>())
    .bind(records.iter().map(|r| r.1).collect::<Vec<_>>())
    .bind(found.keys)
    .bind(found.reasons)
    .bind(found.fields)
    .bind(BY_OTHERS.as_slice())
    .bind(found.kinds)
    .fetch_all(&mut *conn)
    .await?;
    let new: Vec<&(String, Problem)> =
        new.into_iter().filter_map(|n| problems.get(usize::try_from(n - 1).ok()?)).collect();
    if new.is_empty() {
        return Ok(());
    }
    // Of a record that waits for its parent nothing is settled, so its open issues were not looked at: it may have this one.
    let settled: HashSet<(i32, &str)> = records.iter().copied().collect();
    let (new, unknown): (Vec<_>, Vec<_>) =
        new.into_iter().partition(|(key, p)| settled.contains(&(p.kind, key.as_str())));
    copy_new(conn, school_code, new.into_iter()).await?;
    let unknown: Vec<(String, Problem)> = unknown.into_iter().cloned().collect();
    open_issues(conn, school_code, &unknown).await
}

/// Opens findings that are known to be no open issues. One that stands twice in a batch is opened once.
async fn copy_new<'a>(
    conn: &mut PgConnection,
    school_code: &str,
    new: impl Iterator<Item = &'a (String, Problem)>,
) -> Result<(), DbError> {
    let mut seen = HashSet::new();
    let mut rows = CopyRows::with_capacity(0);
    for (key, problem) in new {
        if !seen.insert((problem.kind, key, problem.reason, &problem.field)) {
            continue;
        }
        rows.row(8);
        rows.uuid(Uuid::now_v7());
        rows.bytes(school_code.as_bytes());
        rows.int2(problem.kind);
        rows.bytes(key.as_bytes());
        rows.int2(problem.reason);
        rows.bytes(problem.field.as_bytes());
        rows.int2(problem.severity);
        rows.bytes(&rest_of(problem));
    }
    if seen.is_empty() {
        return Ok(());
    }
    rows.send(
        conn,
        "copy data_issue (issue_id, school_code, kind, record_key, reason, field, severity, problem)
         from stdin (format binary)",
    )
    .await
}

/// Closes every open issue of records that are taken away.
pub(crate) async fn close_all(
    conn: &mut PgConnection,
    school_code: &str,
    records: &[(i32, String)],
) -> Result<(), DbError> {
    if records.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update data_issue d set closed_at = now() from unnest($2::int2[], $3::text[]) as r(kind, record_key)
         where d.school_code = $1 and d.closed_at is null and d.kind = r.kind and d.record_key = r.record_key",
    )
    .bind(school_code)
    .bind(records.iter().map(|r| i16::try_from(r.0).unwrap_or_default()).collect::<Vec<_>>())
    .bind(records.iter().map(|r| r.1.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Closes issues of one reason on these records.
pub async fn close_issues(
    conn: &mut PgConnection,
    school_code: &str,
    kind: i32,
    reason: Reason,
    record_keys: &[String],
) -> Result<(), DbError> {
    sqlx::query(
        "update data_issue set closed_at = now()
         where school_code = $1 and kind = $2 and reason = $3 and record_key = any($4) and closed_at is null",
    )
    .bind(school_code)
    .bind(i16::try_from(kind).unwrap_or_default())
    .bind(reason as i16)
    .bind(record_keys)
    .execute(conn)
    .await?;
    Ok(())
}

/// A record that a rule over stored data looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Looked {
    /// School.
    pub school_code: String,
    /// Number of the kind.
    pub kind: i32,
    /// Full key.
    pub record_key: String,
    /// Number of the reason.
    pub reason: i32,
}

/// Closes the open issues of some records, whatever their field, and opens findings, at several schools at once. Takes both in
/// one order everywhere: two schools that push at once and concern each other would wait for each other otherwise.
///
/// # Errors
/// The database's.
pub async fn settle_issues(
    conn: &mut PgConnection,
    close: &std::collections::BTreeSet<Looked>,
    open: &std::collections::BTreeMap<Looked, Problem>,
) -> Result<(), DbError> {
    if !close.is_empty() {
        sqlx::query(
            "update data_issue d set closed_at = now()
             from unnest($1::text[], $2::int2[], $3::text[], $4::int2[]) as r(school_code, kind, record_key, reason)
             where d.school_code = r.school_code and d.closed_at is null and d.kind = r.kind and d.record_key = r.record_key
               and d.reason = r.reason",
        )
        .bind(close.iter().map(|l| l.school_code.as_str()).collect::<Vec<_>>())
        .bind(close.iter().map(|l| small(l.kind)).collect::<Vec<_>>())
        .bind(close.iter().map(|l| l.record_key.as_str()).collect::<Vec<_>>())
        .bind(close.iter().map(|l| small(l.reason)).collect::<Vec<_>>())
        .execute(&mut *conn)
        .await?;
    }
    if open.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into data_issue (issue_id, school_code, kind, record_key, reason, field, severity, problem)
         select * from unnest($1::uuid[], $2::text[], $3::int2[], $4::text[], $5::int2[], $6::text[], $7::int2[], $8::bytea[])
         on conflict (school_code, kind, record_key, reason, field) where closed_at is null do nothing",
    )
    .bind(open.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
    .bind(open.keys().map(|l| l.school_code.as_str()).collect::<Vec<_>>())
    .bind(open.keys().map(|l| small(l.kind)).collect::<Vec<_>>())
    .bind(open.keys().map(|l| l.record_key.as_str()).collect::<Vec<_>>())
    .bind(open.keys().map(|l| small(l.reason)).collect::<Vec<_>>())
    .bind(open.values().map(|p| p.field.as_str()).collect::<Vec<_>>())
    .bind(open.values().map(|p| small(p.severity)).collect::<Vec<_>>())
    .bind(open.values().map(rest_of).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
