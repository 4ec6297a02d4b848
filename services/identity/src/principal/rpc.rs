//! PrincipalService.
use super::{Kind, NewOfficer, store, wire};
use crate::check::{Check, today};
use crate::credential::{CredentialKind, Hasher, new_secret, store as credentials};
use crate::database::{Lock, transaction};
use crate::page::Page;
use crate::token::revocations::{self, Subject};
use crate::wire::id;
use eduhub_auth::{Role, caller};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{Failure, PgPool};
use eduhub_proto::identity::v1::principal_service_server::PrincipalService;
use eduhub_proto::identity::v1::{
    CreateOfficerRequest, CreateOfficerResponse, DisablePrincipalRequest, ListPrincipalsRequest,
    ListPrincipalsResponse, Principal,
};
use secrecy::ExposeSecret;
use tonic::{Request, Response, Status};

/// Answers PrincipalService.
pub struct Principals {
    pool: PgPool,
    hasher: Hasher,
}

impl Principals {
    /// On this database.
    pub fn new(pool: PgPool, hasher: Hasher) -> Self {
        Self { pool, hasher }
    }
}

#[tonic::async_trait]
impl PrincipalService for Principals {
    async fn create_officer(
        &self,
        request: Request<CreateOfficerRequest>,
    ) -> Result<Response<CreateOfficerResponse>, Status> {
        let by = caller(&request)?.sub;
        let officer = NewOfficer::parse(request.into_inner(), today())?;
        let (password, shown) = match officer.password {
            Some(chosen) => (chosen, String::new()),
            None => {
                let made = new_secret()?;
                let shown = made.expose_secret().to_owned();
                (made, shown)
            }
        };
        let hash = self.hasher.hash(password).await?;
        let new = store::New {
            kind: Kind::Officer,
            login: Some(officer.login.clone()),
            name: officer.name,
            role: officer.role,
            office: officer.office,
            scope: officer.scope,
            domains: officer.domains,
            max_class: officer.max_class,
        };
        let row = transaction(&self.pool, |conn| {
            Box::pin(async move {
                let id = store::insert(conn, &new, &by).await?;
                let material = credentials::Material::Hash(CredentialKind::Password, hash);
                credentials::put(conn, &officer.login, id, material, &by).await?;
                Ok(store::get(conn, id).await?.ok_or(eduhub_pg::DbError::NoRow)?)
            })
        });
        let principal = Some(wire::principal(row.await?));
        Ok(Response::new(CreateOfficerResponse { principal, password: shown }))
    }

    async fn disable_principal(
        &self,
        request: Request<DisablePrincipalRequest>,
    ) -> Result<Response<Principal>, Status> {
        let by = caller(&request)?.sub;
        let DisablePrincipalRequest { principal_id, reason } = request.into_inner();
        let target = id(&principal_id)?;
        let mut check = Check::new(today());
        check.text("reason", &reason, 2..=1000);
        check.finish()?;
        let row = transaction(&self.pool, move |conn| {
            Box::pin(async move {
                Lock::Administrators.take(conn).await?;
                let row = store::get(conn, target).await?.ok_or_else(|| Fault::new(Reason::NotFound))?;
                if row.disabled_at.is_some() {
                    return Ok(row);
                }
                let last =
                    row.role == Role::DepartmentAdmin.name() && store::live_administrators(conn).await? <= 1;
                if last || row.kind == Kind::Service as i16 || by == target.to_string() {
                    return Err(Fault::new(Reason::WrongState).into());
                }
                store::disable(conn, target, &by, &reason).await?;
                revocations::add(conn, Subject::Principal(target)).await?;
                Ok(store::get(conn, target).await?.unwrap_or(row))
            })
        });
        Ok(Response::new(wire::principal(row.await?)))
    }

    async fn list_principals(
        &self,
        request: Request<ListPrincipalsRequest>,
    ) -> Result<Response<ListPrincipalsResponse>, Status> {
        let request = request.into_inner();
        let (kind, with_disabled) = (request.kind, request.include_disabled);
        let page =
            Page::read(request.page_size, &request.page_token, format!("principals {kind} {with_disabled}"))?;
        let mut conn = self.pool.acquire().await.map_err(Failure::from)?;
        let mut rows = store::page(&mut conn, kind, with_disabled, page.after, page.fetch).await?;
        let next_page_token = page.cut(&mut rows, |row| row.id);
        let principals = rows.into_iter().map(wire::principal).collect();
        Ok(Response::new(ListPrincipalsResponse { principals, next_page_token }))
    }
}
