//! Reads the recorded transitions of a submission.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::entity::{Recorded, Who};
use super::find::{event, state};
use super::model::State;
use super::review::RecordReason;

/// Transitions, oldest first. There are at most ten: one for each of eight steps, the first, and the last.
pub(super) async fn of(conn: &mut PgConnection, id: Uuid) -> sqlx::Result<Vec<Recorded>> {
    let mut transitions = sqlx::query(
        "select seq, event, from_state, to_state, step_no, principal_id, principal_name, office, at, why, digest, \
         accountable_division from transition where submission_id = $1 order by seq",
    )
    .bind(id)
    .try_map(|row: PgRow| recorded(&row))
    .fetch_all(&mut *conn)
    .await?;
    let mut reasons: HashMap<i64, Vec<RecordReason>> = HashMap::new();
    let rows = sqlx::query(
        "select seq, kind, record_key, reason from record_reason where submission_id = $1 order by seq, kind, record_key",
    )
    .bind(id)
    .fetch_all(conn)
    .await?;
    for row in rows {
        let reason =
            RecordReason { kind: row.try_get(1)?, record_key: row.try_get(2)?, text: row.try_get(3)? };
        reasons.entry(row.try_get(0)?).or_default().push(reason);
    }
    for transition in &mut transitions {
        transition.record_reasons = reasons.remove(&transition.seq).unwrap_or_default();
    }
    Ok(transitions)
}

fn recorded(row: &PgRow) -> sqlx::Result<Recorded> {
    let from: Option<i16> = row.try_get(2)?;
    Ok(Recorded {
        seq: row.try_get(0)?,
        event: event(row, 1)?,
        from: from.and_then(State::of),
        to: state(row, 3)?,
        step_no: row.try_get(4)?,
        by: Who { principal_id: row.try_get(5)?, name: row.try_get(6)?, office: row.try_get(7)? },
        at: row.try_get(8)?,
        why: row.try_get(9)?,
        digest: row.try_get(10)?,
        accountable_division: row.try_get(11)?,
        record_reasons: vec![],
    })
}
