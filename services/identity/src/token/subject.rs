//! Whom a token is for, and what it may say: the principal's row, and for an API client the grant it acts under.
use crate::check::{end_of, today};
use crate::grant::{GrantRow, store as grants};
use crate::principal::Kind;
use crate::principal::store::{self as principals, PrincipalRow};
use eduhub_auth::{AUDIENCE, CallerKind, Claims, ISSUER, MAX_LIFE, Role};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{Failure, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

/// Reads a principal and gives the claims of a token for it.
///
/// # Errors
/// PERMISSION_DENIED/GRANT_REVOKED for an API client whose grant has ended or not begun.
pub async fn claims(conn: &mut PgConnection, principal: Uuid) -> Result<Claims, Failure> {
    let row = principals::get(conn, principal).await?.ok_or_else(|| Fault::new(Reason::BadCredentials))?;
    let now = OffsetDateTime::now_utc();
    if row.kind != Kind::ApiClient as i16 {
        return Ok(of_row(row, now)?);
    }
    let grant = grants::of_principal(conn, principal).await?.filter(|grant| grant.is_live(today()));
    let grant = grant.ok_or_else(|| Fault::new(Reason::GrantRevoked))?;
    if grant.valid_from > today() {
        let detail = format!("the grant begins on {}", crate::wire::iso(grant.valid_from));
        return Err(Fault::new(Reason::GrantRevoked).detail(detail).into());
    }
    Ok(under_grant(of_row(row, now)?, &grant))
}

/// Claims as the principal's own row gives them.
fn of_row(row: PrincipalRow, now: OffsetDateTime) -> Result<Claims, Fault> {
    let scope = row.scope();
    let role =
        Role::from_name(&row.role).ok_or_else(|| Fault::internal("a principal has an unknown role"))?;
    let kind = match row.kind {
        1 => CallerKind::ApiClient,
        2 => CallerKind::Officer,
        _ => CallerKind::Service,
    };
    Ok(Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: row.id.to_string(),
        jti: Uuid::now_v7(),
        iat: now.unix_timestamp(),
        exp: (now + MAX_LIFE).unix_timestamp(),
        kind,
        name: row.name,
        roles: vec![role],
        office: row.office,
        grant: None,
        grant_until: None,
        scope,
        domains: row.domains,
        max_class: row.max_class,
    })
}

/// The same client, with the reach of its grant; the token does not outlive the grant's last day.
fn under_grant(claims: Claims, grant: &GrantRow) -> Claims {
    let until = end_of(grant.valid_to).unix_timestamp();
    Claims {
        exp: claims.exp.min(until),
        grant: Some(grant.id),
        grant_until: Some(until),
        scope: grant.scope(),
        domains: grant.domains.clone(),
        max_class: grant.max_class,
        ..claims
    }
}
