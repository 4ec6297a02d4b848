//! What an access token says.
use crate::{CallerKind, Role, Scope};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

/// Issuer of every access token.
pub const ISSUER: &str = "eduhub-identity";
/// Audience of every access token.
pub const AUDIENCE: &str = "eduhub";
/// Longest life of an access token (design section 8); a token that claims more is refused.
pub const MAX_LIFE: Duration = Duration::from_secs(15 * 60);
/// How far the clocks of two hosts may differ.
pub const LEEWAY: Duration = Duration::from_secs(30);

/// Claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer, [`ISSUER`].
    pub iss: String,
    /// Audience, [`AUDIENCE`].
    pub aud: String,
    /// Principal id.
    pub sub: String,
    /// Id of the token.
    pub jti: Uuid,
    /// Issued at, seconds since 1970.
    pub iat: i64,
    /// Ends at, seconds since 1970.
    pub exp: i64,
    /// What the principal is.
    pub kind: CallerKind,
    /// Name for people. Never logged.
    pub name: String,
    /// Roles.
    pub roles: Vec<Role>,
    /// Division or commune code of an officer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<String>,
    /// Grant of an API client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Uuid>,
    /// When the grant's last day ends, seconds since 1970: open streams end then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_until: Option<i64>,
    /// Schools in reach.
    pub scope: Scope,
    /// Numbers of `common.v1.DataDomain`.
    pub domains: Vec<i32>,
    /// Highest `common.v1.Sensitivity` that may be seen.
    pub max_class: i32,
}
