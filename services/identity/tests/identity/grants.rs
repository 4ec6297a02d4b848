//! Grants and credentials over time.
use crate::world::{HOA_LU, SCHOOL, SECOND_SCHOOL, World, reason, violations, with_token};
use eduhub_auth::testing::Persona;
use eduhub_auth::{Role, Scope};
use eduhub_faults::Reason;
use eduhub_proto::common::v1::{DataDomain, Sensitivity};
use eduhub_proto::identity::v1 as pb;

fn consumer() -> pb::CreateConsumerGrantRequest {
    pb::CreateConsumerGrantRequest {
        name: "Trung tâm Điều hành thông minh".into(),
        contract_number: "01/TT-2026".into(),
        secrecy_clause: "Điều 3".into(),
        scope: Some(pb::Scope { province: true, ..pb::Scope::default() }),
        domains: vec![DataDomain::School as i32, DataDomain::Pupil as i32],
        max_class: Sensitivity::Basic as i32,
        valid_from: "2026-01-01".into(),
        valid_to: "2029-12-31".into(),
    }
}

async fn sql(world: &World, statement: &'static str) {
    assert_eq!(sqlx::query(statement).execute(&world.database.pool).await.unwrap().rows_affected(), 1);
}

#[tokio::test]
async fn a_consumers_token_says_what_its_grant_does() {
    let world = World::new().await;
    let grant =
        world.grants().create_consumer_grant(world.as_admin(consumer()).await).await.unwrap().into_inner();
    let credential = world.credential(&grant.grant_id).await;
    let token =
        world.by_secret(&credential.client_id, &credential.secret).await.unwrap().into_inner().access_token;
    let caller = world.verifier().await.verify(&token).await.unwrap();
    assert_eq!(caller.roles, [Role::Consumer]);
    assert_eq!(caller.scope, Scope::province());
    assert_eq!(caller.domains, [DataDomain::School, DataDomain::Pupil]);
    assert_eq!(caller.max_class, Sensitivity::Basic as i32);

    // Province-wide, and yet it sees no grant but its own.
    world.granted(SCHOOL, "VIETTEL", "SMAS").await;
    let list = world.grants().list_grants(with_token(&token, pb::ListGrantsRequest::default())).await;
    let list = list.unwrap().into_inner().grants;
    assert_eq!(list.iter().map(|g| &g.grant_id).collect::<Vec<_>>(), [&grant.grant_id]);

    let empty = world.as_admin(pb::CreateConsumerGrantRequest::default()).await;
    let found = violations(world.grants().create_consumer_grant(empty).await);
    assert_eq!(found.len(), 8, "{found:?}");
    world.end().await;
}

#[tokio::test]
async fn a_renewal_hands_the_client_over_and_ends_the_old_grant() {
    let world = World::new().await;
    let old = world.granted(SCHOOL, "VIETTEL", "SMAS").await;
    let credential = world.credential(&old).await;
    let verifier = world.verifier().await;
    let token = || async {
        world.by_secret(&credential.client_id, &credential.secret).await.unwrap().into_inner().access_token
    };
    let before = token().await;
    let new = world.granted(SCHOOL, "VIETTEL", "SMAS").await;
    assert_ne!(old, new);
    verifier.refresh().await.unwrap();
    assert_eq!(verifier.verify(&before).await.unwrap_err().reason(), Reason::GrantRevoked);
    let caller = verifier.verify(&token().await).await.unwrap();
    assert_eq!(caller.grant.unwrap().to_string(), new);
    world.end().await;
}

#[tokio::test]
async fn a_grant_whose_last_day_is_over_gives_no_token_and_makes_room() {
    let world = World::new().await;
    let grant = world.granted(SCHOOL, "VIETTEL", "SMAS").await;
    let credential = world.credential(&grant).await;
    sql(&world, "update grants set valid_from = current_date - 9, valid_to = current_date - 2").await;
    let outcome = world.by_secret(&credential.client_id, &credential.secret).await;
    assert_eq!(reason(outcome), Reason::GrantRevoked);
    let next = world.granted(SCHOOL, "VNPT", "VNEDU").await;
    assert_ne!(next, grant);
    world.end().await;
}

#[tokio::test]
async fn a_grant_that_begins_later_gives_no_token_yet() {
    let world = World::new().await;
    let grant = world.granted(SCHOOL, "VIETTEL", "SMAS").await;
    let credential = world.credential(&grant).await;
    sql(&world, "update grants set valid_from = current_date + 5").await;
    let status = world.by_secret(&credential.client_id, &credential.secret).await.unwrap_err();
    assert!(status.message().contains("begins on"), "{status:?}");
    world.end().await;
}

#[tokio::test]
async fn credentials_are_few_and_only_for_those_who_see_the_grant() {
    let world = World::new().await;
    let grant_id = world.granted(SCHOOL, "VIETTEL", "SMAS").await;
    let make = async |persona: Persona| {
        let request = pb::CreateCredentialRequest { grant_id: grant_id.clone(), public_key: None };
        world.grants().create_credential(world.as_persona(&persona, request)).await
    };
    assert_eq!(reason(make(Persona::school_officer(SECOND_SCHOOL)).await), Reason::NotFound);
    assert_eq!(reason(make(Persona::division_reviewer("DIV_FINANCE")).await), Reason::Forbidden);
    assert_eq!(reason(make(Persona::commune_reviewer(HOA_LU)).await), Reason::Forbidden);
    for _ in 0..5 {
        make(Persona::school_officer(SCHOOL)).await.unwrap();
    }
    assert_eq!(reason(make(Persona::school_officer(SCHOOL)).await), Reason::Overloaded);
    world.revoke(&grant_id).await;
    assert_eq!(reason(make(Persona::school_officer(SCHOOL)).await), Reason::GrantRevoked);

    let public_key = Some(pb::PublicKey { key_id: String::new(), x: "AA".into(), y: "AA".into() });
    let request = pb::CreateCredentialRequest { grant_id, public_key };
    let outcome = world.grants().create_credential(world.as_persona(&Persona::admin(), request)).await;
    assert_eq!(violations(outcome), ["public_key BAD_FORMAT"]);
    world.end().await;
}

#[tokio::test]
async fn revocations_come_in_order_and_the_first_end_stays() {
    let world = World::new().await;
    let first = world.granted(SCHOOL, "VIETTEL", "SMAS").await;
    let second = world.granted(SECOND_SCHOOL, "VIETTEL", "SMAS").await;
    for grant in [&second, &first, &second] {
        world.revoke(grant).await;
    }
    let mut tokens = world.tokens();
    let all =
        tokens.list_revocations(pb::ListRevocationsRequest { after_sequence: 0 }).await.unwrap().into_inner();
    let ids: Vec<_> = all.revocations.iter().map(|entry| entry.id.clone()).collect();
    assert_eq!(ids, [second, first.clone()]);
    assert!(!all.has_more);
    let after_sequence = all.revocations[0].sequence;
    let rest =
        tokens.list_revocations(pb::ListRevocationsRequest { after_sequence }).await.unwrap().into_inner();
    assert_eq!(rest.revocations.len(), 1);
    assert_eq!(rest.revocations[0].id, first);
    world.end().await;
}
