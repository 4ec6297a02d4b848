//! GrantService.
use super::{GrantRow, Kind, NewConsumer, store, wire};
use crate::access::{Sight, require_decider};
use crate::check::{Check, today};
use crate::credential::{CredentialKind, Hasher, new_client_id, new_secret, store as credentials};
use crate::database::transaction;
use crate::page::Page;
use crate::principal::store::{self as principals, New};
use crate::token::revocations::{self, Subject};
use crate::wire::id;
use eduhub_auth::{Caller, Role, caller, thumbprint};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, Failure, PgConnection, PgPool};
use eduhub_proto::identity::v1::grant_service_server::GrantService;
use eduhub_proto::identity::v1::{
    CreateConsumerGrantRequest, CreateCredentialRequest, CreateCredentialResponse, GetGrantRequest, Grant,
    ListGrantsRequest, ListGrantsResponse, PublicKey, RevokeCredentialRequest, RevokeCredentialResponse,
    RevokeGrantRequest,
};
use jsonwebtoken::DecodingKey;
use secrecy::ExposeSecret;
use time::OffsetDateTime;
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// Live credentials of one client: enough to change them without a gap, few enough to know them.
const MOST_CREDENTIALS: i64 = 5;

/// Answers GrantService.
pub struct Grants {
    pool: PgPool,
    hasher: Hasher,
}

impl Grants {
    /// On this database.
    pub fn new(pool: PgPool, hasher: Hasher) -> Self {
        Self { pool, hasher }
    }

    async fn seen(&self, grant: Uuid, sight: &Sight) -> Result<GrantRow, Failure> {
        let mut conn = self.pool.acquire().await?;
        found(&mut conn, grant, sight).await
    }
}

async fn found(conn: &mut PgConnection, grant: Uuid, sight: &Sight) -> Result<GrantRow, Failure> {
    store::get(conn, grant, sight).await?.ok_or_else(|| Fault::new(Reason::NotFound).into())
}

/// School officers make and end credentials of their own school (R-API-4); of the Department only those who decide do.
fn require_keeper(caller: &Caller) -> Result<(), Fault> {
    if caller.has_role(Role::SchoolOfficer) { Ok(()) } else { require_decider(caller) }
}

#[tonic::async_trait]
impl GrantService for Grants {
    async fn get_grant(&self, request: Request<GetGrantRequest>) -> Result<Response<Grant>, Status> {
        let sight = Sight::of(&caller(&request)?);
        let row = self.seen(id(&request.get_ref().grant_id)?, &sight).await?;
        Ok(Response::new(wire::grant(row)))
    }

    async fn list_grants(
        &self,
        request: Request<ListGrantsRequest>,
    ) -> Result<Response<ListGrantsResponse>, Status> {
        let sight = Sight::of(&caller(&request)?);
        let request = request.into_inner();
        let filter = store::Filter {
            school: request.school_code,
            vendor: request.vendor_code,
            with_ended: request.include_ended,
        };
        let page = Page::read(request.page_size, &request.page_token, format!("grants {filter:?}"))?;
        let mut conn = self.pool.acquire().await.map_err(Failure::from)?;
        let mut rows = store::page(&mut conn, &filter, &sight, page.after, page.fetch).await?;
        let next_page_token = page.cut(&mut rows, |row| row.id);
        let grants = rows.into_iter().map(wire::grant).collect();
        Ok(Response::new(ListGrantsResponse { grants, next_page_token }))
    }

    async fn create_credential(
        &self,
        request: Request<CreateCredentialRequest>,
    ) -> Result<Response<CreateCredentialResponse>, Status> {
        let caller = caller(&request)?;
        require_keeper(&caller)?;
        let CreateCredentialRequest { grant_id, public_key } = request.into_inner();
        let (grant, sight) = (id(&grant_id)?, Sight::of(&caller));
        // Before the expensive hash; the transaction looks again.
        self.seen(grant, &sight).await?;
        let (material, secret) = match public_key {
            Some(key) => (credentials::Material::Key(usable(key)?), String::new()),
            None => {
                let secret = new_secret()?;
                let shown = secret.expose_secret().to_owned();
                let hash = self.hasher.hash(secret).await?;
                (credentials::Material::Hash(CredentialKind::Secret, hash), shown)
            }
        };
        let client_id = new_client_id();
        let name = client_id.clone();
        let made = transaction(&self.pool, move |conn| {
            Box::pin(async move {
                let row = found(conn, grant, &sight).await?;
                if !row.is_live(today()) {
                    return Err(Fault::new(Reason::GrantRevoked).into());
                }
                if credentials::count(conn, row.principal_id).await? >= MOST_CREDENTIALS {
                    let fault =
                        Fault::new(Reason::Overloaded).detail("revoke a credential of this grant first");
                    return Err(fault.into());
                }
                credentials::put(conn, &name, row.principal_id, material, &caller.sub).await
            })
        });
        made.await?;
        Ok(Response::new(CreateCredentialResponse { client_id, secret }))
    }

    async fn revoke_credential(
        &self,
        request: Request<RevokeCredentialRequest>,
    ) -> Result<Response<RevokeCredentialResponse>, Status> {
        let caller = caller(&request)?;
        require_keeper(&caller)?;
        let client_id = request.into_inner().client_id;
        let revoked = transaction(&self.pool, |conn| {
            Box::pin(async move {
                let none = || Fault::new(Reason::NotFound);
                let owner = credentials::owner(conn, &client_id).await?.ok_or_else(none)?;
                let grant = store::of_principal(conn, owner).await?.ok_or_else(none)?;
                found(conn, grant.id, &Sight::of(&caller)).await?;
                credentials::revoke(conn, &client_id, &caller.sub).await
            })
        });
        revoked.await?;
        Ok(Response::new(RevokeCredentialResponse {}))
    }

    async fn revoke_grant(&self, request: Request<RevokeGrantRequest>) -> Result<Response<Grant>, Status> {
        let caller = caller(&request)?;
        require_decider(&caller)?;
        let RevokeGrantRequest { grant_id, reason } = request.into_inner();
        let grant = id(&grant_id)?;
        let mut check = Check::new(today());
        check.text("reason", &reason, 2..=1000);
        check.finish()?;
        let row = transaction(&self.pool, move |conn| {
            Box::pin(async move {
                let sight = Sight::of(&caller);
                found(conn, grant, &sight).await?;
                if store::end(conn, grant, &caller.sub, &reason).await? {
                    revocations::add(conn, Subject::Grant(grant)).await?;
                }
                found(conn, grant, &sight).await
            })
        });
        Ok(Response::new(wire::grant(row.await?)))
    }

    async fn create_consumer_grant(
        &self,
        request: Request<CreateConsumerGrantRequest>,
    ) -> Result<Response<Grant>, Status> {
        let caller = caller(&request)?;
        let new = NewConsumer::parse(request.into_inner(), today())?;
        let row = transaction(&self.pool, |conn| {
            Box::pin(async move {
                let client = New::api_client(new.name.clone(), Role::Consumer);
                let principal = principals::insert(conn, &client, &caller.sub).await?;
                let row = consumer(new, principal, caller.sub.clone());
                store::insert(conn, &row).await?;
                Ok(store::get(conn, row.id, &Sight::of(&caller)).await?.ok_or(DbError::NoRow)?)
            })
        });
        Ok(Response::new(wire::grant(row.await?)))
    }
}

fn consumer(new: NewConsumer, principal_id: Uuid, by: String) -> GrantRow {
    GrantRow {
        id: Uuid::now_v7(),
        kind: Kind::Consumer as i16,
        principal_id,
        name: new.name,
        application_id: None,
        vendor_code: None,
        software: None,
        contract_number: new.contract_number,
        secrecy_clause: new.secrecy_clause,
        school_code: None,
        commune_code: None,
        whole_school: false,
        scope_province: new.scope.province,
        scope_communes: new.scope.communes.into_iter().collect(),
        scope_schools: new.scope.schools.into_iter().collect(),
        domains: new.domains.iter().map(|domain| *domain as i32).collect(),
        max_class: new.max_class as i32,
        valid_from: new.period.0,
        valid_to: new.period.1,
        created_at: OffsetDateTime::UNIX_EPOCH,
        created_by: by,
        ended_at: None,
        ended_by: None,
        end_reason: None,
    }
}

/// A public key that could verify something: found out now instead of at the client's first sign-in.
fn usable(key: PublicKey) -> Result<PublicKey, Fault> {
    let bytes = |text: &str| {
        use base64::Engine;
        base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(text).unwrap_or_default().len()
    };
    if bytes(&key.x) != 32 || bytes(&key.y) != 32 || DecodingKey::from_ec_components(&key.x, &key.y).is_err()
    {
        return Err(Fault::invalid("public_key", "BAD_FORMAT: not a key on the curve P-256"));
    }
    Ok(PublicKey { key_id: thumbprint(&key.x, &key.y), ..key })
}
