//! Verification against the simulated population database, also when it misbehaves.
use crate::world::{World, reason, violations};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::identity::v1::{
    PersonQuery, VerificationOutcome, VerifyPersonsRequest, VerifyPersonsResponse,
};
use serde_json::{Value, json};
use tonic::{Response, Status};

fn person(i: usize) -> PersonQuery {
    PersonQuery {
        r#ref: format!("r{i}"),
        personal_id: format!("0373150{i:05}"),
        full_name: "Nguyễn Thị An".into(),
        birth_date: "2015-03-02".into(),
        sex: "2".into(),
    }
}

async fn control(world: &World, path: &str, body: String) {
    let url = format!("{}/control/{path}", world.simulators.base_url());
    let answer = reqwest::Client::new().post(url).body(body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

async fn calls(world: &World) -> u64 {
    let url = format!("{}/control/state", world.simulators.base_url());
    let state: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    find(&state, "xac_thuc").unwrap_or_else(|| panic!("no count of calls in {state}"))
}

/// The number of calls of an endpoint, wherever the state tells it.
fn find(state: &Value, endpoint: &str) -> Option<u64> {
    match state {
        Value::Object(map) => map
            .get(endpoint)
            .and_then(|found| found.as_u64().or_else(|| found.get("calls")?.as_u64()))
            .or_else(|| map.values().find_map(|value| find(value, endpoint))),
        _ => None,
    }
}

/// People 0 to 299 exist as `person` says.
async fn populated() -> World {
    let world = World::new().await;
    let lines: Vec<String> = (0..300)
        .map(person)
        .map(|p| {
            json!({"so_dinh_danh": p.personal_id, "ho_ten": p.full_name, "ngay_sinh": p.birth_date, "gioi_tinh": p.sex})
                .to_string()
        })
        .collect();
    control(&world, "npd/load", lines.join("\n")).await;
    world
}

async fn verify(world: &World, persons: Vec<PersonQuery>) -> Result<Response<VerifyPersonsResponse>, Status> {
    let request = world.as_persona(&Persona::service("registry"), VerifyPersonsRequest { persons });
    world.verification().verify_persons(request).await
}

#[tokio::test]
async fn outcomes_come_in_the_order_asked_over_several_calls() {
    let world = populated().await;
    let mut persons: Vec<PersonQuery> = (0..250).map(person).collect();
    persons[7].full_name = "Nguyễn Thị Ân".into();
    persons[7].birth_date = "2015-03-03".into();
    persons[240].personal_id = "037315999999".into();
    let results = verify(&world, persons).await.unwrap().into_inner().results;
    assert_eq!(results.len(), 250);
    for (i, result) in results.iter().enumerate() {
        assert_eq!(result.r#ref, format!("r{i}"));
        let expected = match i {
            7 => VerificationOutcome::Mismatch,
            240 => VerificationOutcome::NotFound,
            _ => VerificationOutcome::Match,
        };
        assert_eq!(result.outcome(), expected, "{i}");
    }
    let mut fields = results[7].fields.clone();
    fields.sort();
    assert_eq!(fields, ["birth_date", "full_name"]);
    world.end().await;
}

#[tokio::test]
async fn passing_failures_are_tried_again() {
    let world = populated().await;
    let script = json!(["http_503", {"fault": "http_429", "seconds": 0}, "reset", "ok"]);
    control(&world, "faults", json!({"endpoints": {"xac_thuc": {"script": script}}}).to_string()).await;
    let results = verify(&world, vec![person(1)]).await.unwrap().into_inner().results;
    assert_eq!(results[0].outcome(), VerificationOutcome::Match);
    world.end().await;
}

#[tokio::test]
async fn lasting_failures_are_unavailable_and_then_left_alone() {
    let world = populated().await;
    control(
        &world,
        "faults",
        json!({"endpoints": {"xac_thuc": {"probability": {"http_500": 1.0}}}}).to_string(),
    )
    .await;
    for _ in 0..3 {
        assert_eq!(reason(verify(&world, vec![person(1)]).await), Reason::Unavailable);
    }
    let before = calls(&world).await;
    assert!(before >= 3, "each was tried");
    assert_eq!(reason(verify(&world, vec![person(1)]).await), Reason::Unavailable);
    assert_eq!(calls(&world).await, before, "the breaker is open");
    world.end().await;
}

#[tokio::test]
async fn silence_ends_with_the_time_limit() {
    let world = populated().await;
    control(
        &world,
        "faults",
        json!({"endpoints": {"xac_thuc": {"script": ["hang", "ok"], "hang_seconds": 30}}}).to_string(),
    )
    .await;
    let results = verify(&world, vec![person(1)]).await.unwrap().into_inner().results;
    assert_eq!(results[0].outcome(), VerificationOutcome::Match, "the second try after the first hung");
    world.end().await;
}

#[tokio::test]
async fn bad_requests_are_told_without_repeating_persons() {
    let world = World::new().await;
    let mut odd = person(1);
    odd.personal_id = "03731500012".into();
    odd.sex = "nữ".into();
    assert_eq!(
        violations(verify(&world, vec![odd]).await),
        ["persons[0].personal_id BAD_FORMAT", "persons[0].sex BAD_FORMAT"]
    );
    assert_eq!(violations(verify(&world, vec![]).await), ["persons MISSING"]);
    let many = (0..501).map(person).collect();
    assert_eq!(violations(verify(&world, many).await), ["persons OUT_OF_RANGE"]);
    world.end().await;
}
