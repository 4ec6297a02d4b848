//! Principals in the database.
use super::Kind;
use eduhub_auth::{Role, Scope};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, Failure, PgConnection};
use eduhub_proto::common::v1::{DataDomain, Sensitivity};
use sqlx::FromRow;
use time::OffsetDateTime;
use uuid::Uuid;

/// Row of a principal.
#[derive(Debug, Clone, FromRow)]
#[allow(missing_docs)]
pub struct PrincipalRow {
    pub id: Uuid,
    pub kind: i16,
    pub login: Option<String>,
    pub name: String,
    pub role: String,
    pub office: Option<String>,
    pub scope_province: bool,
    pub scope_communes: Vec<String>,
    pub scope_schools: Vec<String>,
    pub domains: Vec<i32>,
    pub max_class: i32,
    pub created_at: OffsetDateTime,
    pub disabled_at: Option<OffsetDateTime>,
}

impl PrincipalRow {
    /// Its scope; empty for API clients.
    pub fn scope(&self) -> Scope {
        Scope {
            province: self.scope_province,
            communes: self.scope_communes.iter().cloned().collect(),
            schools: self.scope_schools.iter().cloned().collect(),
        }
    }
}

/// What is written of a new principal.
pub struct New {
    /// Kind.
    pub kind: Kind,
    /// User name or service name.
    pub login: Option<String>,
    /// Name for people.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Division or commune.
    pub office: Option<String>,
    /// Schools in reach.
    pub scope: Scope,
    /// Data domains.
    pub domains: Vec<DataDomain>,
    /// Highest class of fields.
    pub max_class: Sensitivity,
}

impl New {
    /// An API client: what it may do stands in its grant.
    pub fn api_client(name: String, role: Role) -> Self {
        let (login, office, scope, domains) = Default::default();
        Self {
            kind: Kind::ApiClient,
            login,
            name,
            role,
            office,
            scope,
            domains,
            max_class: Sensitivity::Unspecified,
        }
    }
}

/// Adds a principal. ALREADY_EXISTS when the login is taken.
pub async fn insert(conn: &mut PgConnection, new: &New, by: &str) -> Result<Uuid, Failure> {
    let id = Uuid::now_v7();
    let insert = "insert into principals (id, kind, login, name, role, office, scope_province, scope_communes,
        scope_schools, domains, max_class, created_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let communes: Vec<&String> = new.scope.communes.iter().collect();
    let schools: Vec<&String> = new.scope.schools.iter().collect();
    let domains: Vec<i32> = new.domains.iter().map(|domain| *domain as i32).collect();
    let query = sqlx::query(insert).bind(id).bind(new.kind as i16).bind(&new.login).bind(&new.name);
    let query = query.bind(new.role.name()).bind(&new.office).bind(new.scope.province).bind(communes);
    let query = query.bind(schools).bind(domains).bind(new.max_class as i32).bind(by);
    match query.execute(conn).await.map_err(DbError::from) {
        Ok(_) => Ok(id),
        Err(error) if error.is_unique("principals_login") => Err(Fault::new(Reason::AlreadyExists).into()),
        Err(error) => Err(error.into()),
    }
}

/// A principal by id.
pub async fn get(conn: &mut PgConnection, id: Uuid) -> Result<Option<PrincipalRow>, Failure> {
    Ok(sqlx::query_as("select * from principals where id = $1").bind(id).fetch_optional(conn).await?)
}

/// A principal by kind and login.
pub async fn by_login(
    conn: &mut PgConnection,
    kind: Kind,
    login: &str,
) -> Result<Option<PrincipalRow>, Failure> {
    let query = "select * from principals where kind = $1 and login = $2";
    Ok(sqlx::query_as(query).bind(kind as i16).bind(login).fetch_optional(conn).await?)
}

/// A page of principals by id; `kind` 0 for all.
pub async fn page(
    conn: &mut PgConnection,
    kind: i32,
    with_disabled: bool,
    after: Uuid,
    fetch: i64,
) -> Result<Vec<PrincipalRow>, Failure> {
    let query =
        "select * from principals where id > $1 and ($2 = 0 or kind = $2) and ($3 or disabled_at is null)
        order by id limit $4";
    Ok(sqlx::query_as(query).bind(after).bind(kind).bind(with_disabled).bind(fetch).fetch_all(conn).await?)
}

/// Administrators that can sign in.
pub async fn live_administrators(conn: &mut PgConnection) -> Result<i64, Failure> {
    let query = "select count(*) from principals where role = $1 and disabled_at is null";
    Ok(sqlx::query_scalar(query).bind(Role::DepartmentAdmin.name()).fetch_one(conn).await?)
}

/// Disables a principal; the first time counts.
pub async fn disable(conn: &mut PgConnection, id: Uuid, by: &str, reason: &str) -> Result<(), Failure> {
    let update = "update principals set disabled_at = now(), disabled_by = $2, disable_reason = $3
        where id = $1 and disabled_at is null";
    sqlx::query(update).bind(id).bind(by).bind(reason).execute(conn).await?;
    Ok(())
}
