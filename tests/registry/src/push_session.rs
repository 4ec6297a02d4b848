//! Sessions: order, repetition, resumption, end, and who may open them.
use crate::{
    hub::{Hub, OTHER, SCHOOL},
    make::{self, Wrap},
    pushing::{Pushing, batch, counted, end_of, full, patch, push, refusal},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{Kind, PushEnd, PushMode, PushOpen},
    registry::v1::{PushBatch, PushRequest, Record, push_request},
};
use tonic::Code;

fn three() -> Vec<PushBatch> {
    (1..4).map(|n| batch(n, vec![make::pupil(n).wrap(), make::pupil(n + 10).wrap()])).collect()
}

async fn opened(hub: &Hub, vendor: &Persona, open: &PushOpen) -> Pushing {
    Pushing::open(hub.ingest(vendor), open.clone()).await.unwrap().0
}

#[tokio::test]
async fn the_same_batch_gets_the_same_reply_and_other_content_is_refused() {
    let hub = Hub::start().await;
    let (vendor, open, batches) = (Persona::vendor(SCHOOL), patch(SCHOOL), three());
    let mut stream = opened(&hub, &vendor, &open).await;
    let first = stream.batch(batches[0].clone()).await.unwrap();
    assert_eq!(stream.batch(batches[0].clone()).await.unwrap(), first, "on the same stream");
    stream.batch(batches[1].clone()).await.unwrap();
    drop(stream);

    let (mut stream, welcome) = Pushing::open(hub.ingest(&vendor), open.clone()).await.unwrap();
    assert_eq!(welcome.last_batch, 2);
    assert!(welcome.window > 0 && welcome.max_batch_records > 0);
    assert_eq!(stream.batch(batches[0].clone()).await.unwrap(), first, "on a later stream");
    let changed = batch(2, vec![make::pupil(99).wrap()]);
    assert_eq!(refusal(stream.batch(changed).await), (Code::Aborted, Reason::BatchContentChanged));
    assert_eq!(hub.count("select count(*) from change_log").await, 4);
}

#[tokio::test]
async fn a_batch_out_of_order_is_refused_with_the_last_durable_one() {
    let hub = Hub::start().await;
    let vendor = Persona::vendor(SCHOOL);
    for wrong in [0, 2, 3, u32::MAX] {
        let mut stream = opened(&hub, &vendor, &patch(SCHOOL)).await;
        let refused = stream.batch(batch(wrong, vec![make::pupil(1).wrap()])).await;
        assert_eq!(refusal(refused), (Code::OutOfRange, Reason::BatchOutOfOrder), "{wrong}");
    }
    assert_eq!(hub.rows().await.len(), 0);
}

#[tokio::test]
async fn a_wrong_end_is_refused_and_the_right_one_still_works() {
    let hub = Hub::start().await;
    let (vendor, open, batches) = (Persona::vendor(SCHOOL), patch(SCHOOL), three());
    let right = end_of(&batches);
    let mut stream = opened(&hub, &vendor, &open).await;
    for b in &batches {
        stream.batch(b.clone()).await.unwrap();
    }
    let wrong = PushEnd { digest: vec![7; 32], ..right.clone() };
    assert_eq!(refusal(stream.end(wrong).await), (Code::DataLoss, Reason::EndMismatch));
    let mut stream = opened(&hub, &vendor, &open).await;
    let wrong = PushEnd { record_count: 5, ..right.clone() };
    assert_eq!(refusal(stream.end(wrong).await), (Code::DataLoss, Reason::EndMismatch));
    let mut stream = opened(&hub, &vendor, &open).await;
    let receipt = stream.end(right.clone()).await.unwrap();
    assert_eq!((receipt.batches, receipt.record_count), (3, 6));
    assert_eq!(receipt.digest, right.digest);
    assert_eq!(counted(&receipt.totals), [6, 0, 0, 0, 0, 0, 0, 0]);

    // The same end again: the same receipt. Another batch: the session is over.
    let mut stream = opened(&hub, &vendor, &open).await;
    assert_eq!(stream.end(right).await.unwrap(), receipt);
    let mut stream = opened(&hub, &vendor, &open).await;
    let late = stream.batch(batch(4, vec![make::pupil(50).wrap()])).await;
    assert_eq!(refusal(late), (Code::FailedPrecondition, Reason::SessionEnded));
    let mut stream = opened(&hub, &vendor, &open).await;
    let other_end = stream.end(PushEnd { record_count: 1, digest: vec![1; 32] }).await;
    assert_eq!(refusal(other_end), (Code::FailedPrecondition, Reason::SessionEnded));
}

#[tokio::test]
async fn a_session_belongs_to_its_school_year_mode_and_grant() {
    let hub = Hub::start().await;
    let (vendor, open) = (Persona::vendor(SCHOOL), patch(SCHOOL));
    opened(&hub, &vendor, &open).await;
    let mismatch = (Code::FailedPrecondition, Reason::SessionMismatch);
    let same_id = |o: PushOpen| PushOpen { session_id: open.session_id.clone(), ..o };
    for other in [PushOpen { school_year: 2025, ..open.clone() }, same_id(full(SCHOOL, &[Kind::Pupil]))] {
        assert_eq!(refusal(Pushing::open(hub.ingest(&vendor), other).await.map(drop)), mismatch);
    }
    let second_grant = Persona::vendor(SCHOOL);
    assert_eq!(refusal(Pushing::open(hub.ingest(&second_grant), open.clone()).await.map(drop)), mismatch);
    let elsewhere = same_id(patch(OTHER));
    let other_school = Persona::vendor(OTHER);
    assert_eq!(refusal(Pushing::open(hub.ingest(&other_school), elsewhere).await.map(drop)), mismatch);
    Pushing::open(hub.ingest(&vendor), open).await.unwrap();
}

#[tokio::test]
async fn only_an_open_year_and_a_school_in_scope_take_data() {
    let hub = Hub::start().await;
    let vendor = Persona::vendor(SCHOOL);
    for year in [2024, 2027, 0, -1] {
        let open = PushOpen { school_year: year, ..patch(SCHOOL) };
        let refused = refusal(push(&hub, &vendor, open, vec![]).await);
        assert_eq!(refused, (Code::FailedPrecondition, Reason::SchoolYearClosed), "{year}");
    }
    sqlx::query("update school_year set open = false where school_year = 2025")
        .execute(&hub.pool)
        .await
        .unwrap();
    let closed = PushOpen { school_year: 2025, ..patch(SCHOOL) };
    assert_eq!(refusal(push(&hub, &vendor, closed, vec![]).await).1, Reason::SchoolYearClosed);

    // A school that is there but not in scope looks exactly like one that is not.
    let status = |school: &'static str| {
        let (hub, vendor) = (&hub, &vendor);
        async move {
            let Err(status) = push(hub, vendor, patch(school), vec![]).await else { panic!("{school}") };
            (status.code(), status.message().to_owned(), status.details().to_vec())
        }
    };
    let absent = status("37999999999").await;
    assert_eq!(absent.0, Code::NotFound);
    assert_eq!(status(OTHER).await, absent);
}

#[tokio::test]
async fn messages_out_of_protocol_are_refused() {
    let hub = Hub::start().await;
    let vendor = Persona::vendor(SCHOOL);
    let open = |o| PushRequest::from(&o);
    let protocol = (Code::InvalidArgument, Reason::Protocol);
    for message in [open(patch(SCHOOL)), PushRequest { message: None }] {
        let mut stream = opened(&hub, &vendor, &patch(SCHOOL)).await;
        stream.send_raw(message).await;
        assert_eq!(refusal(stream.reply().await), protocol);
    }
    let mut client = hub.ingest(&vendor);
    let end_first = PushRequest { message: Some(push_request::Message::End(PushEnd::default())) };
    for first in [vec![end_first], vec![PushRequest { message: None }], vec![]] {
        assert_eq!(refusal(client.push(futures::stream::iter(first)).await.map(drop)), protocol);
    }
    for broken in [
        PushOpen { session_id: "1".into(), ..patch(SCHOOL) },
        PushOpen { mode: PushMode::Unspecified as i32, ..patch(SCHOOL) },
        PushOpen { mode: 9, ..patch(SCHOOL) },
    ] {
        assert_eq!(refusal(push(&hub, &vendor, broken, vec![]).await).1, Reason::InvalidRequest);
    }
}

#[tokio::test]
async fn a_batch_has_its_limit_and_an_empty_record_no_kind() {
    let hub = Hub::start().await;
    let vendor = Persona::vendor(SCHOOL);
    let many = vec![make::pupil(1).wrap(); 2_001];
    let refused = push(&hub, &vendor, patch(SCHOOL), vec![batch(1, many)]).await;
    assert_eq!(refusal(refused), (Code::InvalidArgument, Reason::BatchTooLarge));
    let empty = push(&hub, &vendor, patch(SCHOOL), vec![batch(1, vec![Record { record: None }])]).await;
    assert_eq!(refusal(empty), (Code::InvalidArgument, Reason::UnknownKind));
    let fits = vec![batch(1, (0..2_000).map(|n| make::pupil(n).wrap()).collect())];
    let (replies, _) = push(&hub, &vendor, patch(SCHOOL), fits).await.unwrap();
    assert_eq!(counted(&replies[0].counts)[0], 2_000);
}

#[tokio::test]
async fn an_empty_session_ends_with_an_empty_receipt() {
    let hub = Hub::start().await;
    let (_, receipt) = push(&hub, &Persona::vendor(SCHOOL), patch(SCHOOL), vec![]).await.unwrap();
    assert_eq!((receipt.batches, receipt.record_count), (0, 0));
}
