//! Forms 1 and 2 as they come in.
use crate::world::{
    HOA_LU, SCHOOL, SECOND_SCHOOL, TAY_HOA_LU, THPT, World, form, form2, reason, submit, violations,
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::identity::v1::{
    Decision, GetApplicationRequest, ListApplicationsRequest, ListApplicationsResponse,
    SubmitApplicationRequest, SubmitBatchApplicationRequest,
};

#[tokio::test]
async fn all_violations_come_at_once() {
    let world = World::new().await;
    let mut bad = form(SCHOOL, "VIETEL", "SMAS");
    bad.contact_phone = "84912345678".into();
    bad.contact_name = "Nam 2".into();
    bad.signed_by.clear();
    bad.contract.as_mut().unwrap().secrecy_confirmed = false;
    let found = violations(world.submit(bad).await);
    for expected in [
        "form.contact_phone BAD_FORMAT",
        "form.contact_name DIGIT_IN_NAME",
        "form.signed_by FORM_UNSIGNED",
        "form.contract.secrecy_confirmed MISSING",
        "form.vendor_code UNKNOWN_CODE",
    ] {
        assert!(found.contains(&expected.to_owned()), "{expected} in {found:?}");
    }
    world.end().await;
}

#[tokio::test]
async fn unknown_and_foreign_schools_look_the_same() {
    let world = World::new().await;
    let officer = Persona::school_officer(SCHOOL);
    let mut answers = Vec::new();
    for school in [SECOND_SCHOOL, "37000099"] {
        let request = world.as_persona(&officer, submit(form(school, "VIETTEL", "SMAS")));
        let status = world.applications().submit_application(request).await.expect_err("must be refused");
        answers.push((status.code(), status.message().to_owned(), status.details().to_vec()));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, tonic::Code::NotFound);
    world.end().await;
}

#[tokio::test]
async fn without_registry_the_answer_is_try_again() {
    let world = World::new().await;
    world.registry.stop();
    assert_eq!(reason(world.submit(form(SCHOOL, "VIETTEL", "SMAS")).await), Reason::Unavailable);
    world.end().await;
}

#[tokio::test]
async fn the_same_request_twice_is_one_application_also_at_once() {
    let world = World::new().await;
    let officer = Persona::school_officer(SCHOOL);
    let request = |form| {
        let request_id = "019aa000-0000-7000-8000-000000000001".to_owned();
        world.as_persona(&officer, SubmitApplicationRequest { request_id, form: Some(form) })
    };
    let good = || form(SCHOOL, "VIETTEL", "SMAS");
    let (mut one, mut other) = (world.applications(), world.applications());
    let (a, b) =
        tokio::join!(one.submit_application(request(good())), other.submit_application(request(good())));
    let (a, b) = (a.unwrap().into_inner(), b.unwrap().into_inner());
    assert_eq!(a.application_id, b.application_id);
    // Also after somebody else's grant would refuse a new one.
    world.decide(&a.application_id, Decision::Approve, "").await.unwrap();
    let again = one.submit_application(request(good())).await.unwrap().into_inner();
    assert_eq!(again.application_id, a.application_id);
    let mut changed = good();
    changed.place = "Nơi khác".into();
    assert_eq!(reason(one.submit_application(request(changed)).await), Reason::Conflict);
    world.end().await;
}

async fn forward(world: &World, commune: &str, area: &str, ids: &[String]) -> Result<String, tonic::Status> {
    let request = SubmitBatchApplicationRequest { request_id: String::new(), form: Some(form2(area, ids)) };
    let request = world.as_persona(&Persona::commune_reviewer(commune), request);
    Ok(world.applications().submit_batch_application(request).await?.into_inner().batch_id)
}

#[tokio::test]
async fn a_commune_forwards_its_own_schools_applications_once() {
    let world = World::new().await;
    let first = world.applied(SCHOOL, "VIETTEL", "SMAS").await;
    let second = world.applied(SECOND_SCHOOL, "VNPT", "VNEDU").await;
    let foreign = world.applied(THPT, "VIETTEL", "SMAS").await;
    let nobody = uuid::Uuid::now_v7().to_string();

    let ids = [first.clone(), foreign, nobody, first.clone()];
    let found = violations(forward(&world, HOA_LU, HOA_LU, &ids).await.map(tonic::Response::new));
    assert_eq!(
        found,
        [
            "form.application_ids[3] DUPLICATE_IN_BATCH",
            "form.application_ids[1] NOT_FOUND",
            "form.application_ids[2] NOT_FOUND",
        ]
    );
    let outcome = forward(&world, HOA_LU, TAY_HOA_LU, std::slice::from_ref(&first)).await;
    assert_eq!(outcome.unwrap_err().code(), tonic::Code::NotFound, "another commune's area");

    let batch = forward(&world, HOA_LU, HOA_LU, &[first.clone(), second]).await.unwrap();
    let request = GetApplicationRequest { application_id: first.clone() };
    let kept = world.applications().get_application(world.as_persona(&Persona::admin(), request)).await;
    assert_eq!(kept.unwrap().into_inner().batch_id, batch);
    let again = violations(forward(&world, HOA_LU, HOA_LU, &[first]).await.map(tonic::Response::new));
    assert_eq!(again, ["form.application_ids[0] WRONG_STATE"]);
    world.end().await;
}

#[tokio::test]
async fn where_form_2_is_required_only_the_departments_own_schools_do_without() {
    let world = World::with(|parts| parts.require_form2 = true).await;
    let school = world.applied(SCHOOL, "VIETTEL", "SMAS").await;
    let outcome = world.decide(&school, Decision::Approve, "").await.unwrap_err();
    assert_eq!(eduhub_faults::reason_of(&outcome), Some(Reason::WrongState));
    forward(&world, HOA_LU, HOA_LU, std::slice::from_ref(&school)).await.unwrap();
    world.decide(&school, Decision::Approve, "").await.unwrap();
    let direct = world.applied(THPT, "VIETTEL", "SMAS").await;
    world.decide(&direct, Decision::Approve, "").await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn lists_show_the_own_scope_page_by_page() {
    let world = World::new().await;
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(world.applied(SCHOOL, "VIETTEL", "SMAS").await);
        all.push(world.applied(SECOND_SCHOOL, "VIETTEL", "SMAS").await);
    }
    all.push(world.applied(THPT, "VIETTEL", "SMAS").await);
    let list = async |persona: &Persona, page_token: &str, commune: &str| {
        let request = ListApplicationsRequest {
            page_size: 4,
            page_token: page_token.into(),
            commune_code: commune.into(),
            ..ListApplicationsRequest::default()
        };
        world.applications().list_applications(world.as_persona(persona, request)).await
    };
    let ids = |page: &ListApplicationsResponse| -> Vec<String> {
        page.applications.iter().map(|a| a.application_id.clone()).collect()
    };
    let admin = Persona::admin();
    let first = list(&admin, "", "").await.unwrap().into_inner();
    let second = list(&admin, &first.next_page_token, "").await.unwrap().into_inner();
    assert_eq!([ids(&first), ids(&second)].concat(), all);
    assert_eq!(second.next_page_token, "");
    assert_eq!(reason(list(&admin, &first.next_page_token, HOA_LU).await), Reason::BadPageToken);

    let commune = list(&Persona::commune_reviewer(TAY_HOA_LU), "", "").await.unwrap().into_inner();
    assert_eq!(ids(&commune), all[6..]);
    let school = list(&Persona::school_officer(SCHOOL), "", "").await.unwrap().into_inner();
    assert_eq!(school.applications.len(), 3);
    let request = GetApplicationRequest { application_id: all[6].clone() };
    let foreign = world
        .applications()
        .get_application(world.as_persona(&Persona::school_officer(SCHOOL), request))
        .await;
    assert_eq!(reason(foreign), Reason::NotFound);
    world.end().await;
}
