//! Pushes with the handshake before them, and the feed.
use super::Paying;
use crate::{
    hub::{SCHOOL, YEAR},
    make::{self, Wrap},
    pushing::{Pushing, batch, end_of, patch},
};
use eduhub_auth::testing::Persona;
use eduhub_proto::{
    common::v1::{
        AcknowledgeRequest, CompareGroupsRequest, CompareRecordsRequest, CreateSubscriptionRequest,
        DeleteSubscriptionRequest, DigestKey, GetDigestKeyRequest, GetReceiptKeysRequest,
        GetSubscriptionRequest, Kind, ListSubscriptionsRequest, WatchRequest,
    },
    registry::v1::{WatchReply, watch_reply},
};
use eduhub_testkit::row;
use tonic::Streaming;

impl Paying<'_> {
    pub async fn comparing(&mut self) {
        let vendor = Persona::vendor(SCHOOL);
        let school_code = SCHOOL.to_owned();
        let asked = GetDigestKeyRequest { school_code: school_code.clone() };
        let DigestKey { key_id, .. } = self.one(&vendor, row("IngestService/GetDigestKey", 0, &asked)).await;
        let kind = Kind::Enrolment as i32;
        let groups = CompareGroupsRequest {
            school_code: school_code.clone(),
            school_year: YEAR,
            kind,
            key_id: key_id.clone(),
            groups: vec![],
        };
        let records = CompareRecordsRequest {
            school_code,
            school_year: YEAR,
            kind,
            key_id,
            groups: vec!["6A1".to_owned()],
            records: vec![],
        };
        let rows = vec![
            row("IngestService/GetReceiptKeys", 0, &GetReceiptKeysRequest {}),
            row("IngestService/CompareGroups", 1, &groups),
            row("IngestService/CompareRecords", 1, &records),
        ];
        self.all(&vendor, rows).await;
    }

    /// A stream costs at its start and its end, and each batch the same whatever is in it.
    pub async fn push(&mut self, pupils: u32) {
        const RPC: &str = "IngestService/Push";
        self.bill.clear();
        let ingest = self.hub.ingest(&Persona::vendor(SCHOOL));
        let (mut pushing, _) = Pushing::open(ingest, patch(SCHOOL)).await.unwrap();
        self.bill.charge(RPC, 6);
        let fresh = (100..100 + pupils).map(|n| make::pupil(n).wrap()).collect();
        let batches = vec![batch(1, fresh), batch(2, (1..=pupils).map(|n| make::pupil(n).wrap()).collect())];
        for (one, budget) in batches.iter().zip([14, 7]) {
            self.bill.clear();
            pushing.batch(one.clone()).await.unwrap();
            self.bill.charge(RPC, budget);
        }
        self.bill.clear();
        pushing.end(end_of(&batches)).await.unwrap();
        self.bill.charge(RPC, 8);
    }

    pub async fn feed(&mut self) {
        let consumer = Persona::consumer();
        let kinds = vec![Kind::Pupil as i32];
        self.bill.clear();
        let asked = WatchRequest { kinds: kinds.clone(), ..Default::default() };
        let mut stream = self.hub.feed(&consumer).watch(asked).await.unwrap().into_inner();
        let cursor = live(&mut stream).await;
        // What a stream shows is read once for all streams, by tasks of their own: see `feed_shared`.
        self.bill.charge("FeedService/Watch", 0);
        let (name, owner) = ("bill".to_owned(), String::new());
        let create = CreateSubscriptionRequest {
            name: name.clone(),
            kinds,
            school_codes: vec![],
            cursor: cursor.clone(),
        };
        let get = GetSubscriptionRequest { name: name.clone(), owner: owner.clone() };
        let acknowledge = AcknowledgeRequest { name: name.clone(), cursor };
        let rows = vec![
            row("FeedService/CreateSubscription", 5, &create),
            row("FeedService/GetSubscription", 2, &get),
            row("FeedService/ListSubscriptions", 2, &ListSubscriptionsRequest::default()),
            row("FeedService/Acknowledge", 5, &acknowledge),
            row("FeedService/DeleteSubscription", 1, &DeleteSubscriptionRequest { name, owner }),
        ];
        self.all(&consumer, rows).await;
    }
}

async fn live(stream: &mut Streaming<WatchReply>) -> Vec<u8> {
    loop {
        if let Some(watch_reply::Message::Checkpoint(checkpoint)) =
            stream.message().await.unwrap().unwrap().message
            && checkpoint.live
        {
            return checkpoint.cursor;
        }
    }
}
