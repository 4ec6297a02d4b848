//! Batches in the database.
use eduhub_pg::{Failure, PgConnection};
use sqlx::FromRow;
use time::OffsetDateTime;
use uuid::Uuid;

/// Row of a batch.
#[derive(Debug, Clone, FromRow)]
#[allow(missing_docs)]
pub struct BatchRow {
    pub id: Uuid,
    pub form: Vec<u8>,
    pub request_digest: Vec<u8>,
    pub submitted_at: OffsetDateTime,
    pub submitted_by: String,
}

/// What is written of a new batch.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct New {
    pub area: String,
    pub form: Vec<u8>,
    pub request_id: Option<Uuid>,
    pub request_digest: Vec<u8>,
    pub submitted_by: String,
}

/// Adds a batch; `None` when this request id of this principal is there already.
pub async fn insert(conn: &mut PgConnection, new: &New) -> Result<Option<BatchRow>, Failure> {
    let insert = "insert into batches (id, area, form, request_id, request_digest, submitted_by)
        values ($1, $2, $3, $4, $5, $6) on conflict on constraint batches_request do nothing
        returning id, form, request_digest, submitted_at, submitted_by";
    let query = sqlx::query_as(insert).bind(Uuid::now_v7()).bind(&new.area).bind(&new.form);
    let query = query.bind(new.request_id).bind(&new.request_digest).bind(&new.submitted_by);
    Ok(query.fetch_optional(conn).await?)
}

/// The batch that a request id made.
pub async fn by_request(conn: &mut PgConnection, new: &New) -> Result<Option<BatchRow>, Failure> {
    let query = "select id, form, request_digest, submitted_at, submitted_by from batches
        where submitted_by = $1 and request_id = $2";
    Ok(sqlx::query_as(query).bind(&new.submitted_by).bind(new.request_id).fetch_optional(conn).await?)
}
