//! The trial of a table against services of one line.
use super::*;
use eduhub_auth::Scope;
use eduhub_faults::Fault;

const PACKAGE: &str = "eduhub.approval.v1";

/// A table that lets these roles reach every RPC.
fn table(roles: &'static [Role]) -> AccessTable {
    let rows = rpcs_of(PACKAGE).into_iter().map(|rpc| (&*rpc.leak(), roles));
    AccessTable { package: PACKAGE, rows: rows.collect::<Vec<_>>().leak(), admitted: &[Code::Ok] }
}

fn persona(role: Role) -> Persona {
    Persona::new(role, Scope::province())
}

/// A token that says its role, or that it is late.
fn token(of: &Persona) -> AsciiMetadataValue {
    let late = of.0.exp < persona(Role::Vendor).0.iat;
    if late { "late" } else { of.0.roles[0].name() }.parse().unwrap()
}

/// A service that lets vendors in, and whoever holds `extra`.
fn answer(token: Option<AsciiMetadataValue>, extra: &str) -> Result<(), Status> {
    let token = token.as_ref().and_then(|token| token.to_str().ok()).unwrap_or("none");
    match Role::ALL.iter().find(|role| role.name() == token) {
        _ if token == extra || token == Role::Vendor.name() => Ok(()),
        Some(_) => Err(Fault::new(Reason::Forbidden).into()),
        None => Err(Fault::new(Reason::Unauthenticated).into()),
    }
}

#[tokio::test]
async fn a_service_that_keeps_its_table_passes() {
    let table = table(&[Role::Vendor]);
    table.is_kept_by_every_role(persona, token, async |_: &str, token| answer(token, "")).await;
    table.is_kept_without_a_token(token, async |_: &str, token| answer(token, "")).await;
}

#[tokio::test]
#[should_panic(expected = "refuses Consumer")]
async fn a_role_too_many_is_found() {
    let ask = async |_: &str, token| answer(token, Role::Consumer.name());
    table(&[Role::Vendor]).is_kept_by_every_role(persona, token, ask).await;
}

#[tokio::test]
#[should_panic(expected = "lets in Consumer")]
async fn a_role_too_few_is_found() {
    let ask = async |_: &str, token| answer(token, "");
    table(&[Role::Vendor, Role::Consumer]).is_kept_by_every_role(persona, token, ask).await;
}

#[tokio::test]
#[should_panic(expected = "refuses nobody")]
async fn an_open_door_is_found() {
    let ask = async |_: &str, token| answer(token, "none");
    table(&[Role::Vendor]).is_kept_without_a_token(token, ask).await;
}

#[tokio::test]
#[should_panic(expected = "refuses a late one")]
async fn an_expired_token_that_counts_is_found() {
    let ask = async |_: &str, token| answer(token, "late");
    table(&[Role::Vendor]).is_kept_without_a_token(token, ask).await;
}

#[tokio::test]
#[should_panic(expected = "the rows are the RPCs of eduhub.approval.v1")]
async fn an_rpc_without_a_row_is_found() {
    let whole = table(&[Role::Vendor]);
    let gap = AccessTable { rows: &whole.rows[1..], ..whole };
    gap.is_kept_by_every_role(persona, token, async |_: &str, token| answer(token, "")).await;
}
