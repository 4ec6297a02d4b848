//! Applications in the database.
use crate::access::Sight;
use eduhub_pg::{Failure, PgConnection};
use sqlx::FromRow;
use time::OffsetDateTime;
use uuid::Uuid;

/// State of an application; the numbers are those in the database and in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for the decision.
    Submitted = 1,
    /// The grant exists.
    Approved = 2,
    /// Refused.
    Refused = 3,
}

/// Row of an application.
#[derive(Debug, Clone, FromRow)]
#[allow(missing_docs)]
pub struct ApplicationRow {
    pub id: Uuid,
    pub state: i16,
    pub school_code: String,
    pub commune_code: String,
    pub directly_managed: bool,
    pub form: Vec<u8>,
    pub batch_id: Option<Uuid>,
    pub request_digest: Vec<u8>,
    pub submitted_at: OffsetDateTime,
    pub submitted_by: String,
    pub decided_at: Option<OffsetDateTime>,
    pub decided_by: Option<String>,
    pub decision_reason: Option<String>,
    pub grant_id: Option<Uuid>,
}

/// What is written of a new application.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct New {
    pub school_code: String,
    pub commune_code: String,
    pub directly_managed: bool,
    pub vendor_code: String,
    pub form: Vec<u8>,
    pub request_id: Option<Uuid>,
    pub request_digest: Vec<u8>,
    pub submitted_by: String,
}

/// Adds an application; `None` when this request id of this principal is there already.
pub async fn insert(conn: &mut PgConnection, new: &New) -> Result<Option<ApplicationRow>, Failure> {
    let insert =
        "insert into applications (id, school_code, commune_code, directly_managed, vendor_code, form,
        request_id, request_digest, submitted_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict on constraint applications_request do nothing returning *";
    let query = sqlx::query_as(insert).bind(Uuid::now_v7()).bind(&new.school_code).bind(&new.commune_code);
    let query = query.bind(new.directly_managed).bind(&new.vendor_code).bind(&new.form).bind(new.request_id);
    Ok(query.bind(&new.request_digest).bind(&new.submitted_by).fetch_optional(conn).await?)
}

/// The application that a request id made.
pub async fn by_request(conn: &mut PgConnection, new: &New) -> Result<Option<ApplicationRow>, Failure> {
    let query = "select * from applications where submitted_by = $1 and request_id = $2";
    Ok(sqlx::query_as(query).bind(&new.submitted_by).bind(new.request_id).fetch_optional(conn).await?)
}

/// An application that may be seen; locked for a decision when `lock`.
pub async fn get(
    conn: &mut PgConnection,
    id: Uuid,
    sight: &Sight,
    lock: bool,
) -> Result<Option<ApplicationRow>, Failure> {
    let plain = "select * from applications where id = $1
        and ($2 or commune_code = any($3) or school_code = any($4))";
    let locked = "select * from applications where id = $1
        and ($2 or commune_code = any($3) or school_code = any($4)) for update";
    let query = sqlx::query_as(if lock { locked } else { plain }).bind(id).bind(sight.province);
    Ok(query.bind(&sight.communes).bind(&sight.schools).fetch_optional(conn).await?)
}

/// What a list of applications is narrowed to.
#[derive(Debug)]
pub struct Filter {
    /// Only this state; 0: all.
    pub state: i32,
    /// Only this school; empty: all.
    pub school: String,
    /// Only schools of this commune; empty: all.
    pub commune: String,
}

/// A page of applications by id.
pub async fn page(
    conn: &mut PgConnection,
    filter: &Filter,
    sight: &Sight,
    after: Uuid,
    fetch: i64,
) -> Result<Vec<ApplicationRow>, Failure> {
    let query = "select * from applications where id > $1
        and ($2 or commune_code = any($3) or school_code = any($4))
        and ($5 = 0 or state = $5) and ($6 = '' or school_code = $6) and ($7 = '' or commune_code = $7)
        order by id limit $8";
    let query = sqlx::query_as(query).bind(after).bind(sight.province).bind(&sight.communes);
    let query = query.bind(&sight.schools).bind(filter.state).bind(&filter.school).bind(&filter.commune);
    Ok(query.bind(fetch).fetch_all(conn).await?)
}

/// A decision to be written.
#[derive(Debug)]
pub struct Decided<'a> {
    /// New state.
    pub state: State,
    /// Who decided.
    pub by: &'a str,
    /// Why.
    pub reason: &'a str,
    /// Grant of an approval.
    pub grant: Option<Uuid>,
}

/// Writes a decision on a row that is locked.
pub async fn decide(
    conn: &mut PgConnection,
    id: Uuid,
    decided: Decided<'_>,
) -> Result<ApplicationRow, Failure> {
    let update =
        "update applications set state = $2, decided_at = now(), decided_by = $3, decision_reason = $4,
        grant_id = $5 where id = $1 returning *";
    let query = sqlx::query_as(update).bind(id).bind(decided.state as i16).bind(decided.by);
    Ok(query.bind(decided.reason).bind(decided.grant).fetch_one(conn).await?)
}

/// The applications of a list of ids, locked in the order of their ids.
pub async fn lock_many(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<ApplicationRow>, Failure> {
    let query = "select * from applications where id = any($1) order by id for update";
    Ok(sqlx::query_as(query).bind(ids).fetch_all(conn).await?)
}

/// Marks applications as forwarded by a batch.
pub async fn forward(conn: &mut PgConnection, ids: &[Uuid], batch: Uuid) -> Result<(), Failure> {
    let update = "update applications set batch_id = $2 where id = any($1)";
    sqlx::query(update).bind(ids).bind(batch).execute(conn).await?;
    Ok(())
}
