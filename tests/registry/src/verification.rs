//! Verification of personal IDs: states, issues, mending, and an identity that is down.
use crate::{
    hub::{Hub, SCHOOL, SOON, Setup},
    identity::Identity,
    make::{self, Wrap},
    pushing::{push_one, withdraw_one},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{Kind, ListIssuesRequest, Problem},
    identity::v1::VerificationOutcome::{Mismatch, NotFound},
    registry::v1::{GetVerificationRequest, Pupil},
};
use eduhub_testkit::{eventually, until};

/// pending, verified, mismatch, not found, without ID.
async fn progress(hub: &Hub) -> [u64; 5] {
    let request = GetVerificationRequest { school_code: SCHOOL.into() };
    let c = hub.issues(&Persona::vendor(SCHOOL)).get_verification(request).await.unwrap().into_inner();
    [c.pending, c.verified, c.mismatch, c.not_found, c.without_id]
}

async fn mismatches(hub: &Hub) -> Vec<Problem> {
    let request = ListIssuesRequest { school_code: SCHOOL.into(), ..Default::default() };
    let open = hub.issues(&Persona::vendor(SCHOOL)).list_issues(request).await.unwrap().into_inner().issues;
    let problems = open.into_iter().map(|i| i.problem.unwrap());
    problems.filter(|p| p.reason() == Reason::PopulationMismatch).collect()
}

#[tokio::test]
async fn outcomes_become_states_and_issues_and_mending_closes_them() {
    let identity = Identity::new();
    identity.says(&make::personal_id(2), Mismatch, &["birth_date"]);
    identity.says(&make::personal_id(3), NotFound, &[]);
    let server = identity.serve().await;
    let hub = Hub::with(Setup { identity: Some(server.url()), ..Setup::default() }).await;
    let nameless = Pupil { personal_id: None, ..make::pupil(4) };
    let mut records: Vec<_> = (1..4).map(|n| make::pupil(n).wrap()).collect();
    records.extend([nameless.wrap(), make::staff(1).wrap()]);
    push_one(&hub, SCHOOL, records).await;
    until(SOON, || async { progress(&hub).await == [0, 2, 1, 1, 1] }).await;
    let found = mismatches(&hub).await;
    let keys: Vec<_> = found.iter().map(|p| (p.record_key.as_str(), p.suggestions.clone())).collect();
    assert_eq!(keys.len(), 2);
    assert!(
        keys.contains(&("HS000002", vec!["birth_date".to_owned()])),
        "names of fields, never values: {keys:?}"
    );
    assert!(found.iter().all(|p| p.value.is_empty()));

    // Mended by another number; by a withdrawal.
    push_one(&hub, SCHOOL, vec![Pupil { personal_id: Some(make::personal_id(20)), ..make::pupil(2) }.wrap()])
        .await;
    until(SOON, || async { progress(&hub).await == [0, 3, 0, 1, 1] }).await;
    assert_eq!(mismatches(&hub).await.len(), 1);
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Pupil, &make::code(3))]).await;
    until(SOON, || async { progress(&hub).await == [0, 3, 0, 0, 1] }).await;
    assert_eq!(mismatches(&hub).await, []);
}

#[tokio::test]
async fn a_number_that_is_taken_away_leaves_no_mismatch() {
    let identity = Identity::new();
    identity.says(&make::personal_id(1), Mismatch, &["full_name"]);
    let server = identity.serve().await;
    let hub = Hub::with(Setup { identity: Some(server.url()), ..Setup::default() }).await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    until(SOON, || async { mismatches(&hub).await.len() == 1 }).await;
    push_one(&hub, SCHOOL, vec![Pupil { personal_id: None, ..make::pupil(1) }.wrap()]).await;
    until(SOON, || async { progress(&hub).await == [0, 0, 0, 0, 1] }).await;
    assert_eq!(mismatches(&hub).await, []);
}

#[tokio::test]
async fn while_identity_is_down_persons_stay_pending_and_are_verified_after() {
    let identity = Identity::new();
    identity.world.lock().unwrap().down = true;
    let server = identity.serve().await;
    let hub = Hub::with(Setup { identity: Some(server.url()), ..Setup::default() }).await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    eventually(SOON, || async { (identity.world.lock().unwrap().calls > 0).then_some(()) }).await;
    assert_eq!(progress(&hub).await, [1, 0, 0, 0, 0]);
    // Pushing goes on meanwhile.
    push_one(&hub, SCHOOL, vec![make::pupil(2).wrap()]).await;
    identity.world.lock().unwrap().down = false;
    until(SOON, || async { progress(&hub).await == [0, 2, 0, 0, 0] }).await;
}

#[tokio::test]
async fn a_process_that_ends_leaves_its_batch_to_the_next_at_once() {
    let identity = Identity::new();
    identity.world.lock().unwrap().hangs = true;
    let server = identity.serve().await;
    let hub = Hub::with(Setup { identity: Some(server.url()), ..Setup::default() }).await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    eventually(SOON, || async { (identity.world.lock().unwrap().calls > 0).then_some(()) }).await;
    let due = "select count(*) from verification where state = 1 and next_at <= now()";
    assert_eq!(hub.count(due).await, 0, "nobody else asks meanwhile");

    let (vault, mint) = (hub.vault.clone(), hub.mint.clone());
    let db = hub.end().await;
    identity.world.lock().unwrap().hangs = false;
    let next = Setup { identity: Some(server.url()), ..Setup::default() };
    let next = Hub::serve(db, vault, mint, next).await;
    // Long before the lease of a process that died, a minute, would have run out.
    until(SOON, || async { progress(&next).await == [0, 1, 0, 0, 0] }).await;
}

#[tokio::test]
async fn many_are_asked_for_in_batches() {
    let identity = Identity::new();
    let server = identity.serve().await;
    let hub = Hub::with(Setup { identity: Some(server.url()), ..Setup::default() }).await;
    push_one(&hub, SCHOOL, (0..1_000).map(|n| make::pupil(n).wrap()).collect()).await;
    until(SOON, || async { progress(&hub).await == [0, 1_000, 0, 0, 0] }).await;
    let world = identity.world.lock().unwrap();
    assert!(world.largest <= 500 && world.calls <= 20, "{} calls, {} at once", world.calls, world.largest);
}
