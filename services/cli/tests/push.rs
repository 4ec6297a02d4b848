//! The push client against a hub that speaks the protocol and breaks where it is told to.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

mod hub;

use eduhub_cli::hub::Registry;
use eduhub_cli::push::{Event, Job, JsonLines, PushError, SyncError, SyncOptions, push_school, sync_school};
use eduhub_faults::Reason;
use eduhub_proto::common::v1::PushMode;
use eduhub_proto::registry::v1::{Campus, Record, record};
use hub::{Break, Hub};

fn records(n: usize) -> Vec<Record> {
    let campus = |i| Campus {
        campus_code: format!("DT{i:05}"),
        name: format!("Điểm trường {i}"),
        ..Campus::default()
    };
    (0..n).map(|i| Record { record: Some(record::Record::Campus(campus(i))) }).collect()
}

fn job() -> Job {
    Job { batch: 10, ..Job::new("37143290001", 2026) }
}

#[tokio::test]
async fn every_record_arrives_once_in_order_whatever_breaks() {
    let breaks = [
        vec![],
        vec![Break::BeforeWrite(1)],
        vec![Break::BeforeWrite(4), Break::AfterWrite(4), Break::AfterWrite(5)],
        vec![Break::AfterWrite(1), Break::BeforeReceipt],
        vec![Break::SilentEnd(3), Break::AfterReceipt],
        vec![Break::Busy(2), Break::BeforeWrite(10)],
    ];
    for plan in breaks {
        let hub = Hub::start(plan.clone()).await;
        let mut replies = vec![];
        let outcome = push_school::<Registry>(&hub.server().await, &job(), records(95), |event| {
            if let Event::Batch { reply, records } = event {
                replies.push((reply.number, records));
            }
        })
        .await
        .unwrap_or_else(|e| panic!("{plan:?}: {e}"));
        assert_eq!(hub.records(), records(95), "{plan:?}");
        assert_eq!(outcome.receipt.record_count, 95);
        // Each batch is answered once to the listener, also when its first reply got lost.
        assert_eq!(
            replies,
            (1..=10).map(|n| (n, if n == 10 { 5 } else { 10 })).collect::<Vec<_>>(),
            "{plan:?}"
        );
        assert_eq!(outcome.findings.counts.created, 95, "{plan:?}");
        assert_eq!(outcome.connections as usize, plan.len() + 1, "{plan:?}");
    }
}

#[tokio::test]
async fn cuts_on_purpose_are_resumed() {
    let hub = Hub::start(vec![]).await;
    let job = Job { cuts: vec![1, 5, 10], ..job() };
    let outcome = push_school::<Registry>(&hub.server().await, &job, records(95), |_| {}).await.unwrap();
    assert_eq!(hub.records(), records(95));
    assert_eq!((outcome.cuts, outcome.findings.counts.created), (3, 95));
}

#[tokio::test]
async fn another_process_goes_on_where_the_session_stands() {
    let hub = Hub::start(vec![Break::BeforeWrite(6), Break::Refuse(Reason::GrantRevoked)]).await;
    let job = job();
    let first = push_school::<Registry>(&hub.server().await, &job, records(95), |_| {}).await;
    assert!(matches!(first, Err(PushError::Refused { .. })), "{first:?}");
    let mut welcomed = vec![];
    let server = hub.server().await;
    let second = push_school::<Registry>(&server, &job, records(95), |event| {
        if let Event::Connected { last_batch } = event {
            welcomed.push(last_batch);
        }
    });
    let outcome = second.await.unwrap();
    assert_eq!((welcomed, outcome.findings.counts.created), (vec![5], 45));
    assert_eq!(hub.records(), records(95));
}

#[tokio::test]
async fn what_the_hub_refuses_is_not_tried_again() {
    let hub = Hub::start(vec![Break::Refuse(Reason::GrantConflict)]).await;
    let error = push_school::<Registry>(&hub.server().await, &job(), records(5), |_| {}).await.unwrap_err();
    assert!(error.to_string().contains("GRANT_CONFLICT"), "{error}");
    assert_eq!(hub.connections(), 1);
}

#[tokio::test]
async fn the_window_bounds_what_is_on_the_way() {
    let hub = Hub::start(vec![]).await;
    let job = Job { window: 3, ..job() };
    push_school::<Registry>(&hub.server().await, &job, records(500), |_| {}).await.unwrap();
    assert!(hub.most_unanswered() <= 3, "{}", hub.most_unanswered());
}

#[tokio::test]
async fn validation_starts_anew_after_a_break() {
    let hub = Hub::start(vec![Break::BeforeWrite(3)]).await;
    let job = Job { mode: PushMode::ValidateOnly, ..job() };
    let outcome = push_school::<Registry>(&hub.server().await, &job, records(40), |_| {}).await.unwrap();
    assert_eq!((outcome.findings.counts.created, outcome.connections), (40, 2));
}

#[tokio::test]
async fn a_bad_line_stops_the_push_and_names_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r.jsonl");
    std::fs::write(
        &path,
        "{\"campus\":{\"campus_code\":\"DT01\",\"name\":\"A\"}}\n{\"campus\":{\"cod\":1}}\n",
    )
    .unwrap();
    let hub = Hub::start(vec![]).await;
    let source = JsonLines::<Registry>::new(&path);
    let error = push_school::<Registry>(&hub.server().await, &job(), source, |_| {}).await.unwrap_err();
    assert!(error.to_string().contains("line 2"), "{error}");
}

#[tokio::test]
async fn a_comparison_is_patient_and_what_differs_is_pushed_over_breaks() {
    let hub =
        Hub::start(vec![Break::Refuse(Reason::Overloaded), Break::BeforeWrite(4), Break::AfterWrite(5)])
            .await;
    let options = SyncOptions::default();
    let synced =
        sync_school::<Registry>(&hub.server().await, &job(), &options, records(95), |_| {}).await.unwrap();
    assert_eq!(hub.records(), records(95));
    assert_eq!(
        (synced.sum(|k| k.compared), synced.sum(|k| k.sent), synced.sum(|k| k.withdrawn)),
        (95, 95, 0)
    );
    assert_eq!(synced.push.unwrap().connections, 3);
}

#[tokio::test]
async fn a_comparison_that_is_refused_sends_nothing() {
    let hub = Hub::start(vec![Break::Refuse(Reason::SchoolNotFound)]).await;
    let options = SyncOptions::default();
    let outcome = sync_school::<Registry>(&hub.server().await, &job(), &options, records(5), |_| {}).await;
    assert!(matches!(outcome, Err(SyncError::Refused { .. })), "{outcome:?}");
    assert_eq!(hub.connections(), 0);
}
