//! The authorization table, row by row and role by role, over the wire.
use crate::world::World;
use eduhub_auth::policy::{Access, ScopeRule};
use eduhub_auth::testing::Persona;
use eduhub_auth::{Role, Scope};
use eduhub_faults::{Reason, reason_of};
use eduhub_identity::policy::ROWS;
use tonic::{Request, Status};

/// Calls any RPC with an empty message, which every request type takes.
async fn call(world: &World, method: &'static str, request: Request<()>) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(world.identity.clone());
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    client.unary(request, method.parse().unwrap(), codec).await.map(drop)
}

fn refused_by_policy(outcome: &Result<(), Status>) -> bool {
    outcome.as_ref().err().and_then(reason_of) == Some(Reason::Forbidden)
}

#[tokio::test]
async fn every_role_reaches_exactly_its_rows() {
    let world = World::new().await;
    for row in ROWS {
        let Access::Allow { roles, .. } = row.access else { continue };
        for role in Role::ALL {
            // The office lets the division's decisions pass the handler's own check.
            let persona = Persona::new(role, Scope::province()).office("DIV_STUDENT_AFFAIRS");
            let outcome = call(&world, row.method, world.as_persona(&persona, ())).await;
            assert_eq!(
                refused_by_policy(&outcome),
                !roles.contains(&role),
                "{role:?} {}: {outcome:?}",
                row.method
            );
        }
        let outcome = call(&world, row.method, Request::new(())).await;
        assert_eq!(
            outcome.as_ref().err().and_then(reason_of),
            Some(Reason::Unauthenticated),
            "{}",
            row.method
        );
        if row.scope == ScopeRule::Province {
            let narrow = Persona::new(roles[0], Scope::school(crate::world::SCHOOL));
            let outcome = call(&world, row.method, world.as_persona(&narrow, ())).await;
            assert!(refused_by_policy(&outcome), "{} needs the province", row.method);
        }
    }
    world.end().await;
}

#[tokio::test]
async fn public_rows_need_no_token_and_unknown_methods_reach_nothing() {
    let world = World::new().await;
    assert!(call(&world, "/eduhub.identity.v1.TokenService/GetKeys", Request::new(())).await.is_ok());
    let admin = Persona::admin();
    for method in ["/eduhub.identity.v1.TokenService/Nothing", "/eduhub.identity.v2.TokenService/GetKeys"] {
        let outcome = call(&world, method, world.as_persona(&admin, ())).await;
        assert_eq!(outcome.unwrap_err().code(), tonic::Code::Unimplemented, "{method}");
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
