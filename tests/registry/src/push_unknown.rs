//! What a newer client says and this version does not know: reported, part of the digest, never a reason to fail.
use crate::{
    hub::{Hub, SCHOOL},
    make::{self, Wrap},
    pushing::{Pushing, batch, counted, end_of, patch, refusal},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::{Problem, Reason};
use eduhub_proto::{
    RawBatch,
    common::v1::{Kind, PushEnd, PushOpen, Severity},
    registry::v1::{PushRequest, push_request::Message as Part},
};
use prost::{Message, bytes::Bytes, encoding::string};
use sha2::{Digest, Sha256};
use tonic::Code;

/// A message with a text in a field that no version has.
fn with_news(message: &impl Message) -> Vec<u8> {
    let mut bytes = message.encode_to_vec();
    string::encode(9_999, &"0912345678".to_owned(), &mut bytes);
    bytes
}

/// The `Record` around an encoded pupil.
fn wrapped(pupil: &[u8]) -> Bytes {
    const PUPIL: u32 = 4;
    inside(PUPIL, pupil)
}

fn inside(field: u32, record: &[u8]) -> Bytes {
    let mut out = Vec::new();
    prost::encoding::bytes::encode(field, &record.to_vec(), &mut out);
    out.into()
}

fn raw(part: Part) -> PushRequest {
    PushRequest { message: Some(part) }
}

fn told(p: &Problem) -> (Reason, Severity, Kind, &str, &str, Option<u32>) {
    (p.reason(), p.severity(), p.kind(), p.record_key.as_str(), p.field.as_str(), p.index)
}

#[tokio::test]
async fn unknown_fields_of_a_record_and_of_its_batch_are_told_and_the_digest_is_over_what_was_sent() {
    let hub = Hub::start().await;
    let (mut stream, _) = Pushing::open(hub.ingest(&Persona::vendor(SCHOOL)), patch(SCHOOL)).await.unwrap();
    let records = vec![make::pupil(1).wrap().encode_to_vec().into(), wrapped(&with_news(&make::pupil(2)))];
    let sent = with_news(&RawBatch { number: 1, records, withdrawals: vec![] });
    let digest = Sha256::digest(Sha256::digest(&sent)).to_vec();
    stream.send_raw(raw(Part::Batch(sent.into()))).await;
    let reply = stream.reply().await.unwrap();
    assert_eq!(counted(&reply.counts), [2, 0, 0, 0, 0, 0, 0, 1]);
    let found: Vec<_> = reply.problems.iter().map(told).collect();
    let code = make::code(2);
    assert_eq!(
        found,
        [
            (Reason::UnknownField, Severity::Warning, Kind::Unspecified, "", "#9999", None),
            (Reason::UnknownField, Severity::Warning, Kind::Pupil, code.as_str(), "#9999", Some(1)),
        ]
    );
    assert!(reply.problems.iter().all(|p| p.value.is_empty()), "nobody knows how sensitive it is");
    let receipt = stream.end(PushEnd { record_count: 2, digest: digest.clone() }).await.unwrap();
    assert_eq!(receipt.digest, digest);
}

#[tokio::test]
async fn an_unknown_field_is_on_the_work_list_until_it_is_sent_no_more() {
    let hub = Hub::start().await;
    let open_issues = "select count(*) from data_issue where closed_at is null";
    for (record, open) in
        [(wrapped(&with_news(&make::pupil(2))), 1), (wrapped(&make::pupil(2).encode_to_vec()), 0)]
    {
        let (mut stream, _) =
            Pushing::open(hub.ingest(&Persona::vendor(SCHOOL)), patch(SCHOOL)).await.unwrap();
        let bytes = RawBatch { number: 1, records: vec![record], withdrawals: vec![] }.encode_to_vec();
        stream.send_raw(raw(Part::Batch(bytes.into()))).await;
        stream.reply().await.unwrap();
        assert_eq!(hub.count(open_issues).await, open);
    }
    assert_eq!(hub.count("select version from pupil_record").await, 1, "the record itself has not changed");
}

#[tokio::test]
async fn the_welcome_says_which_options_have_no_effect() {
    let hub = Hub::start().await;
    let vendor = Persona::vendor(SCHOOL);
    let open = PushOpen { full_kinds: vec![Kind::Pupil as i32], ..patch(SCHOOL) };
    let (stream, welcome) =
        Pushing::open_raw(hub.ingest(&vendor), raw(Part::Open(with_news(&open).into()))).await.unwrap();
    let found: Vec<_> = welcome.notices.iter().map(|n| (n.reason(), n.field.as_str())).collect();
    assert_eq!(found, [(Reason::UnknownField, "open.#9999"), (Reason::OptionIgnored, "open.full_kinds")]);
    drop(stream);
    let (_, welcome) = Pushing::open(hub.ingest(&vendor), patch(SCHOOL)).await.unwrap();
    assert_eq!(welcome.notices, []);
}

#[tokio::test]
async fn bytes_that_are_no_batch_or_no_record_end_the_stream_and_leave_nothing() {
    let hub = Hub::start().await;
    let vendor = Persona::vendor(SCHOOL);
    let no_record = RawBatch { number: 1, records: vec![Bytes::from_static(&[0xff])], withdrawals: vec![] };
    for bytes in [vec![0xff_u8, 1, 2], no_record.encode_to_vec()] {
        let (mut stream, _) = Pushing::open(hub.ingest(&vendor), patch(SCHOOL)).await.unwrap();
        stream.send_raw(raw(Part::Batch(bytes.into()))).await;
        assert_eq!(refusal(stream.reply().await), (Code::InvalidArgument, Reason::Protocol));
    }
    let garbled = Pushing::open_raw(hub.ingest(&vendor), raw(Part::Open(Bytes::from_static(&[0xff])))).await;
    assert_eq!(refusal(garbled.map(drop)), (Code::InvalidArgument, Reason::Protocol));
    assert_eq!(hub.rows().await.len(), 0);
    // The school's next push is none the worse for it.
    let (mut stream, _) = Pushing::open(hub.ingest(&vendor), patch(SCHOOL)).await.unwrap();
    let batches = [batch(1, vec![make::pupil(1).wrap()])];
    stream.batch(batches[0].clone()).await.unwrap();
    assert_eq!(stream.end(end_of(&batches)).await.unwrap().record_count, 1);
}

/// Its finding is on the work list since the first time, and the second must not stumble over that.
#[tokio::test]
async fn a_waiting_record_with_a_finding_may_come_again() {
    const ENROLMENT: u32 = 6;
    let hub = Hub::start().await;
    for _ in 0..2 {
        let (mut stream, _) =
            Pushing::open(hub.ingest(&Persona::vendor(SCHOOL)), patch(SCHOOL)).await.unwrap();
        let records = vec![inside(ENROLMENT, &with_news(&make::enrolment(1, "6A1")))];
        let bytes = RawBatch { number: 1, records, withdrawals: vec![] }.encode_to_vec();
        stream.send_raw(raw(Part::Batch(bytes.into()))).await;
        assert_eq!(counted(&stream.reply().await.unwrap().counts), [0, 0, 0, 0, 1, 0, 0, 1]);
        assert_eq!(hub.count("select count(*) from data_issue where closed_at is null").await, 1);
    }
}
