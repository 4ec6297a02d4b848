//! From a school's application to a vendor's token, and its end.
use crate::world::{HOA_LU, SCHOOL, World, form, meta, reason, with_token};
use eduhub_auth::testing::Persona;
use eduhub_auth::{Role, SchoolPlace};
use eduhub_faults::{Reason, reason_of};
use eduhub_proto::common::v1::DataDomain;
use eduhub_proto::identity::v1::{
    ApplicationState, Decision, GetApplicationRequest, GetGrantRequest, GrantKind,
};

#[tokio::test]
async fn an_approved_application_gives_a_vendor_its_token_until_the_grant_is_revoked() {
    let world = World::new().await;
    let application = world.submit(form(SCHOOL, "VIETTEL", "SMAS")).await.unwrap().into_inner();
    assert_eq!(application.state(), ApplicationState::Submitted);
    assert_eq!(application.commune_code, HOA_LU);
    let filled = application.form.unwrap();
    assert!(filled.subject.starts_with("V/v đăng ký kết nối"));
    assert_eq!(filled.addressees.len(), 2, "the Department and the commune");

    let grant = world.decide(&application.application_id, Decision::Approve, "").await.unwrap();
    let credential = world.credential(&grant).await;
    let token =
        world.by_secret(&credential.client_id, &credential.secret).await.unwrap().into_inner().access_token;

    let verifier = world.verifier().await;
    let caller = verifier.verify(&token).await.unwrap();
    assert_eq!(caller.grant.unwrap().to_string(), grant);
    assert_eq!(caller.roles, [Role::Vendor]);
    let place = SchoolPlace { school_code: SCHOOL.into(), commune_code: HOA_LU.into() };
    assert!(caller.require_school(&place, DataDomain::Pupil).is_ok());
    assert_eq!(caller.require_school(&place, DataDomain::Staff).unwrap_err().reason(), Reason::Forbidden);
    let other = SchoolPlace { school_code: "37000009".into(), commune_code: HOA_LU.into() };
    assert_eq!(
        caller.require_school(&other, DataDomain::Pupil).unwrap_err().reason(),
        Reason::SchoolNotFound
    );

    let own = world.grants().get_grant(with_token(&token, GetGrantRequest { grant_id: grant.clone() })).await;
    let own = own.unwrap().into_inner();
    assert_eq!((own.kind(), own.contract_number.as_str()), (GrantKind::Vendor, "05/HĐ-2026"));
    assert_eq!(own.secrecy_clause, "Điều 7 khoản 2");

    let stream = tokio::spawn(caller.revoked());
    world.revoke(&grant).await;
    verifier.refresh().await.unwrap();
    assert_eq!(stream.await.unwrap().reason(), Reason::GrantRevoked);
    assert_eq!(verifier.verify(&token).await.unwrap_err().reason(), Reason::GrantRevoked);
    let outcome = world.by_secret(&credential.client_id, &credential.secret).await;
    assert_eq!(reason(outcome), Reason::GrantRevoked);
    world.end().await;
}

#[tokio::test]
async fn a_second_vendor_is_refused_at_submission_and_at_approval_with_the_owner_named() {
    let world = World::new().await;
    // Two vendors' applications wait at once; each is fine alone.
    let first = world.applied(SCHOOL, "VIETTEL", "SMAS").await;
    let second = world.applied(SCHOOL, "VNPT", "VNEDU").await;
    let grant = world.decide(&first, Decision::Approve, "").await.unwrap();

    let at_approval = world.decide(&second, Decision::Approve, "").await.unwrap_err();
    let at_submission = world.submit(form(SCHOOL, "VNPT", "VNEDU")).await.unwrap_err();
    for status in [at_approval, at_submission] {
        assert_eq!(status.code(), tonic::Code::AlreadyExists);
        assert_eq!(reason_of(&status), Some(Reason::GrantConflict));
        assert_eq!(meta(&status, "grant_id"), grant);
        assert_eq!(meta(&status, "vendor_code"), "VIETTEL");
    }
    // Nothing of the failed approval stayed.
    let request = GetApplicationRequest { application_id: second.clone() };
    let kept = world.applications().get_application(world.as_persona(&Persona::admin(), request)).await;
    assert_eq!(kept.unwrap().into_inner().state(), ApplicationState::Submitted);

    world.revoke(&grant).await;
    assert!(
        world.decide(&second, Decision::Approve, "").await.is_ok(),
        "room is made by the end of the first"
    );
    world.end().await;
}

#[tokio::test]
async fn of_two_approvals_at_once_exactly_one_wins() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for (vendor, software) in [("VIETTEL", "SMAS"), ("VNPT", "VNEDU"), ("MISA", "MISA_EMIS")] {
        ids.push(world.applied(SCHOOL, vendor, software).await);
    }
    let decide = |id: &String| {
        let (world, id) = (&world, id.clone());
        async move { world.decide(&id, Decision::Approve, "").await }
    };
    let outcomes = tokio::join!(decide(&ids[0]), decide(&ids[1]), decide(&ids[2]));
    let outcomes = [outcomes.0, outcomes.1, outcomes.2];
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(reason_of(refused), Some(Reason::GrantConflict));
    }
    world.end().await;
}

#[tokio::test]
async fn registry_is_asked_once_with_a_token_that_verifies() {
    let world = World::new().await;
    world.applied(SCHOOL, "VIETTEL", "SMAS").await;
    world.applied(SCHOOL, "VIETTEL", "SMAS").await;
    let tokens = world.registry.tokens();
    assert_eq!(tokens.len(), 1, "the second look-up comes from the cache");
    let caller = world.verifier().await.verify(&tokens[0]).await.unwrap();
    assert_eq!((caller.name.as_str(), caller.roles.as_slice()), ("identity", &[Role::Service][..]));
    world.end().await;
}

#[tokio::test]
async fn a_decision_is_final_and_a_refusal_needs_its_reason() {
    let world = World::new().await;
    let id = world.applied(SCHOOL, "VIETTEL", "SMAS").await;
    let outcome = world.decide(&id, Decision::Refuse, "").await.unwrap_err();
    assert_eq!(reason_of(&outcome), Some(Reason::ReasonRequired));
    world.decide(&id, Decision::Refuse, "Hợp đồng đã hết hạn").await.unwrap();
    for decision in [Decision::Refuse, Decision::Approve] {
        let again = world.decide(&id, decision, "lại").await.unwrap_err();
        assert_eq!(reason_of(&again), Some(Reason::WrongState));
    }
    let outcome = world.decide(&uuid::Uuid::now_v7().to_string(), Decision::Approve, "").await.unwrap_err();
    assert_eq!(reason_of(&outcome), Some(Reason::NotFound));
    let secondary = Persona::division_reviewer("DIV_SECONDARY");
    let request = eduhub_proto::identity::v1::DecideApplicationRequest {
        application_id: id,
        decision: Decision::Approve as i32,
        reason: String::new(),
    };
    let outcome = world.applications().decide_application(world.as_persona(&secondary, request)).await;
    assert_eq!(reason(outcome), Reason::Forbidden);
    world.end().await;
}
