//! Grants in the database.
use crate::access::Sight;
use eduhub_auth::Scope;
use eduhub_pg::{DbError, Failure, PgConnection};
use sqlx::FromRow;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// Row of a grant.
#[derive(Debug, Clone, FromRow)]
#[allow(missing_docs)]
pub struct GrantRow {
    pub id: Uuid,
    pub kind: i16,
    pub principal_id: Uuid,
    pub name: String,
    pub application_id: Option<Uuid>,
    pub vendor_code: Option<String>,
    pub software: Option<String>,
    pub contract_number: String,
    pub secrecy_clause: String,
    pub school_code: Option<String>,
    pub commune_code: Option<String>,
    pub whole_school: bool,
    pub scope_province: bool,
    pub scope_communes: Vec<String>,
    pub scope_schools: Vec<String>,
    pub domains: Vec<i32>,
    pub max_class: i32,
    pub valid_from: Date,
    pub valid_to: Date,
    pub created_at: OffsetDateTime,
    pub created_by: String,
    pub ended_at: Option<OffsetDateTime>,
    pub ended_by: Option<String>,
    pub end_reason: Option<String>,
}

impl GrantRow {
    /// Schools in reach.
    pub fn scope(&self) -> Scope {
        Scope {
            province: self.scope_province,
            communes: self.scope_communes.iter().cloned().collect(),
            schools: self.scope_schools.iter().cloned().collect(),
        }
    }

    /// Neither ended nor over.
    pub fn is_live(&self, today: Date) -> bool {
        self.ended_at.is_none() && self.valid_to >= today
    }
}

/// Adds a grant as the row says; `created_at` is the database's.
pub async fn insert(conn: &mut PgConnection, row: &GrantRow) -> Result<(), DbError> {
    let insert = "insert into grants (id, kind, principal_id, name, application_id, vendor_code, software,
        contract_number, secrecy_clause, school_code, commune_code, scope_province, scope_communes, scope_schools,
        domains, max_class, valid_from, valid_to, created_by, whole_school)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
    let query = sqlx::query(insert).bind(row.id).bind(row.kind).bind(row.principal_id).bind(&row.name);
    let query = query.bind(row.application_id).bind(&row.vendor_code).bind(&row.software);
    let query = query.bind(&row.contract_number).bind(&row.secrecy_clause).bind(&row.school_code);
    let query = query.bind(&row.commune_code).bind(row.scope_province).bind(&row.scope_communes);
    let query = query.bind(&row.scope_schools).bind(&row.domains).bind(row.max_class);
    let query = query.bind(row.valid_from).bind(row.valid_to).bind(&row.created_by).bind(row.whole_school);
    query.execute(conn).await?;
    Ok(())
}

/// A grant that may be seen.
pub async fn get(conn: &mut PgConnection, id: Uuid, sight: &Sight) -> Result<Option<GrantRow>, Failure> {
    let query = "select * from grants where id = $1
        and ($2 or commune_code = any($3) or school_code = any($4) or id = $5)";
    let query = sqlx::query_as(query).bind(id).bind(sight.province).bind(&sight.communes);
    Ok(query.bind(&sight.schools).bind(sight.grant).fetch_optional(conn).await?)
}

/// The newest grant of a principal, the live one first.
pub async fn of_principal(conn: &mut PgConnection, principal: Uuid) -> Result<Option<GrantRow>, Failure> {
    let query =
        "select * from grants where principal_id = $1 order by (ended_at is null) desc, id desc limit 1";
    Ok(sqlx::query_as(query).bind(principal).fetch_optional(conn).await?)
}

/// The vendors' grants of a school that have not been ended (their last day may be over), oldest first.
pub async fn open_of_school(conn: &mut PgConnection, school: &str) -> Result<Vec<GrantRow>, Failure> {
    let query = "select * from grants where school_code = $1 and kind = 1 and ended_at is null order by id";
    Ok(sqlx::query_as(query).bind(school).fetch_all(conn).await?)
}

/// From now on a grant holds its own domains and not the rest of the school.
pub async fn keep_domains_only(conn: &mut PgConnection, id: Uuid) -> Result<(), Failure> {
    let update = "update grants set whole_school = false where id = $1 and whole_school";
    sqlx::query(update).bind(id).execute(conn).await?;
    Ok(())
}

/// What a list of grants is narrowed to.
#[derive(Debug)]
pub struct Filter {
    /// Only this school; empty: all.
    pub school: String,
    /// Only this vendor; empty: all.
    pub vendor: String,
    /// Ended ones too.
    pub with_ended: bool,
}

/// A page of grants by id.
pub async fn page(
    conn: &mut PgConnection,
    filter: &Filter,
    sight: &Sight,
    after: Uuid,
    fetch: i64,
) -> Result<Vec<GrantRow>, Failure> {
    let query = "select * from grants where id > $1
        and ($2 or commune_code = any($3) or school_code = any($4) or id = $5)
        and ($6 = '' or school_code = $6) and ($7 = '' or vendor_code = $7)
        and ($8 or ended_at is null) order by id limit $9";
    let query = sqlx::query_as(query).bind(after).bind(sight.province).bind(&sight.communes);
    let query = query.bind(&sight.schools).bind(sight.grant).bind(&filter.school).bind(&filter.vendor);
    Ok(query.bind(filter.with_ended).bind(fetch).fetch_all(conn).await?)
}

/// Ends a grant; false when it had ended before.
pub async fn end(conn: &mut PgConnection, id: Uuid, by: &str, reason: &str) -> Result<bool, Failure> {
    let update = "update grants set ended_at = now(), ended_by = $2, end_reason = $3
        where id = $1 and ended_at is null";
    let done = sqlx::query(update).bind(id).bind(by).bind(reason).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}
