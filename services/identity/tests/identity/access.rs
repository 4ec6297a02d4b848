//! The authorization table, RPC by RPC and role by role, over the wire. The expectation is written out here again, so that
//! a change of the policy shows.
use crate::world::{SCHOOL, World};
use eduhub_auth::policy::{Access, ScopeRule};
use eduhub_auth::testing::Persona;
use eduhub_auth::{Role, Scope};
use eduhub_faults::{Reason, reason_of};
use eduhub_identity::policy::ROWS;
use eduhub_testkit::{AccessTable, ask_nothing};
use tonic::Code;

use Role::{CommuneReviewer, DepartmentAdmin, DivisionReviewer, SchoolOfficer, Service};

const OFFICERS: &[Role] = &[SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin];
const EXPECTED: AccessTable = AccessTable {
    package: "eduhub.identity.v1",
    rows: &[
        ("TokenService/IssueToken", &[]),
        ("TokenService/GetKeys", &[]),
        ("TokenService/ListRevocations", &[]),
        ("ApplicationService/SubmitApplication", &[SchoolOfficer, DepartmentAdmin]),
        ("ApplicationService/SubmitBatchApplication", &[CommuneReviewer]),
        ("ApplicationService/GetApplication", OFFICERS),
        ("ApplicationService/ListApplications", OFFICERS),
        ("ApplicationService/DecideApplication", &[DivisionReviewer, DepartmentAdmin]),
        ("VendorService/RegisterVendor", &[DepartmentAdmin]),
        ("VendorService/ListVendors", &Role::ALL),
        ("GrantService/GetGrant", &Role::ALL),
        ("GrantService/ListGrants", &Role::ALL),
        ("GrantService/CreateCredential", &[SchoolOfficer, DivisionReviewer, DepartmentAdmin]),
        ("GrantService/RevokeCredential", &[SchoolOfficer, DivisionReviewer, DepartmentAdmin]),
        ("GrantService/RevokeGrant", &[DivisionReviewer, DepartmentAdmin]),
        ("GrantService/CreateConsumerGrant", &[DepartmentAdmin]),
        ("PrincipalService/CreateOfficer", &[DepartmentAdmin]),
        ("PrincipalService/DisablePrincipal", &[DepartmentAdmin]),
        ("PrincipalService/ListPrincipals", &[DepartmentAdmin]),
        ("VerificationService/VerifyPersons", &[Service]),
    ],
    // An empty request is malformed, or names nothing; it is not refused for who sent it.
    admitted: &[Code::Ok, Code::InvalidArgument, Code::NotFound],
};

#[tokio::test]
async fn each_rpc_answers_its_roles_and_nobody_else() {
    let world = World::new().await;
    // The office lets the division's decisions pass the handler's own check.
    let persona = |role| Persona::new(role, Scope::province()).office("DIV_STUDENT_AFFAIRS");
    let ask = async |rpc: &str, token| ask_nothing(world.identity.clone(), rpc, token).await;
    EXPECTED.is_kept_by_every_role(persona, |persona| world.bearer(persona), ask).await;
    world.end().await;
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_of_this_hub() {
    let world = World::new().await;
    let ask = async |rpc: &str, token| ask_nothing(world.identity.clone(), rpc, token).await;
    EXPECTED.is_kept_without_a_token(|persona| world.bearer(persona), ask).await;
    world.end().await;
}

#[tokio::test]
async fn what_is_of_the_province_needs_its_scope() {
    let world = World::new().await;
    for row in ROWS.iter().filter(|row| row.scope == ScopeRule::Province) {
        let Access::Allow { roles, .. } = row.access else { panic!("{} is public", row.method) };
        let narrow = world.bearer(&Persona::new(roles[0], Scope::school(SCHOOL)));
        let refused = ask_nothing(world.identity.clone(), row.method, Some(narrow)).await.unwrap_err();
        assert_eq!(reason_of(&refused), Some(Reason::Forbidden), "{} needs the province", row.method);
    }
    world.end().await;
}

#[tokio::test]
async fn unknown_methods_reach_nothing() {
    let world = World::new().await;
    let admin = world.bearer(&Persona::admin());
    for method in ["/eduhub.identity.v1.TokenService/Nothing", "/eduhub.identity.v2.TokenService/GetKeys"] {
        let outcome = ask_nothing(world.identity.clone(), method, Some(admin.clone())).await;
        assert_eq!(outcome.unwrap_err().code(), Code::Unimplemented, "{method}");
    }
    world.end().await;
}

#[tokio::test]
async fn health_stands_beside_the_access_layer() {
    let world = World::new().await;
    let mut watch = tonic_health::pb::health_client::HealthClient::new(world.identity.clone());
    let request = tonic_health::pb::HealthCheckRequest { service: "ready".into() };
    let mut states = watch.watch(request).await.unwrap().into_inner();
    loop {
        let state = states.message().await.unwrap().unwrap().status();
        if state == tonic_health::pb::health_check_response::ServingStatus::Serving {
            break;
        }
    }
    drop(states);
    world.end().await;
}
