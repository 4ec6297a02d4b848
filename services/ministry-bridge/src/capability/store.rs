use eduhub_pg::{DbError, PgConnection};
use eduhub_proto::bridge::v1::{Capability, TransferMode, TransferState};
use eduhub_proto::common::v1::Dataset;
use sqlx::Row;
use time::OffsetDateTime;

use crate::transfer::timestamp;

/// All datasets, with the schools that have a finished transfer of each.
pub(super) async fn list(conn: &mut PgConnection) -> Result<Vec<Capability>, DbError> {
    let rows = sqlx::query(
        "select c.dataset, c.mode, c.changed_at, c.changed_by, \
         (select count(distinct school_code) from transfer t where t.dataset = c.dataset and t.state = $1) \
         from capability c order by c.dataset",
    )
    .bind(TransferState::Done as i16)
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Capability {
                dataset: row.try_get::<i16, _>(0)?.into(),
                mode: row.try_get::<i16, _>(1)?.into(),
                changed_at: Some(timestamp(row.try_get::<OffsetDateTime, _>(2)?)),
                changed_by: row.try_get(3)?,
                schools_transferred: u64::try_from(row.try_get::<i64, _>(4)?).unwrap_or(0),
            })
        })
        .collect()
}

/// Switches one dataset; the same again changes nothing.
pub(super) async fn set(
    conn: &mut PgConnection,
    dataset: Dataset,
    mode: TransferMode,
    by: &str,
) -> Result<(), DbError> {
    sqlx::query(
        "update capability set mode = $2, changed_by = $3, changed_at = now() where dataset = $1 and mode <> $2",
    )
    .bind(dataset as i16)
    .bind(mode as i16)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}
