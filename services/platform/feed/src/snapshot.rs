//! The snapshot part of a stream: current rows, kind by kind.
use crate::{filter::View, page::Event};
use eduhub_changelog::{Phase, Position, RecordSet, SnapshotPoint, snapshot_page};
use eduhub_pg::DbError;
use sqlx::PgPool;

/// Rows in one page.
const PAGE: i64 = 1_000;

/// Where a snapshot goes on, and what it shows next.
pub(crate) struct Step {
    pub events: Vec<Event>,
    /// Phase after these events.
    pub next: Phase,
}

/// Start of a snapshot at this horizon.
pub(crate) fn start(horizon: i64) -> Phase {
    Phase::Snapshot { horizon, kind: 0, school_code: String::new(), record_key: String::new() }
}

/// The next page of a snapshot. Goes on with the following kind when one is through, and to the tail after the last.
pub(crate) async fn step<S: RecordSet>(
    pool: &PgPool,
    view: &View,
    point: &SnapshotPoint,
    kind: i32,
) -> Result<Step, DbError> {
    let tables: Vec<_> = S::tables().iter().filter(|t| view.kinds.contains(&t.meta.kind)).collect();
    let horizon = point.horizon;
    let at = tables.iter().position(|t| t.meta.kind == kind).unwrap_or(0);
    let Some(table) = tables.get(at) else {
        return Ok(Step { events: vec![], next: Phase::Tail(Position { xid: horizon, seq: 0 }) });
    };
    let mut conn = pool.acquire().await?;
    let rows = snapshot_page(&mut conn, table, point, view.school_list().as_deref(), PAGE).await?;
    let next = match rows.last() {
        Some(last) if rows.len() as i64 == PAGE => Phase::Snapshot {
            horizon,
            kind: table.meta.kind,
            school_code: last.school_code.clone(),
            record_key: last.record_key.clone(),
        },
        _ => match tables.get(at + 1) {
            Some(following) => Phase::Snapshot {
                horizon,
                kind: following.meta.kind,
                school_code: String::new(),
                record_key: String::new(),
            },
            None => Phase::Tail(Position { xid: horizon, seq: 0 }),
        },
    };
    let events = rows
        .into_iter()
        .map(|image| Event { position: Position::START, kind: table.meta.kind, image })
        .collect();
    Ok(Step { events, next })
}
