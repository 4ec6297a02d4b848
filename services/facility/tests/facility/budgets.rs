//! What each RPC may cost: the number of its statements (beside begin, commit and rollback), for a school that the process
//! knows, whatever the number of rooms. The bill is made twice, with few rooms and with many, and must be the same.
use crate::{
    lab::{Lab, SCHOOL, YEAR},
    pushing::{batch, open, room, session},
};
use eduhub_auth::testing::Persona;
use eduhub_proto::{
    common::v1::{
        AcknowledgeRequest, BatchGetRecordsRequest, CompareGroupsRequest, CompareRecordsRequest, CountBy,
        CountIssuesRequest, CountRecordsRequest, CreateSubscriptionRequest, Dataset,
        DeleteSubscriptionRequest, DiffSealRequest, DigestKey, GetDigestKeyRequest, GetPositionRequest,
        GetReceiptKeysRequest, GetRecordHistoryRequest, GetRecordRequest, GetSealRequest,
        GetSubscriptionRequest, Kind, ListIssuesRequest, ListRecordsRequest, ListSealedRequest,
        ListSubscriptionsRequest, LogPosition, ReadPoint, RecordName, SchoolDigestRequest, SealRequest,
        WatchRequest, read_point::Point,
    },
    facility::v1::watch_reply,
};
use eduhub_testkit::{Bill, Row, row};
use eduhub_vault::hashed_group;
use prost::Message;
use uuid::Uuid;

/// Statement that callers of GetRecord share; it runs for nobody alone.
const SHARED: &str = "as w(school, key)";
const KIND: i32 = Kind::Room as i32;

/// Calls of a facility, and their bill.
struct Paying<'a> {
    lab: &'a Lab,
    bill: &'a mut Bill,
}

impl Paying<'_> {
    async fn all(&mut self, who: &Persona, rows: Vec<Row>) {
        let bearer = self.lab.mint.bearer(who).unwrap();
        self.bill.table(&self.lab.running.channel(), &bearer, rows).await;
    }

    /// One call whose answer the next ones need.
    async fn one<T: Message + Default>(&mut self, who: &Persona, row: Row) -> T {
        let bearer = self.lab.mint.bearer(who).unwrap();
        T::decode(self.bill.call(&self.lab.running.channel(), &bearer, row).await.as_slice()).unwrap()
    }

    async fn records(&mut self) {
        let vendor = Persona::vendor(SCHOOL);
        let (school_code, record_key) = (SCHOOL.to_owned(), "2026/P1".to_owned());
        let one = GetRecordRequest {
            school_code: school_code.clone(),
            kind: KIND,
            record_key: record_key.clone(),
            as_of: None,
        };
        let fresh = [row("RecordService/GetRecord", 1, &one), row("RecordService/GetRecord", 0, &one)];
        self.all(&vendor, fresh.into()).await;
        let asked = GetPositionRequest { school_code: school_code.clone() };
        let LogPosition { position } = self.one(&vendor, row("RecordService/GetPosition", 2, &asked)).await;
        let as_of = Some(ReadPoint { point: Some(Point::Position(position)) });
        let names = (1..=10).map(|n| RecordName { kind: KIND, record_key: format!("2026/P{n}") }).collect();
        let batch = BatchGetRecordsRequest { school_code: school_code.clone(), names, as_of: None };
        let list = ListRecordsRequest { school_code: school_code.clone(), kind: KIND, ..Default::default() };
        let then = ListRecordsRequest { as_of: as_of.clone(), ..list.clone() };
        let history = GetRecordHistoryRequest {
            school_code: school_code.clone(),
            kind: KIND,
            record_key,
            ..Default::default()
        };
        let by = vec![CountBy::RoomType as i32];
        let count = CountRecordsRequest { school_code, kind: KIND, by, ..Default::default() };
        let rows = vec![
            row("RecordService/GetRecord", 2, &GetRecordRequest { as_of, ..one }),
            row("RecordService/BatchGetRecords", 1, &batch),
            row("RecordService/ListRecords", 1, &list),
            row("RecordService/ListRecords", 2, &then),
            row("RecordService/GetHistory", 1, &history),
            row("RecordService/CountRecords", 1, &count),
        ];
        self.all(&vendor, rows).await;
    }

    async fn issues(&mut self) {
        let list = ListIssuesRequest { school_code: SCHOOL.to_owned(), ..Default::default() };
        let count = CountIssuesRequest { school_code: SCHOOL.to_owned() };
        let rows = vec![row("IssueService/ListIssues", 1, &list), row("IssueService/CountIssues", 1, &count)];
        self.all(&Persona::vendor(SCHOOL), rows).await;
    }

    async fn seals(&mut self) {
        let seal_id = Uuid::now_v7().to_string();
        let school_code = SCHOOL.to_owned();
        let seal = SealRequest {
            seal_id: seal_id.clone(),
            school_code: school_code.clone(),
            school_year: YEAR,
            dataset: Dataset::Facilities as i32,
        };
        let approval = Persona::service("approval");
        self.all(&approval, vec![row("SealService/CreateSeal", 7, &seal)]).await;
        let sealed = ListSealedRequest { seal_id: seal_id.clone(), kind: KIND, ..Default::default() };
        let rows = vec![
            row("SealService/GetSeal", 1, &GetSealRequest { seal_id: seal_id.clone() }),
            row("SealService/ListSealed", 2, &sealed),
            row("SealService/DiffSeal", 2, &DiffSealRequest { seal_id, ..Default::default() }),
            row("SealService/GetSchoolDigest", 2, &SchoolDigestRequest { school_code }),
        ];
        self.all(&Persona::admin(), rows).await;
    }

    async fn comparing(&mut self) {
        let vendor = Persona::vendor(SCHOOL);
        let school_code = SCHOOL.to_owned();
        let asked = GetDigestKeyRequest { school_code: school_code.clone() };
        let DigestKey { key_id, .. } = self.one(&vendor, row("IngestService/GetDigestKey", 0, &asked)).await;
        let (school_year, kind) = (YEAR, KIND);
        let (school, key) = (school_code.clone(), key_id.clone());
        let groups =
            CompareGroupsRequest { school_code: school, school_year, kind, key_id: key, groups: vec![] };
        let groups_of = vec![hashed_group("P1").to_owned()];
        let records = CompareRecordsRequest {
            school_code,
            school_year,
            kind,
            key_id,
            groups: groups_of,
            records: vec![],
        };
        let rows = vec![
            row("IngestService/GetReceiptKeys", 0, &GetReceiptKeysRequest {}),
            row("IngestService/CompareGroups", 1, &groups),
            row("IngestService/CompareRecords", 1, &records),
        ];
        self.all(&vendor, rows).await;
    }

    /// A whole session of one batch of new rooms.
    async fn push(&mut self, rooms: u32) {
        let new = (1_000..1_000 + rooms).map(|n| room(&format!("P{n}"))).collect();
        let messages = session(open(), vec![batch(1, new)]);
        self.bill.clear();
        self.lab.send(&Persona::vendor(SCHOOL), messages).await.1.unwrap();
        self.bill.charge("IngestService/Push", 21);
    }

    async fn feed(&mut self) {
        let consumer = Persona::consumer();
        self.bill.clear();
        let mut stream = self.lab.feed(&consumer).watch(WatchRequest::default()).await.unwrap().into_inner();
        let cursor = loop {
            let reply = stream.message().await.unwrap().unwrap();
            match reply.message {
                Some(watch_reply::Message::Checkpoint(checkpoint)) if checkpoint.live => {
                    break checkpoint.cursor;
                }
                _ => {}
            }
        };
        // What a stream shows is read once for all streams, by tasks of their own.
        self.bill.charge("FeedService/Watch", 0);
        let (name, owner) = ("bill".to_owned(), String::new());
        let create = CreateSubscriptionRequest {
            name: name.clone(),
            kinds: vec![],
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

fn bill(rooms: u32) {
    Bill::made("eduhub.facility.v1", &[(SHARED, "GetRecord")], async |bill| {
        let lab = Lab::start().await;
        lab.pushed((1..=rooms).map(|n| room(&format!("P{n}"))).collect()).await;
        let mut paying = Paying { lab: &lab, bill };
        paying.records().await;
        paying.issues().await;
        paying.seals().await;
        paying.comparing().await;
        paying.push(rooms).await;
        paying.feed().await;
        paying.bill.covers(crate::access::rpcs());
    });
}

#[test]
fn every_rpc_keeps_its_budget_with_a_few_rooms() {
    bill(20);
}

#[test]
fn every_rpc_keeps_its_budget_with_many_rooms() {
    bill(600);
}
