//! Writes submissions and their transitions; always both in the caller's transaction.

use sqlx::{PgConnection, Row};

use super::entity::NewSubmission;
use super::model::State;
use super::review::{Actor, Transition};
use uuid::Uuid;

/// Unique index behind "at most one under review".
const ONE_OPEN: &str = "submission_one_open";
/// Unique index behind the cycle number; two submissions at once may meet here first.
const ONE_CYCLE: &str = "submission_cycle";

/// What came of an insert.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    /// It is there.
    New,
    /// The id is in use.
    SameId,
    /// Another submission of the same subject is under review, or came at the same moment.
    AlreadyOpen,
}

/// Stores a new submission with the steps of its way. A unique violation ends the transaction: roll back, then look.
pub(super) async fn insert(conn: &mut PgConnection, new: &NewSubmission<'_>) -> sqlx::Result<Inserted> {
    let (subject, school, review) = (new.subject, new.school, new.review);
    let inserted = sqlx::query(
        "insert into submission (submission_id, school_code, school_name, commune_code, level, independent_group, \
         school_year, period, dataset, cycle, state, current_step, current_office, accountable_division, route_id, \
         route_version, seal, digest, traceparent, submitted_by, submitted_by_name, version) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
         (select coalesce(max(cycle), 0) + 1 from submission \
          where school_code = $2 and school_year = $7 and period = $8 and dataset = $9), \
         $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)",
    )
    .bind(new.id)
    .bind(&subject.school_code)
    .bind(&school.name)
    .bind(&school.commune_code)
    .bind(school.level)
    .bind(school.independent_group)
    .bind(subject.school_year)
    .bind(subject.period)
    .bind(subject.dataset)
    .bind(review.state as i16)
    .bind(review.current_step)
    .bind(review.current_office())
    .bind(&review.accountable_division)
    .bind(new.route.0)
    .bind(new.route.1)
    .bind(&new.seal)
    .bind(&review.digest)
    .bind(new.traceparent)
    .bind(&new.by.principal_id)
    .bind(&new.by.name)
    .bind(review.version)
    .execute(&mut *conn)
    .await;
    if let Some(clash) = inserted.as_ref().err().and_then(clash) {
        return Ok(clash);
    }
    inserted?;
    sqlx::query(
        "insert into submission_step (submission_id, step_no, office) \
         select $1, step_no::smallint, office from unnest($2::text[]) with ordinality as t (office, step_no)",
    )
    .bind(new.id)
    .bind(&review.steps)
    .execute(conn)
    .await?;
    Ok(Inserted::New)
}

fn clash(error: &sqlx::Error) -> Option<Inserted> {
    let db = error.as_database_error().filter(|db| db.is_unique_violation())?;
    match db.constraint() {
        Some("submission_pkey") => Some(Inserted::SameId),
        Some(ONE_OPEN | ONE_CYCLE) => Some(Inserted::AlreadyOpen),
        _ => None,
    }
}

/// Brings the submission to where `transition` leads. False when somebody else changed it meanwhile.
pub(super) async fn advance(
    conn: &mut PgConnection,
    id: Uuid,
    transition: &Transition,
    next_office: Option<&str>,
) -> sqlx::Result<bool> {
    let next_step = (transition.next_step > 0).then_some(transition.next_step);
    let done = sqlx::query(
        "update submission set state = $3, current_step = $4, current_office = $5, version = $2, changed_at = now(), \
         approved_at = case when $6 then now() else approved_at end \
         where submission_id = $1 and version = $2 - 1",
    )
    .bind(id)
    .bind(transition.seq)
    .bind(transition.to as i16)
    .bind(next_step)
    .bind(next_office)
    .bind(transition.to == State::Approved)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Records a transition with its reasons.
pub(super) async fn record(
    conn: &mut PgConnection,
    id: Uuid,
    transition: &Transition,
    by: &Actor,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into transition (submission_id, seq, event, from_state, to_state, step_no, principal_id, \
         principal_name, office, why, digest, accountable_division) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(id)
    .bind(transition.seq)
    .bind(transition.event as i16)
    .bind(transition.from.map(|s| s as i16))
    .bind(transition.to as i16)
    .bind(transition.step_no)
    .bind(&by.principal_id)
    .bind(&by.name)
    .bind(&by.office)
    .bind(&transition.why)
    .bind(&transition.digest)
    .bind(&transition.accountable_division)
    .execute(&mut *conn)
    .await?;
    if transition.record_reasons.is_empty() {
        return Ok(());
    }
    let reasons = &transition.record_reasons;
    sqlx::query(
        "insert into record_reason (submission_id, seq, kind, record_key, reason) \
         select $1, $2, * from unnest($3::smallint[], $4::text[], $5::text[])",
    )
    .bind(id)
    .bind(transition.seq)
    .bind(reasons.iter().map(|r| r.kind).collect::<Vec<_>>())
    .bind(reasons.iter().map(|r| r.record_key.clone()).collect::<Vec<_>>())
    .bind(reasons.iter().map(|r| r.text.clone()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Id of the submission of this subject that is under review.
pub(super) async fn open_one(
    conn: &mut PgConnection,
    subject: &super::entity::Subject,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query(
        "select submission_id from submission \
         where school_code = $1 and school_year = $2 and period = $3 and dataset = $4 and state = 1",
    )
    .bind(&subject.school_code)
    .bind(subject.school_year)
    .bind(subject.period)
    .bind(subject.dataset)
    .try_map(|row: sqlx::postgres::PgRow| row.try_get(0))
    .fetch_optional(conn)
    .await
}
