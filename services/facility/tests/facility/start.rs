//! Start in any order, and the end of a push whose grant is revoked.
use crate::lab::{Lab, SCHOOL, SOON, refusal};
use crate::pushing::{batch, open, room};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::common::v1::push_reply;
use eduhub_proto::facility::v1::PushRequest;
use eduhub_runtime::{
    client::ClientTls,
    probe::{Probe, healthcheck},
};
use eduhub_testkit::until;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

#[tokio::test]
async fn not_ready_until_registry_gave_its_code_lists() {
    let lab = Lab::start_without_codes().await;
    let (url, tls, vendor) = (lab.running.url(), ClientTls::default(), Persona::vendor(SCHOOL));
    until(SOON, || async { healthcheck(&url, &tls, Probe::Live).await.is_ok() }).await;
    assert!(healthcheck(&url, &tls, Probe::Ready).await.is_err());
    // Without lists every code would be unknown: better later than wrongly refused.
    let outcome = lab.push(&vendor, open(), vec![batch(1, vec![room("P1")])]).await;
    assert_eq!(refusal(outcome), (Code::Unavailable, Reason::Unavailable));
    lab.give_codes(1);
    until(SOON, || async { healthcheck(&url, &tls, Probe::Ready).await.is_ok() }).await;
    assert_eq!(lab.pushed(vec![room("P1")]).await.counts().created, 1);
}

#[tokio::test]
async fn a_revoked_grant_ends_its_push_and_what_is_durable_stays() {
    let lab = Lab::start().await;
    let vendor = Persona::vendor(SCHOOL);
    let (out, messages) = mpsc::channel(4);
    out.send(PushRequest::from(&open())).await.unwrap();
    out.send(PushRequest::from(&batch(1, vec![room("P1")]))).await.unwrap();
    let mut replies = lab.ingest(&vendor).push(ReceiverStream::new(messages)).await.unwrap().into_inner();
    while !matches!(replies.message().await.unwrap().unwrap().message, Some(push_reply::Message::Batch(_))) {}
    lab.mint.revoke_grant(vendor.0.grant.unwrap()).await.unwrap();
    let ended = tokio::time::timeout(SOON, replies.message()).await.unwrap();
    assert_eq!(refusal(ended), (Code::PermissionDenied, Reason::GrantRevoked));
    assert_eq!(lab.count("select count(*) from room_record").await, 1);
}
