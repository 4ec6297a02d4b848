use eduhub_pg::{DbError, PgConnection};
use sqlx::Row;
use uuid::Uuid;

/// A workbook as stored.
pub(super) struct Export {
    pub(super) file_name: String,
    pub(super) sha256: Vec<u8>,
    pub(super) size_bytes: i64,
    pub(super) records: i64,
    pub(super) sealed: Vec<u8>,
}

/// Ties a sealed workbook to its transfer.
pub(super) fn aad(transfer_id: Uuid) -> Vec<u8> {
    format!("bridge/export/{transfer_id}").into_bytes()
}

pub(super) async fn put(conn: &mut PgConnection, id: Uuid, export: &Export) -> Result<(), DbError> {
    sqlx::query(
        "insert into export (transfer_id, file_name, sha256, size_bytes, records, sealed) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(&export.file_name)
    .bind(&export.sha256)
    .bind(export.size_bytes)
    .bind(export.records)
    .bind(&export.sealed)
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Export>, DbError> {
    let row = sqlx::query(
        "select file_name, sha256, size_bytes, records, sealed from export where transfer_id = $1",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Export {
            file_name: row.try_get(0)?,
            sha256: row.try_get(1)?,
            size_bytes: row.try_get(2)?,
            records: row.try_get(3)?,
            sealed: row.try_get(4)?,
        })
    })
    .transpose()
}

/// The digest of a workbook, if it is there.
pub(super) async fn digest(conn: &mut PgConnection, id: Uuid) -> Result<Option<Vec<u8>>, DbError> {
    Ok(sqlx::query_scalar("select sha256 from export where transfer_id = $1")
        .bind(id)
        .fetch_optional(conn)
        .await?)
}

/// Who said that it was keyed in; the first word stays.
pub(super) async fn confirm(conn: &mut PgConnection, id: Uuid, by: &str) -> Result<(), DbError> {
    sqlx::query("update export set confirmed_by = $2, confirmed_at = now() where transfer_id = $1 and confirmed_at is null")
        .bind(id)
        .bind(by)
        .execute(conn)
        .await?;
    Ok(())
}
