//! Reads submissions. Pages come by key, and everything beside the heads in two statements a page, not in two a row.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::entity::{Approved, Decided, School, Subject, Submission, Who};
use super::model::{Event, State};
use super::page::Key;
use super::review::{PastDecision, Review, Verdict};
use crate::access::Sight;

const HEAD: &str = "select submission_id, school_code, school_name, commune_code, level, independent_group, school_year, \
    period, dataset, cycle, state, coalesce(current_step, 0::smallint), accountable_division, seal, digest, traceparent, \
    submitted_by, submitted_by_name, submitted_at, changed_at, approved_at, version from submission";

/// What a list asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Filter {
    pub(super) school_code: Option<String>,
    pub(super) states: Vec<i16>,
    /// Waiting for this office, in the order of its queue.
    pub(super) queue_of: Option<String>,
    pub(super) school_year: Option<i32>,
    pub(super) dataset: Option<i16>,
    pub(super) period: Option<i16>,
}

/// One submission, locked until the end of the transaction when `lock` says so.
pub(super) async fn one(conn: &mut PgConnection, id: Uuid, lock: bool) -> sqlx::Result<Option<Submission>> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push(" where submission_id = ").push_bind(id);
    if lock {
        query.push(" for update");
    }
    let found = query.build().try_map(|row| head(&row)).fetch_optional(&mut *conn).await?;
    Ok(fill(conn, found.into_iter().collect()).await?.pop())
}

/// Up to `limit` submissions after `after` that `sight` may see.
pub(super) async fn page(
    conn: &mut PgConnection,
    sight: &Sight,
    filter: &Filter,
    after: Option<&Key>,
    limit: i64,
) -> sqlx::Result<Vec<Submission>> {
    let mut query = QueryBuilder::<Postgres>::new(HEAD);
    query.push(" where dataset = any(").push_bind(sight.datasets.clone()).push(")");
    if !sight.province {
        query.push(" and (commune_code = any(").push_bind(sight.communes.clone());
        query.push(") or school_code = any(").push_bind(sight.schools.clone()).push("))");
    }
    narrow(&mut query, filter);
    match (&filter.queue_of, after) {
        (Some(_), Some(key)) => {
            query.push(" and (not independent_group, submitted_at, submission_id) > (");
            query.push_bind(!key.independent_group).push(", ").push_bind(key.submitted_at).push(", ");
            query.push_bind(key.id).push(")");
        }
        (None, Some(key)) => {
            query.push(" and (submitted_at, submission_id) < (").push_bind(key.submitted_at).push(", ");
            query.push_bind(key.id).push(")");
        }
        (_, None) => {}
    }
    query.push(match filter.queue_of {
        Some(_) => " order by not independent_group, submitted_at, submission_id limit ",
        None => " order by submitted_at desc, submission_id desc limit ",
    });
    query.push_bind(limit);
    let heads = query.build().try_map(|row| head(&row)).fetch_all(&mut *conn).await?;
    fill(conn, heads).await
}

fn narrow(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    if let Some(office) = &filter.queue_of {
        query.push(" and state = 1 and current_office = ").push_bind(office.clone());
    }
    if let Some(code) = &filter.school_code {
        query.push(" and school_code = ").push_bind(code.clone());
    }
    if !filter.states.is_empty() {
        query.push(" and state = any(").push_bind(filter.states.clone()).push(")");
    }
    if let Some(year) = filter.school_year {
        query.push(" and school_year = ").push_bind(year);
    }
    if let Some(dataset) = filter.dataset {
        query.push(" and dataset = ").push_bind(dataset);
    }
    if let Some(period) = filter.period {
        query.push(" and period = ").push_bind(period);
    }
}

/// The submission of this school, year and dataset that was approved last.
pub(super) async fn last_approved(
    conn: &mut PgConnection,
    school_code: &str,
    school_year: i32,
    dataset: i16,
) -> sqlx::Result<Option<Approved>> {
    sqlx::query(
        "select submission_id, digest, period, cycle, approved_at from submission \
         where school_code = $1 and school_year = $2 and dataset = $3 and state in (3, 4) \
         order by approved_at desc, submission_id desc limit 1",
    )
    .bind(school_code)
    .bind(school_year)
    .bind(dataset)
    .try_map(|row: PgRow| {
        Ok(Approved {
            id: row.try_get(0)?,
            digest: row.try_get(1)?,
            period: row.try_get(2)?,
            cycle: row.try_get(3)?,
            approved_at: row.try_get(4)?,
        })
    })
    .fetch_optional(conn)
    .await
}

/// Adds steps and decisions to heads.
async fn fill(conn: &mut PgConnection, mut heads: Vec<Submission>) -> sqlx::Result<Vec<Submission>> {
    let ids: Vec<Uuid> = heads.iter().map(|s| s.id).collect();
    let mut steps: HashMap<Uuid, Vec<String>> = sqlx::query(
        "select submission_id, array_agg(office order by step_no) from submission_step \
         where submission_id = any($1) group by submission_id",
    )
    .bind(&ids)
    .try_map(|row: PgRow| Ok((row.try_get(0)?, row.try_get(1)?)))
    .fetch_all(&mut *conn)
    .await?
    .into_iter()
    .collect();
    let decisions: Vec<(Uuid, Decided)> = sqlx::query(
        "select submission_id, step_no, event, principal_id, principal_name, office, at, why, accountable_division \
         from transition where submission_id = any($1) and event in (2, 3) order by submission_id, seq",
    )
    .bind(&ids)
    .try_map(|row: PgRow| decided(&row))
    .fetch_all(conn)
    .await?;
    let mut by_submission: HashMap<Uuid, Vec<Decided>> = HashMap::new();
    for (id, decision) in decisions {
        by_submission.entry(id).or_default().push(decision);
    }
    for submission in &mut heads {
        submission.review.steps = steps.remove(&submission.id).unwrap_or_default();
        submission.decisions = by_submission.remove(&submission.id).unwrap_or_default();
        submission.review.decided = submission.decisions.iter().map(past).collect();
    }
    Ok(heads)
}

fn past(decision: &Decided) -> PastDecision {
    let principal_id = decision.by.principal_id.clone();
    PastDecision { step_no: decision.step_no, verdict: decision.verdict, principal_id }
}

fn decided(row: &PgRow) -> sqlx::Result<(Uuid, Decided)> {
    let verdict = if event(row, 2)? == Event::Approve { Verdict::Approve } else { Verdict::Return };
    let decision = Decided {
        step_no: row.try_get(1)?,
        verdict,
        by: Who { principal_id: row.try_get(3)?, name: row.try_get(4)?, office: row.try_get(5)? },
        at: row.try_get(6)?,
        comment: row.try_get(7)?,
        accountable_division: row.try_get(8)?,
    };
    Ok((row.try_get(0)?, decision))
}

fn head(row: &PgRow) -> sqlx::Result<Submission> {
    let review = Review {
        state: state(row, 10)?,
        current_step: row.try_get(11)?,
        steps: vec![],
        decided: vec![],
        accountable_division: row.try_get(12)?,
        digest: row.try_get(14)?,
        submitted_by: row.try_get(16)?,
        version: row.try_get(21)?,
    };
    Ok(Submission {
        id: row.try_get(0)?,
        subject: Subject {
            school_code: row.try_get(1)?,
            school_year: row.try_get(6)?,
            period: row.try_get(7)?,
            dataset: row.try_get(8)?,
        },
        school: School {
            name: row.try_get(2)?,
            commune_code: row.try_get(3)?,
            level: row.try_get(4)?,
            independent_group: row.try_get(5)?,
        },
        cycle: row.try_get(9)?,
        review,
        decisions: vec![],
        seal: row.try_get(13)?,
        traceparent: row.try_get(15)?,
        submitted_by_name: row.try_get(17)?,
        submitted_at: row.try_get(18)?,
        changed_at: row.try_get(19)?,
        approved_at: row.try_get(20)?,
    })
}

/// State in column `i`.
pub(super) fn state(row: &PgRow, i: usize) -> sqlx::Result<State> {
    let number: i16 = row.try_get(i)?;
    State::of(number).ok_or_else(|| sqlx::Error::Decode(format!("no state {number}").into()))
}

/// Event in column `i`.
pub(super) fn event(row: &PgRow, i: usize) -> sqlx::Result<Event> {
    let number: i16 = row.try_get(i)?;
    Event::of(number).ok_or_else(|| sqlx::Error::Decode(format!("no event {number}").into()))
}
