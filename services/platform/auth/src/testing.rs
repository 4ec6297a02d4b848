//! Tokens, callers and a verifier for tests: no identity service needed.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use eduhub_auth::{Role, testing::{TokenMint, Persona}};
//!
//! let mint = TokenMint::new()?;
//! let token = mint.token(&Persona::vendor("37000001"))?;
//! let caller = mint.verifier().verify(&token).await?;
//! assert!(caller.has_role(Role::Vendor));
//! # Ok(()) }
//! ```
use crate::keys::{KeyError, Signer};
use crate::revocation::{Trust, Watch};
use crate::{
    AUDIENCE, Caller, CallerKind, Claims, ISSUER, IssuedToken, MAX_LIFE, Role, Scope, ServiceIdentity,
    TokenSource, TrustSource, Verifier,
};
use async_trait::async_trait;
use eduhub_faults::Fault;
use eduhub_proto::common::v1::{DataDomain, Sensitivity};
use eduhub_proto::identity::v1::{ListRevocationsResponse, PublicKey, Revocation, RevocationKind};
use std::sync::{Arc, Mutex, PoisonError};
use time::OffsetDateTime;
use uuid::Uuid;

/// Whom a test token speaks for; change any field.
#[derive(Debug, Clone)]
pub struct Persona(pub Claims);

impl Persona {
    /// A persona of one role with all domains, the highest class, and this scope; live from now for 15 minutes.
    pub fn new(role: Role, scope: Scope) -> Self {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let kind = match role {
            Role::Vendor | Role::Consumer => CallerKind::ApiClient,
            Role::Service => CallerKind::Service,
            _ => CallerKind::Officer,
        };
        Self(Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: Uuid::now_v7().to_string(),
            jti: Uuid::now_v7(),
            iat: now,
            exp: now + i64::try_from(MAX_LIFE.as_secs()).unwrap_or(0),
            kind,
            name: format!("test {}", role.name()),
            roles: vec![role],
            office: None,
            grant: (kind == CallerKind::ApiClient).then(Uuid::now_v7),
            grant_until: None,
            scope,
            domains: all_domains(),
            max_class: Sensitivity::Secret as i32,
        })
    }

    /// A vendor of one school under a grant of its own.
    pub fn vendor(school_code: &str) -> Self {
        Self::new(Role::Vendor, Scope::school(school_code))
    }

    /// A consumer of the whole province that sees basic data.
    pub fn consumer() -> Self {
        Self::new(Role::Consumer, Scope::province()).max_class(Sensitivity::Basic)
    }

    /// An officer of one school.
    pub fn school_officer(school_code: &str) -> Self {
        Self::new(Role::SchoolOfficer, Scope::school(school_code))
    }

    /// A commune's reviewer.
    pub fn commune_reviewer(commune_code: &str) -> Self {
        Self::new(Role::CommuneReviewer, Scope::commune(commune_code)).office(commune_code)
    }

    /// A reviewer of a division, e.g. `DIV_STUDENT_AFFAIRS`.
    pub fn division_reviewer(office: &str) -> Self {
        Self::new(Role::DivisionReviewer, Scope::province()).office(office)
    }

    /// An administrator.
    pub fn admin() -> Self {
        Self::new(Role::DepartmentAdmin, Scope::province())
    }

    /// A service; its principal id is its name.
    pub fn service(name: &str) -> Self {
        let mut persona = Self::new(Role::Service, Scope::province());
        persona.0.sub = name.to_owned();
        persona.0.name = name.to_owned();
        persona
    }

    /// With this office.
    pub fn office(mut self, office: &str) -> Self {
        self.0.office = Some(office.to_owned());
        self
    }

    /// With only these data domains.
    pub fn domains(mut self, domains: &[DataDomain]) -> Self {
        self.0.domains = domains.iter().map(|domain| *domain as i32).collect();
        self
    }

    /// With this highest class of fields.
    pub fn max_class(mut self, class: Sensitivity) -> Self {
        self.0.max_class = class as i32;
        self
    }

    /// Under this grant.
    pub fn grant(mut self, grant: Uuid) -> Self {
        self.0.grant = Some(grant);
        self
    }

    /// The caller as a handler gets it, never revoked: for tests of models without a server.
    pub fn caller(&self) -> Caller {
        let (sender, receiver) = tokio::sync::watch::channel(Trust::default());
        drop(sender);
        Caller::new(self.0.clone(), Watch(receiver))
    }
}

/// A caller of one role with the scope of the province.
pub fn caller_with_role(role: Role) -> Caller {
    Persona::new(role, Scope::province()).caller()
}

fn all_domains() -> Vec<i32> {
    (1..).map_while(|n| DataDomain::try_from(n).ok()).map(|domain| domain as i32).collect()
}

/// Makes tokens with a key of its own, and a verifier that trusts them. Cheap to clone.
#[derive(Clone)]
pub struct TokenMint(Arc<Mint>);

struct Mint {
    signer: Signer,
    verifier: std::sync::OnceLock<Verifier>,
    revocations: Mutex<Vec<Revocation>>,
}

impl TokenMint {
    /// A mint with a new key.
    ///
    /// # Errors
    /// [`KeyError`] when the random source fails.
    pub fn new() -> Result<Self, KeyError> {
        let (verifier, revocations) = Default::default();
        Ok(Self(Arc::new(Mint { signer: Signer::generate()?, verifier, revocations })))
    }

    /// A token for a persona.
    ///
    /// # Errors
    /// [`KeyError::Sign`].
    pub fn token(&self, persona: &Persona) -> Result<String, KeyError> {
        self.0.signer.sign(&persona.0)
    }

    /// `Bearer <token>` as the value of the metadata key `authorization`.
    ///
    /// # Errors
    /// [`KeyError::Sign`].
    pub fn bearer(&self, persona: &Persona) -> Result<tonic::metadata::AsciiMetadataValue, KeyError> {
        format!("Bearer {}", self.token(persona)?).parse().map_err(|_| KeyError::Sign)
    }

    /// The verifier that trusts this mint; needs a tokio runtime. All calls give the same one.
    pub fn verifier(&self) -> Verifier {
        let source = MintTrust(self.0.signer.public_key().clone(), Arc::downgrade(&self.0));
        self.0.verifier.get_or_init(|| Verifier::with_source(source)).clone()
    }

    /// Revokes a grant; the verifier knows at once.
    ///
    /// # Errors
    /// None in practice: the mint is its own source.
    pub async fn revoke_grant(&self, grant: Uuid) -> Result<(), Fault> {
        self.revoke(RevocationKind::Grant, grant.to_string()).await
    }

    /// Revokes a principal; the verifier knows at once.
    ///
    /// # Errors
    /// None in practice: the mint is its own source.
    pub async fn revoke_principal(&self, sub: &str) -> Result<(), Fault> {
        self.revoke(RevocationKind::Principal, sub.to_owned()).await
    }

    async fn revoke(&self, kind: RevocationKind, id: String) -> Result<(), Fault> {
        {
            let mut all = self.0.revocations.lock().unwrap_or_else(PoisonError::into_inner);
            let sequence = i64::try_from(all.len()).unwrap_or(i64::MAX) + 1;
            all.push(Revocation { sequence, kind: kind as i32, id, revoked_at: None });
        }
        self.verifier().refresh().await
    }

    /// The identity of a service whose tokens this mint makes; needs a tokio runtime.
    pub fn service_identity(&self, name: &str) -> ServiceIdentity {
        ServiceIdentity::with_source(MintTokens(self.clone(), name.to_owned()))
    }
}

/// Weak, because the mint owns the verifier that owns this.
struct MintTrust(PublicKey, std::sync::Weak<Mint>);

#[async_trait]
impl TrustSource for MintTrust {
    async fn keys(&self) -> Result<Vec<PublicKey>, Fault> {
        Ok(vec![self.0.clone()])
    }

    async fn revocations(&self, after: i64) -> Result<ListRevocationsResponse, Fault> {
        let Some(mint) = self.1.upgrade() else { return Ok(ListRevocationsResponse::default()) };
        let all = mint.revocations.lock().unwrap_or_else(PoisonError::into_inner);
        let revocations = all.iter().filter(|entry| entry.sequence > after).cloned().collect();
        Ok(ListRevocationsResponse { revocations, has_more: false })
    }
}

struct MintTokens(TokenMint, String);

#[async_trait]
impl TokenSource for MintTokens {
    async fn issue(&self) -> Result<IssuedToken, Fault> {
        let persona = Persona::service(&self.1);
        let expires_at = OffsetDateTime::from_unix_timestamp(persona.0.exp).map_err(Fault::internal)?;
        let token = self.0.token(&persona).map_err(Fault::internal)?;
        Ok(IssuedToken { token: token.into(), expires_at })
    }
}
