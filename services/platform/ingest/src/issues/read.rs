//! Reading a work list.
use super::{
    small,
    stored::{Columns, finding},
};
use eduhub_faults::Problem;
use eduhub_pg::DbError;
use eduhub_proto::dictionary::record_of;
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

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
        "select issue_id, problem, opened_at, closed_at, kind, record_key, reason, field, severity from data_issue
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
            let number = |column| r.try_get::<i16, _>(column).map(i32::from);
            let columns = Columns {
                kind: number(4)?,
                record_key: r.try_get(5)?,
                reason: number(6)?,
                field: r.try_get(7)?,
                severity: number(8)?,
            };
            let problem = finding(r.try_get(1)?, columns);
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
