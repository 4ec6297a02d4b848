//! The accounts without which nobody could make any other: EduHub's services and the first administrator. The mounted
//! secrets are the truth: what differs in the database follows them at each start.
use crate::credential::{CredentialKind, Hasher, store as credentials};
use crate::database::{Lock, transaction};
use crate::principal::Kind;
use crate::principal::store::{self as principals, New};
use eduhub_auth::{Role, Scope};
use eduhub_faults::Fault;
use eduhub_pg::{Failure, PgConnection, PgPool};
use eduhub_proto::common::v1::{DataDomain, Sensitivity};
use secrecy::SecretString;
use std::collections::BTreeMap;
use uuid::Uuid;

/// User name of the first administrator.
pub const ADMIN: &str = "admin";
/// Identity's own name when it calls registry.
pub const OWN: &str = "identity";
const BY: &str = "bootstrap";

/// Secrets that a deployment mounts.
#[derive(Debug, Clone, Default)]
pub struct Mounted {
    /// Secret of each service by its name.
    pub services: BTreeMap<String, SecretString>,
    /// Password of [`ADMIN`].
    pub admin_password: Option<SecretString>,
}

/// Makes the accounts, and gives identity's own principal.
///
/// # Errors
/// The database's.
pub async fn run(pool: &PgPool, hasher: &Hasher, mounted: Mounted) -> Result<Uuid, Failure> {
    let own = ensure(pool, service(OWN)).await?;
    for (name, secret) in mounted.services {
        let id = ensure(pool, service(&name)).await?;
        settle(pool, hasher, &name, CredentialKind::Secret, id, secret).await?;
    }
    if let Some(password) = mounted.admin_password {
        let admin = account(Kind::Officer, ADMIN, Role::DepartmentAdmin, Sensitivity::Sensitive);
        let id = ensure(pool, admin).await?;
        settle(pool, hasher, ADMIN, CredentialKind::Password, id, password).await?;
    }
    Ok(own)
}

fn service(name: &str) -> New {
    // Personal IDs pass between services: verification and the Ministry need them.
    account(Kind::Service, name, Role::Service, Sensitivity::Secret)
}

fn account(kind: Kind, login: &str, role: Role, max_class: Sensitivity) -> New {
    New {
        kind,
        login: Some(login.to_owned()),
        name: login.to_owned(),
        role,
        office: None,
        scope: Scope::province(),
        domains: (1..).map_while(|number| DataDomain::try_from(number).ok()).collect(),
        max_class,
    }
}

/// The account's id; makes it when it is missing. Replicas that start together wait for each other.
async fn ensure(pool: &PgPool, account: New) -> Result<Uuid, Failure> {
    transaction(pool, |conn| {
        Box::pin(async move {
            Lock::Bootstrap.take(conn).await?;
            let login = account.login.clone().unwrap_or_default();
            match principals::by_login(conn, account.kind, &login).await? {
                Some(row) => Ok(row.id),
                None => principals::insert(conn, &account, BY).await,
            }
        })
    })
    .await
}

/// Makes the stored hash that of the mounted secret. Verified first, so that a start writes nothing when nothing changed.
async fn settle(
    pool: &PgPool,
    hasher: &Hasher,
    client_id: &str,
    kind: CredentialKind,
    principal: Uuid,
    secret: SecretString,
) -> Result<(), Failure> {
    let stored = credentials::find(&mut *pool.acquire().await?, client_id, kind).await?;
    let stored = stored.and_then(|found| found.secret_hash);
    if stored.is_some() && hasher.verify(hasher.turn().await?, secret.clone(), stored).await? {
        return Ok(());
    }
    let hash = hasher.hash(secret).await?;
    let client_id = client_id.to_owned();
    transaction(pool, move |conn: &mut PgConnection| {
        Box::pin(async move {
            Lock::Bootstrap.take(conn).await?;
            credentials::put(conn, &client_id, principal, credentials::Material::Hash(kind, hash), BY).await
        })
    })
    .await
}

/// Reads the secrets of services: a JSON or TOML table of name to secret.
///
/// # Errors
/// Says what is wrong without quoting.
pub fn parse_services(text: &str) -> Result<BTreeMap<String, SecretString>, Fault> {
    let json = serde_json::from_str::<BTreeMap<String, String>>(text).ok();
    let table = json.or_else(|| toml::from_str(text).ok());
    let table =
        table.ok_or_else(|| Fault::internal("not a JSON or TOML table of service names and secrets"))?;
    if table.values().any(|secret| secret.len() < 16) {
        return Err(Fault::internal("a service's secret is shorter than 16 characters"));
    }
    Ok(table.into_iter().map(|(name, secret)| (name, secret.into())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn secrets_come_as_json_or_toml() {
        for text in [r#"{"registry": "0123456789abcdef"}"#, "registry = \"0123456789abcdef\"\n"] {
            let services = parse_services(text).unwrap();
            assert_eq!(services["registry"].expose_secret(), "0123456789abcdef");
        }
        for text in ["registry", r#"{"registry": 1}"#, "registry = \"short\""] {
            assert!(parse_services(text).is_err(), "{text}");
        }
    }
}
