//! Data issues: the work list of a school. They open with a finding and close when the finding is gone.
use eduhub_faults::{Problem, Reason};
use eduhub_pg::DbError;
use eduhub_proto::dictionary::record_of;
use prost::Message;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

/// Reasons that other checks than those of the record itself open and close.
const BY_OTHERS: [i16; 2] = [Reason::PersonalIdDuplicate as i16, Reason::PopulationMismatch as i16];

/// Opens the findings as issues, without their place in a batch that is gone; one that is open already stays. `record_key` of each problem must be the full key.
pub async fn open_issues(
    conn: &mut PgConnection,
    school_code: &str,
    problems: &[(String, Problem)],
) -> Result<(), DbError> {
    if problems.is_empty() {
        return Ok(());
    }
    let small = |n: i32| i16::try_from(n).unwrap_or_default();
    sqlx::query(
        "insert into data_issue (issue_id, school_code, kind, record_key, reason, field, severity, problem)
         select * from unnest($1::uuid[], array_fill($2::text, array[cardinality($1)]), $3::int2[], $4::text[], $5::int2[],
           $6::text[], $7::int2[], $8::bytea[])
         on conflict (school_code, kind, record_key, reason, field) where closed_at is null do nothing",
    )
    .bind(problems.iter().map(|_| Uuid::now_v7()).collect::<Vec<_>>())
    .bind(school_code)
    .bind(problems.iter().map(|(_, p)| small(p.kind)).collect::<Vec<_>>())
    .bind(problems.iter().map(|(k, _)| k.as_str()).collect::<Vec<_>>())
    .bind(problems.iter().map(|(_, p)| small(p.reason)).collect::<Vec<_>>())
    .bind(problems.iter().map(|(_, p)| p.field.as_str()).collect::<Vec<_>>())
    .bind(problems.iter().map(|(_, p)| small(p.severity)).collect::<Vec<_>>())
    .bind(problems.iter().map(|(_, p)| Problem { index: None, ..p.clone() }.encode_to_vec()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Closes the open issues of these records that are not among the findings any more, then opens the new findings.
pub(crate) async fn sync(
    conn: &mut PgConnection,
    school_code: &str,
    records: &[(i32, &str)],
    problems: &[(String, Problem)],
) -> Result<(), DbError> {
    let small = |n: i32| i16::try_from(n).unwrap_or_default();
    sqlx::query(
        // In this shape the records always lead to their issues by the index, and the findings are looked up in a hash: as a
        // join, a plan made while the table was empty went through all open issues of the school for each record.
        "update data_issue set closed_at = now()
         where closed_at is null and issue_id = any(array(
           select d.issue_id from unnest($2::int2[], $3::text[]) as r(kind, record_key) cross join lateral (
             select issue_id, kind, record_key, reason, field from data_issue where school_code = $1 and closed_at is null
               and kind = r.kind and record_key = r.record_key and reason <> all($7) offset 0) d
           where (d.kind, d.record_key, d.reason, d.field) not in (
             select * from unnest($8::int2[], $4::text[], $5::int2[], $6::text[]))))",
    )
    .bind(school_code)
    .bind(records.iter().map(|r| small(r.0)).collect::<Vec<_>>())
    .bind(records.iter().map(|r| r.1).collect::<Vec<_>>())
    .bind(problems.iter().map(|(k, _)| k.as_str()).collect::<Vec<_>>())
    .bind(problems.iter().map(|(_, p)| small(p.reason)).collect::<Vec<_>>())
    .bind(problems.iter().map(|(_, p)| p.field.as_str()).collect::<Vec<_>>())
    .bind(BY_OTHERS)
    .bind(problems.iter().map(|(_, p)| small(p.kind)).collect::<Vec<_>>())
    .execute(&mut *conn)
    .await?;
    open_issues(conn, school_code, problems).await
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

/// One issue.
#[derive(Debug, Clone)]
pub struct IssueRow {
    /// Id, in the order of opening.
    pub issue_id: Uuid,
    /// The finding.
    pub problem: Problem,
    /// Opened.
    pub opened_at: OffsetDateTime,
    /// Mended.
    pub closed_at: Option<OffsetDateTime>,
}

/// What a reader may see of a work list.
#[derive(Debug, Clone)]
pub struct IssueView {
    /// Kinds whose issues it sees.
    pub kinds: Vec<i32>,
    /// Highest number of `Sensitivity` that it sees values of.
    pub max_class: i32,
}

impl IssueView {
    /// Takes out of a finding what the reader may not see.
    fn mask(&self, mut problem: Problem) -> Problem {
        if field_class(&problem).is_none_or(|class| class > self.max_class) {
            problem.value.clear();
            // What is near the value tells of it.
            problem.suggestions.clear();
        }
        problem
    }
}

/// Class of the field that a finding is about; none for one that the dictionary does not have. A list's entries have the class
/// of the list.
fn field_class(problem: &Problem) -> Option<i32> {
    let name = problem.field.split(['.', '[']).next()?;
    let record = record_of(problem.kind())?;
    record.fields.iter().find(|f| f.name == name).map(|f| f.class)
}

/// Issues of a school after an id, in the order of opening, as a reader may see them.
pub async fn list_issues(
    conn: &mut PgConnection,
    school_code: &str,
    view: &IssueView,
    include_closed: bool,
    after: Uuid,
    limit: i64,
) -> Result<Vec<IssueRow>, DbError> {
    let rows = sqlx::query(
        "select issue_id, problem, opened_at, closed_at from data_issue
         where school_code = $1 and issue_id > $2 and ($3 or closed_at is null) and kind = any($5)
         order by issue_id limit $4",
    )
    .bind(school_code)
    .bind(after)
    .bind(include_closed)
    .bind(limit)
    .bind(small(&view.kinds))
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|r| {
            let problem = Problem::decode(r.try_get::<&[u8], _>(1)?).unwrap_or_default();
            Ok(IssueRow {
                issue_id: r.try_get(0)?,
                problem: view.mask(problem),
                opened_at: r.try_get(2)?,
                closed_at: r.try_get(3)?,
            })
        })
        .collect()
}

/// Open issues of one reason.
#[derive(Debug, Clone, Copy)]
pub struct CountedIssue {
    /// Number of the reason.
    pub reason: i32,
    /// Open issues.
    pub open: u64,
}

/// Open issues of a school that a reader may see, by reason.
pub async fn count_open(
    conn: &mut PgConnection,
    school_code: &str,
    view: &IssueView,
) -> Result<Vec<CountedIssue>, DbError> {
    let rows = sqlx::query(
        "select reason, count(*) from data_issue where school_code = $1 and closed_at is null and kind = any($2)
         group by 1 order by 1",
    )
    .bind(school_code)
    .bind(small(&view.kinds))
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|r| {
            Ok(CountedIssue {
                reason: i32::from(r.try_get::<i16, _>(0)?),
                open: r.try_get::<i64, _>(1)? as u64,
            })
        })
        .collect()
}

/// Numbers of kinds as the table has them.
fn small(kinds: &[i32]) -> Vec<i16> {
    kinds.iter().map(|k| i16::try_from(*k).unwrap_or_default()).collect()
}
