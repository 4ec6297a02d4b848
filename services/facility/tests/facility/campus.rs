//! The campus of a room is one of its school, as registry has them.
use crate::lab::{CAMPUSES, Lab, SCHOOL, refusal};
use crate::pushing::{batch, open, room, room_at};
use eduhub_auth::testing::Persona;
use eduhub_faults::{Reason, Severity};
use eduhub_proto::common::v1::Kind;
use tonic::Code;

#[tokio::test]
async fn an_unknown_campus_refuses_the_room_and_only_that() {
    let lab = Lab::start().await;
    let rooms = vec![room_at("P1", "DT1"), room_at("P2", "DT9"), room_at("P3", "DT3"), room("P4")];
    let answers = lab.pushed(rooms).await;
    let counts = answers.counts();
    assert_eq!((counts.created, counts.rejected, counts.held), (3, 1, 0));
    let [problem] = answers.only().problems.as_slice() else { panic!("{answers:?}") };
    assert_eq!((problem.reason(), problem.severity()), (Reason::ParentMissing, Severity::Error));
    assert_eq!((problem.kind(), problem.parent_kind()), (Kind::Room, Kind::Campus));
    assert_eq!((problem.record_key.as_str(), problem.parent_key.as_str()), ("P2", "DT9"));
    assert_eq!(
        (problem.field.as_str(), problem.value.as_str(), problem.index),
        ("campus_code", "DT9", Some(1))
    );
    assert_eq!(lab.count("select count(*) from room_record").await, 3);
}

#[tokio::test]
async fn the_main_site_is_always_there_and_needs_no_question() {
    let lab = Lab::start().await;
    lab.registry.campuses.state().campuses.clear();
    assert_eq!(lab.pushed(vec![room("P1"), room("P2")]).await.counts().created, 2);
    assert_eq!(lab.registry.campuses.state().calls, 0);
}

#[tokio::test]
async fn campuses_are_asked_for_once_for_many_batches() {
    let lab = Lab::start().await;
    let rooms = |n: u32| CAMPUSES.iter().map(|c| room_at(&format!("P{n}{c}"), c)).collect();
    let batches = (1..=5).map(|n| batch(n, rooms(n))).collect();
    let answers = lab.push(&Persona::vendor(SCHOOL), open(), batches).await.unwrap();
    assert_eq!(answers.receipt.unwrap().totals.unwrap().created, 15);
    // Two pages of one list.
    assert_eq!(lab.registry.campuses.state().calls, 2);
}

#[tokio::test]
async fn a_campus_that_came_a_moment_ago_is_found() {
    let lab = Lab::start().await;
    assert_eq!(lab.pushed(vec![room_at("P1", "DT4")]).await.counts().rejected, 1);
    lab.registry.campuses.state().campuses.get_mut(SCHOOL).unwrap().push("DT4".to_owned());
    assert_eq!(lab.pushed(vec![room_at("P1", "DT4")]).await.counts().created, 1);
    assert_eq!(lab.count("select count(*) from data_issue where closed_at is null").await, 0);
}

#[tokio::test]
async fn without_registry_the_stream_ends_and_nothing_is_guessed() {
    let lab = Lab::start().await;
    let vendor = Persona::vendor(SCHOOL);
    lab.pushed(vec![room("P1")]).await;
    lab.registry.door.set_down(true);
    let (replies, outcome) = {
        let session = crate::pushing::session(open(), vec![batch(1, vec![room_at("P2", "DT1")])]);
        lab.send(&vendor, session).await
    };
    assert_eq!((replies, refusal(outcome)), (0, (Code::Unavailable, Reason::Unavailable)));
    assert_eq!(lab.count("select count(*) from room_record").await, 1);
    // The main site needs no answer from registry, and the school is known.
    assert_eq!(lab.pushed(vec![room("P3")]).await.counts().created, 1);
    lab.registry.door.set_down(false);
    assert_eq!(lab.pushed(vec![room_at("P2", "DT1")]).await.counts().created, 1);
}

#[tokio::test]
async fn a_malformed_code_is_said_once() {
    let lab = Lab::start().await;
    let answers = lab.pushed(vec![room_at("P1", "dt 1"), room_at("P2", "")]).await;
    let found: Vec<_> = answers.only().problems.iter().map(|p| (p.record_key.as_str(), p.reason())).collect();
    assert_eq!(found, [("P1", Reason::BadFormat), ("P2", Reason::Missing)]);
    assert_eq!(lab.registry.campuses.state().calls, 0);
}
