//! The principal behind a request, and what its handler asks of it.
use crate::revocation::Watch;
use crate::{CallerKind, Claims, Role};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::DataDomain;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

/// Set of schools: the union of the three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// All schools of the province.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub province: bool,
    /// Schools on the ground of these communes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub communes: BTreeSet<String>,
    /// These schools.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub schools: BTreeSet<String>,
}

impl Scope {
    /// The whole province.
    pub fn province() -> Self {
        Self { province: true, ..Self::default() }
    }

    /// One school.
    pub fn school(code: impl Into<String>) -> Self {
        Self { schools: BTreeSet::from([code.into()]), ..Self::default() }
    }

    /// One commune.
    pub fn commune(code: impl Into<String>) -> Self {
        Self { communes: BTreeSet::from([code.into()]), ..Self::default() }
    }

    /// Whether a school is in it.
    pub fn covers(&self, place: &SchoolPlace) -> bool {
        self.province
            || self.communes.contains(&place.commune_code)
            || self.schools.contains(&place.school_code)
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        !self.province && self.communes.is_empty() && self.schools.is_empty()
    }
}

/// A school and the commune it stands in, as registry knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchoolPlace {
    /// Code of the school.
    pub school_code: String,
    /// Commune or ward, five digits.
    pub commune_code: String,
}

/// The principal behind a request, as its verified token tells.
#[derive(Clone)]
pub struct Caller {
    /// Principal id.
    pub sub: String,
    /// What it is.
    pub kind: CallerKind,
    /// Name for people. Personal data for an officer: not for logs.
    pub name: String,
    /// Roles.
    pub roles: Vec<Role>,
    /// Division or commune code of an officer, e.g. `DIV_SECONDARY` or `14329`.
    pub office: Option<String>,
    /// Grant of an API client.
    pub grant: Option<Uuid>,
    /// When the grant's last day ends.
    pub grant_until: Option<OffsetDateTime>,
    /// Schools in reach.
    pub scope: Scope,
    /// Data domains in reach.
    pub domains: Vec<DataDomain>,
    /// Highest number of `common.v1.Sensitivity` that may be seen.
    pub max_class: i32,
    /// Id of the token.
    pub token_id: Uuid,
    /// When the token ends.
    pub expires_at: OffsetDateTime,
    pub(crate) watch: Watch,
}

impl Caller {
    pub(crate) fn new(claims: Claims, watch: Watch) -> Self {
        let at = |seconds| OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Self {
            sub: claims.sub,
            kind: claims.kind,
            name: claims.name,
            roles: claims.roles,
            office: claims.office,
            grant: claims.grant,
            grant_until: claims.grant_until.map(at),
            scope: claims.scope,
            // A domain that this build does not know gives no right.
            domains: claims.domains.into_iter().filter_map(|n| DataDomain::try_from(n).ok()).collect(),
            max_class: claims.max_class,
            token_id: claims.jti,
            expires_at: at(claims.exp),
            watch,
        }
    }

    /// Whether it has a role.
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether it has one of these roles.
    pub fn has_any_role(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.has_role(*role))
    }

    /// Whether it holds this office, e.g. `DIV_STUDENT_AFFAIRS`.
    pub fn has_office(&self, office: &str) -> bool {
        self.office.as_deref() == Some(office)
    }

    /// Whether a data domain is in reach.
    pub fn has_domain(&self, domain: DataDomain) -> bool {
        domain != DataDomain::Unspecified && self.domains.contains(&domain)
    }

    /// Requires one of these roles.
    ///
    /// # Errors
    /// PERMISSION_DENIED/FORBIDDEN.
    pub fn require_role(&self, roles: &[Role]) -> Result<(), Fault> {
        if self.has_any_role(roles) { Ok(()) } else { Err(Fault::new(Reason::Forbidden)) }
    }

    /// Requires that it is this one of EduHub's own services, by its id or its name, e.g. `approval`.
    ///
    /// # Errors
    /// PERMISSION_DENIED/FORBIDDEN.
    pub fn require_service(&self, service: &str) -> Result<(), Fault> {
        let is = self.kind == CallerKind::Service && (self.sub == service || self.name == service);
        if is { Ok(()) } else { Err(Fault::new(Reason::Forbidden)) }
    }

    /// Requires a data domain.
    ///
    /// # Errors
    /// PERMISSION_DENIED/FORBIDDEN with the domain in its metadata.
    pub fn require_domain(&self, domain: DataDomain) -> Result<(), Fault> {
        if self.has_domain(domain) {
            return Ok(());
        }
        Err(Fault::new(Reason::Forbidden).meta("domain", domain.as_str_name()))
    }

    /// Requires a school and a data domain of it.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND when the school is out of scope: the same as for one that does not exist.
    /// PERMISSION_DENIED/FORBIDDEN when only the domain is out of reach.
    pub fn require_school(&self, place: &SchoolPlace, domain: DataDomain) -> Result<(), Fault> {
        if !self.scope.covers(place) {
            return Err(Fault::new(Reason::SchoolNotFound));
        }
        self.require_domain(domain)
    }

    /// Requires a commune: all its schools are in reach.
    ///
    /// # Errors
    /// NOT_FOUND/NOT_FOUND.
    pub fn require_commune(&self, commune_code: &str) -> Result<(), Fault> {
        if self.scope.province || self.scope.communes.contains(commune_code) {
            return Ok(());
        }
        Err(Fault::new(Reason::NotFound))
    }

    /// Requires the whole province.
    ///
    /// # Errors
    /// PERMISSION_DENIED/FORBIDDEN.
    pub fn require_province(&self) -> Result<(), Fault> {
        if self.scope.province { Ok(()) } else { Err(Fault::new(Reason::Forbidden)) }
    }

    /// Resolves when an open stream must end, with what to end it with: PERMISSION_DENIED/GRANT_REVOKED when the grant or the
    /// principal is revoked or the grant's last day is over, UNAVAILABLE/UNAVAILABLE when the token has ended and nobody could
    /// confirm for 60 s that it still stands. Pending for ever otherwise: `select!` it beside the stream's work.
    pub fn revoked(&self) -> impl Future<Output = Fault> + Send + 'static {
        self.watch.clone().ended(self.grant, self.sub.clone(), self.expires_at, self.grant_until)
    }
}

/// Without the name, which may be a person's.
impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("sub", &self.sub)
            .field("kind", &self.kind)
            .field("roles", &self.roles)
            .field("office", &self.office)
            .field("grant", &self.grant)
            .finish_non_exhaustive()
    }
}

/// The caller that [`crate::AuthLayer`] put beside a request, without a copy: one is made per token, not per call.
///
/// # Errors
/// UNAUTHENTICATED/UNAUTHENTICATED on an RPC that is public and was called without a token.
pub fn shared(extensions: &http::Extensions) -> Result<Arc<Caller>, Fault> {
    extensions.get::<Arc<Caller>>().cloned().ok_or_else(|| Fault::new(Reason::Unauthenticated))
}

/// As [`shared`], with a copy.
///
/// # Errors
/// UNAUTHENTICATED/UNAUTHENTICATED on an RPC that is public and was called without a token.
pub fn caller<T>(request: &tonic::Request<T>) -> Result<Caller, Fault> {
    shared(request.extensions()).map(|caller| Caller::clone(&caller))
}
