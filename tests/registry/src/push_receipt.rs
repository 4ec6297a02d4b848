//! Signed receipts: what the hub proves of a finished session, to whoever holds the published keys.
use crate::{
    hub::{Hub, SCHOOL, YEAR},
    make::{self, Wrap},
    pushing::{Pushing, batch, end_of, full, patch, push, validate_only},
};
use eduhub_auth::testing::Persona;
use eduhub_proto::{
    common::v1::{GetReceiptKeysRequest, Kind},
    registry::v1::ingest_service_client::IngestServiceClient,
};
use eduhub_receipts::{Counts, Delivery, ReceiptError, verify};

/// The published keys, as anybody gets them.
async fn keys(hub: &Hub) -> String {
    let mut anybody = IngestServiceClient::new(hub.running.channel());
    anybody.get_receipt_keys(GetReceiptKeysRequest {}).await.unwrap().into_inner().jwk_set
}

#[tokio::test]
async fn a_receipt_proves_what_was_delivered() {
    let hub = Hub::start().await;
    let vendor = Persona::vendor(SCHOOL);
    let nameless = eduhub_proto::registry::v1::Pupil { full_name: String::new(), ..make::pupil(3) };
    let batches =
        vec![batch(1, vec![make::pupil(1).wrap(), make::pupil(2).wrap()]), batch(2, vec![nameless.wrap()])];
    let open = full(SCHOOL, &[Kind::Pupil]);
    let (_, receipt) = push(&hub, &vendor, open.clone(), batches.clone()).await.unwrap();
    let proven = verify(&receipt.signed, &keys(&hub).await).unwrap();
    let expected = Delivery {
        iss: "eduhub-registry".into(),
        iat: receipt.completed_at.unwrap().seconds,
        sub: open.session_id.clone(),
        school_code: SCHOOL.into(),
        school_year: YEAR,
        mode: "FULL".into(),
        full_kinds: vec!["PUPIL".into()],
        grant_id: vendor.caller().grant.map(|id| id.to_string()),
        batches: 2,
        record_count: 3,
        digest: hex::encode(end_of(&batches).digest),
        counts: Counts { created: 2, rejected: 1, ..Counts::default() },
    };
    assert_eq!(proven, expected);
    // Who lost it asks again with the same session: the same receipt, not a second one.
    let (mut again, _) = Pushing::open(hub.ingest(&vendor), open).await.unwrap();
    assert_eq!(again.end(end_of(&batches)).await.unwrap(), receipt);
}

#[tokio::test]
async fn another_hub_vouches_for_nothing_of_this_one() {
    let (hub, other) = (Hub::start().await, Hub::start().await);
    let batches = vec![batch(1, vec![make::pupil(1).wrap()])];
    let (_, receipt) = push(&hub, &Persona::vendor(SCHOOL), patch(SCHOOL), batches).await.unwrap();
    let verdict = verify(&receipt.signed, &keys(&other).await);
    assert!(matches!(verdict, Err(ReceiptError::UnknownKey(_))), "{verdict:?}");
}

#[tokio::test]
async fn nothing_delivered_nothing_signed() {
    let hub = Hub::start().await;
    let batches = vec![batch(1, vec![make::pupil(1).wrap()])];
    let (_, receipt) = push(&hub, &Persona::vendor(SCHOOL), validate_only(SCHOOL), batches).await.unwrap();
    assert_eq!(receipt.signed, "");
}
