//! Records whose parents have not come: held, admitted, withdrawn, grouped by what they wait for.
use crate::{
    hub::{Hub, OTHER, SCHOOL},
    make::{self, Wrap},
    pushing::{batch, counted, full, patch, push, push_one, withdraw_one},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::common::v1::{BatchReply, Kind, RootCause};

fn cause(kind: Kind, key: &str, reason: Reason, blocked: u64) -> RootCause {
    RootCause { kind: kind as i32, record_key: key.into(), reason: reason as i32, blocked }
}

#[tokio::test]
async fn children_before_parents_in_one_batch_are_fine() {
    let hub = Hub::start().await;
    let mut all = make::small_school(1..4);
    all.reverse();
    let reply = push_one(&hub, SCHOOL, all).await;
    assert_eq!(counted(&reply.counts), [8, 0, 0, 0, 0, 0, 0, 0]);
}

#[tokio::test]
async fn a_held_enrolment_is_admitted_when_class_and_pupil_come_in_other_batches_and_sessions() {
    let hub = Hub::start().await;
    let first =
        push_one(&hub, SCHOOL, vec![make::enrolment(1, "6A1").wrap(), make::enrolment(2, "6A1").wrap()])
            .await;
    assert_eq!(counted(&first.counts), [0, 0, 0, 0, 2, 0, 0, 0]);
    assert_eq!(hub.rows().await, Vec::<String>::new());

    // The class itself waits for its campus.
    let open = patch(SCHOOL);
    let batches = vec![
        batch(1, vec![make::class("6A1").wrap(), make::pupil(1).wrap()]),
        batch(2, vec![make::pupil(2).wrap()]),
        batch(3, vec![make::campus().wrap()]),
    ];
    let (replies, receipt) = push(&hub, &Persona::vendor(SCHOOL), open, batches).await.unwrap();
    assert_eq!(counted(&replies[0].counts), [1, 0, 0, 0, 1, 0, 0, 0], "pupil created, class held");
    assert_eq!(counted(&replies[1].counts), [1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(counted(&replies[2].counts), [1, 0, 0, 0, 0, 3, 0, 0], "class, then both enrolments");
    assert_eq!(receipt.waiting, vec![]);
    assert_eq!(hub.rows().await.len(), 6);
    assert_eq!(hub.count_of("held_record").await, 0);
}

#[tokio::test]
async fn a_parent_of_another_school_admits_nothing() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::enrolment(1, "6A1").wrap()]).await;
    push_one(&hub, OTHER, make::small_school(1..2)).await;
    assert_eq!(hub.count_of("held_record").await, 1);
}

#[tokio::test]
async fn what_waits_is_grouped_by_its_cause_with_the_reason_of_a_refused_parent() {
    let hub = Hub::start().await;
    let mut broken = make::class("6A1");
    broken.grade = "99".into();
    let mut records = vec![make::campus().wrap(), broken.wrap()];
    records.extend((1..4).map(|n| make::pupil(n).wrap()));
    records.extend((1..4).map(|n| make::enrolment(n, "6A1").wrap()));
    records.push(make::health(9).wrap());
    let reply = push_one(&hub, SCHOOL, records).await;
    assert_eq!(counted(&reply.counts), [4, 0, 0, 1, 4, 0, 0, 0]);
    let wanted = vec![
        cause(Kind::Class, "2026/6A1", Reason::UnknownCode, 3),
        cause(Kind::Pupil, "HS000009", Reason::ParentMissing, 1),
    ];
    assert_eq!(reply.root_causes, wanted);
    // A later session that does not touch them still says what waits.
    let open = patch(SCHOOL);
    let (_, receipt) =
        push(&hub, &Persona::vendor(SCHOOL), open, vec![batch(1, vec![make::pupil(8).wrap()])])
            .await
            .unwrap();
    assert_eq!(receipt.waiting, wanted);
    // Mending the root cause admits all that it held back.
    let mended = push_one(&hub, SCHOOL, vec![make::class("6A1").wrap()]).await;
    assert_eq!(counted(&mended.counts), [1, 0, 0, 0, 0, 3, 0, 0]);
}

#[tokio::test]
async fn an_admitted_record_has_no_place_in_the_batch_of_its_parent() {
    let hub = Hub::start().await;
    let mut doubtful = make::term_result(1, "6A1");
    doubtful.days_absent = Some(91);
    let first = push_one(&hub, SCHOOL, vec![make::staff(1).wrap(), doubtful.wrap()]).await;
    let reply = push_one(&hub, SCHOOL, make::small_school(1..2)).await;
    assert_eq!(counted(&reply.counts)[5], 1, "admitted");
    let of = |reply: &BatchReply| reply.problems.iter().map(|p| (p.reason(), p.index)).collect::<Vec<_>>();
    assert_eq!(
        (of(&first), of(&reply)),
        (vec![(Reason::Implausible, Some(1))], vec![(Reason::Implausible, None)])
    );
}

#[tokio::test]
async fn a_newer_image_replaces_the_one_that_waits() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::enrolment(1, "6A1").wrap()]).await;
    let mut newer = make::enrolment(1, "6A1");
    newer.enrolment_type = "3".into();
    push_one(&hub, SCHOOL, vec![newer.wrap()]).await;
    assert_eq!(hub.count_of("held_record").await, 1);
    push_one(&hub, SCHOOL, make::small_school(5..6)).await;
    // The same key, now for a pupil who is here: accepted, and nothing waits any more.
    let mut accepted = make::enrolment(5, "6A1");
    accepted.enrolment_id = "QT000001".into();
    let reply = push_one(&hub, SCHOOL, vec![accepted.wrap()]).await;
    assert_eq!(counted(&reply.counts)[0], 1);
    assert_eq!(hub.count_of("held_record").await, 0);
}

#[tokio::test]
async fn a_held_record_that_is_withdrawn_never_comes() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::enrolment(1, "6A1").wrap(), make::health(1).wrap()]).await;
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Enrolment, "QT000001")]).await;
    assert_eq!(hub.count_of("held_record").await, 1);
    // FULL that does not name the other one says the same.
    push(&hub, &Persona::vendor(SCHOOL), full(SCHOOL, &[Kind::Health]), vec![]).await.unwrap();
    let reply = push_one(&hub, SCHOOL, make::small_school(2..3)).await;
    let later = push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    assert_eq!((counted(&reply.counts)[5], counted(&later.counts)[5]), (0, 0));
    assert_eq!(hub.count_of("held_record").await, 0);
}
