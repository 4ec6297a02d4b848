use eduhub_pg::{DbError, PgConnection};
use eduhub_proto::bridge::v1::{DifferenceType, KindReconciled, Reconciled, ReconciliationState};
use eduhub_proto::common::v1::{Kind, Sensitivity};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::model::{Difference, Findings, Reconciliation};
use crate::ledger;

/// Inserts one; false when the id is known.
pub(super) async fn insert(conn: &mut PgConnection, id: Uuid, transfer_id: Uuid) -> Result<bool, DbError> {
    let done = sqlx::query(
        "insert into reconciliation (reconciliation_id, transfer_id, state) values ($1, $2, $3) on conflict do nothing",
    )
    .bind(id)
    .bind(transfer_id)
    .bind(ReconciliationState::Running as i16)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Reconciliation>, DbError> {
    let row = sqlx::query(
        "select reconciliation_id, transfer_id, state, started_at, finished_at, problem from reconciliation \
         where reconciliation_id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Reconciliation {
            reconciliation_id: row.try_get(0)?,
            transfer_id: row.try_get(1)?,
            state: ReconciliationState::try_from(i32::from(row.try_get::<i16, _>(2)?)).unwrap_or_default(),
            started_at: row.try_get(3)?,
            finished_at: row.try_get(4)?,
            problem: row.try_get(5)?,
        })
    })
    .transpose()
}

pub(super) async fn end(
    conn: &mut PgConnection,
    id: Uuid,
    state: ReconciliationState,
    problem: &str,
) -> Result<(), DbError> {
    sqlx::query("update reconciliation set state = $2, problem = $3, finished_at = now() where reconciliation_id = $1")
        .bind(id)
        .bind(state as i16)
        .bind(problem)
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes everything that was found.
pub(super) async fn write(
    conn: &mut PgConnection,
    id: Uuid,
    transfer_id: Uuid,
    findings: &Findings,
) -> Result<(), DbError> {
    for (kind, c) in &findings.kinds {
        sqlx::query(
            "insert into reconciled_kind (reconciliation_id, kind, hub, ministry, matching, missing, extra, differing) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(id)
        .bind(*kind as i16)
        .bind(c.hub)
        .bind(c.ministry)
        .bind(c.matching)
        .bind(c.missing)
        .bind(c.extra)
        .bind(c.differing)
        .execute(&mut *conn)
        .await?;
    }
    for (part, differences) in findings.differences.chunks(2_000).enumerate() {
        insert_differences(conn, id, part * 2_000, differences).await?;
    }
    for found in [Reconciled::Matches, Reconciled::Differs, Reconciled::Missing] {
        ledger::mark_reconciled(conn, transfer_id, &findings.records_that(found), found).await?;
    }
    let problem = match findings.left_out {
        0 => String::new(),
        n => format!("{n} further differences are counted but not listed"),
    };
    end(conn, id, ReconciliationState::Done, &problem).await
}

async fn insert_differences(
    conn: &mut PgConnection,
    id: Uuid,
    first: usize,
    rows: &[Difference],
) -> Result<(), DbError> {
    let texts = |of: fn(&Difference) -> &String| rows.iter().map(|row| of(row).clone()).collect::<Vec<_>>();
    let numbers = |of: fn(&Difference) -> i16| rows.iter().map(of).collect::<Vec<_>>();
    sqlx::query(
        "insert into difference (reconciliation_id, seq, type, kind, record_id, record_key, field, label, class, hub_value, \
         ministry_value) \
         select $1, $2 + t.n::int, t.type, t.kind, t.record_id, t.record_key, t.field, t.label, t.class, t.hub, t.ministry \
         from unnest($3::smallint[], $4::smallint[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::smallint[], \
         $10::text[], $11::text[]) with ordinality \
         as t(type, kind, record_id, record_key, field, label, class, hub, ministry, n)",
    )
    .bind(id)
    .bind(i32::try_from(first).unwrap_or(i32::MAX))
    .bind(numbers(|row| row.kind_of as i16))
    .bind(numbers(|row| row.kind as i16))
    .bind(rows.iter().map(|row| row.record_id).collect::<Vec<_>>())
    .bind(texts(|row| &row.record_key))
    .bind(texts(|row| &row.field))
    .bind(texts(|row| &row.label))
    .bind(numbers(|row| row.class as i16))
    .bind(texts(|row| &row.hub_value))
    .bind(texts(|row| &row.ministry_value))
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn kinds(conn: &mut PgConnection, id: Uuid) -> Result<Vec<KindReconciled>, DbError> {
    let rows = sqlx::query(
        "select kind, hub, ministry, matching, missing, extra, differing from reconciled_kind \
         where reconciliation_id = $1 order by kind",
    )
    .bind(id)
    .fetch_all(conn)
    .await?;
    let count =
        |row: &PgRow, index: usize| row.try_get::<i64, _>(index).map(|n| u64::try_from(n).unwrap_or(0));
    rows.iter()
        .map(|row| {
            Ok(KindReconciled {
                kind: row.try_get::<i16, _>(0)?.into(),
                hub: count(row, 1)?,
                ministry: count(row, 2)?,
                matching: count(row, 3)?,
                missing: count(row, 4)?,
                extra: count(row, 5)?,
                differing: count(row, 6)?,
            })
        })
        .collect()
}

/// Differences after a position.
pub(super) async fn differences(
    conn: &mut PgConnection,
    id: Uuid,
    after: i64,
    limit: i64,
) -> Result<Vec<(i32, Difference)>, DbError> {
    let rows = sqlx::query(
        "select seq, type, kind, record_id, record_key, field, label, class, hub_value, ministry_value from difference \
         where reconciliation_id = $1 and seq > $2 order by seq limit $3",
    )
    .bind(id)
    .bind(i32::try_from(after).unwrap_or(i32::MAX))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    let number = |row: &PgRow, index: usize| row.try_get::<i16, _>(index).map(i32::from);
    rows.iter()
        .map(|row| {
            let difference = Difference {
                kind_of: DifferenceType::try_from(number(row, 1)?).unwrap_or_default(),
                kind: Kind::try_from(number(row, 2)?).unwrap_or_default(),
                record_id: row.try_get(3)?,
                record_key: row.try_get(4)?,
                field: row.try_get(5)?,
                label: row.try_get(6)?,
                class: Sensitivity::try_from(number(row, 7)?).unwrap_or(Sensitivity::Secret),
                hub_value: row.try_get(8)?,
                ministry_value: row.try_get(9)?,
            };
            Ok((row.try_get(0)?, difference))
        })
        .collect()
}
