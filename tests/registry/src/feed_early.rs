//! What is committed while an older transaction is open comes early, once, and in the order of each school.
use crate::{
    following::{Follower, Got, Mirror, follow},
    hub::{Hub, OTHER, SCHOOL},
    make::{self, Wrap},
    pushing::push_one,
    reads::{keys, list},
};
use eduhub_auth::testing::Persona;
use eduhub_changelog::{RecordSet, RowChange, Table, WriteContext, lock_school, write};
use eduhub_proto::{
    common::v1::{
        AcknowledgeRequest, CreateSubscriptionRequest, DataDomain, GetSubscriptionRequest, Kind,
        ListRecordsRequest, ReadPoint, RecordFilter, WatchRequest, read_point::Point,
    },
    registry::v1::Campus,
};
use eduhub_registry::records::RegistryRecords;
use prost::Message;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

fn table() -> &'static Table {
    RegistryRecords::tables().iter().find(|t| t.name == "campus_record").unwrap()
}

/// Writes a new campus.
async fn campus(conn: &mut PgConnection, school: &str, key: &str) {
    lock_school(conn, school).await.unwrap();
    let image = Campus { campus_code: key.to_owned(), name: key.to_owned(), ..Campus::default() };
    let row = RowChange {
        record_id: Uuid::now_v7(),
        record_key: key.to_owned(),
        school_year: 0,
        version: 1,
        digest: key.as_bytes().to_vec(),
        body: image.encode_to_vec(),
        secret: None,
        withdrawn: false,
        columns: vec![],
    };
    let who =
        WriteContext { school_code: school.into(), grant_id: None, actor: "test".into(), session_id: None };
    write(conn, table(), &who, &[row]).await.unwrap();
}

/// A transaction that has written a campus of [`OTHER`] and does not end.
async fn open_transaction(hub: &Hub) -> Transaction<'static, Postgres> {
    let mut tx = hub.pool.begin().await.unwrap();
    campus(&mut tx, OTHER, "OPEN").await;
    tx
}

/// A stream that has met the head.
async fn at_the_head(hub: &Hub, copy: &mut Mirror) -> Follower {
    let mut stream = Follower::open(hub, &Persona::consumer(), vec![]).await;
    stream.catch_up(copy).await.unwrap();
    stream
}

/// Takes changes until the copy has so many records; gives the last cursor.
async fn until(stream: &mut Follower, copy: &mut Mirror, records: usize) -> Vec<u8> {
    loop {
        let cursor = match stream.next().await.unwrap() {
            Got::Changes(changes, cursor) => {
                changes.into_iter().for_each(|c| copy.apply(c));
                cursor
            }
            Got::Checkpoint(c) => c.cursor,
            Got::Scope(_) => panic!("the scope is the province"),
        };
        if copy.records.len() >= records {
            assert_eq!(copy.records.len(), records);
            return cursor;
        }
    }
}

#[tokio::test]
async fn an_open_transaction_keeps_nothing_of_others_from_a_consumer() {
    let hub = Hub::start().await;
    let mut copy = Mirror::default();
    let mut stream = at_the_head(&hub, &mut copy).await;
    let open = open_transaction(&hub).await;
    push_one(&hub, SCHOOL, (0..3).map(|n| make::pupil(n).wrap()).collect()).await;
    let cursor = until(&mut stream, &mut copy, 3).await;

    // A cursor from in between is as good as any: in this process and in another.
    push_one(&hub, SCHOOL, vec![make::pupil(3).wrap()]).await;
    let replica = hub.replica(None).await;
    for process in [&hub, &replica] {
        let mut copy = copy.clone();
        let mut again = Follower::open(process, &Persona::consumer(), cursor.clone()).await;
        until(&mut again, &mut copy, 4).await;
        assert_eq!(copy.repeated, 0);
    }
    until(&mut stream, &mut copy, 4).await;
    open.commit().await.unwrap();
    until(&mut stream, &mut copy, 5).await;
    push_one(&hub, SCHOOL, vec![make::pupil(4).wrap()]).await;
    stream.catch_up(&mut copy).await.unwrap();
    assert_eq!((copy.records.len(), copy.repeated, copy.seen), (6, 0, 6));
}

#[tokio::test]
async fn a_subscription_is_not_behind_with_what_it_has_early() {
    let hub = Hub::start().await;
    let consumer = Persona::consumer();
    let mut feed = hub.feed(&consumer);
    let request = CreateSubscriptionRequest { name: "ioc".into(), ..Default::default() };
    feed.create_subscription(request).await.unwrap();
    let mut copy = Mirror::default();
    let named = WatchRequest { subscription: "ioc".into(), ..Default::default() };
    let mut stream = follow(hub.feed(&consumer), named).await.unwrap();
    stream.catch_up(&mut copy).await.unwrap();
    let open = open_transaction(&hub).await;
    push_one(&hub, SCHOOL, (0..3).map(|n| make::pupil(n).wrap()).collect()).await;
    let cursor = until(&mut stream, &mut copy, 3).await;
    push_one(&hub, SCHOOL, vec![make::pupil(3).wrap()]).await;
    let ack = |cursor: &Vec<u8>| AcknowledgeRequest { name: "ioc".into(), cursor: cursor.clone() };
    let stored = feed.acknowledge(ack(&cursor)).await.unwrap().into_inner();
    assert_eq!(stored.pending_changes, 1, "the fourth pupil");
    let newer = until(&mut stream, &mut copy, 4).await;
    for cursor in [&newer, &cursor] {
        let stored = feed.acknowledge(ack(cursor)).await.unwrap().into_inner();
        assert_eq!((stored.pending_changes, &stored.cursor), (0, &newer), "forward only");
    }
    open.commit().await.unwrap();
    let request = GetSubscriptionRequest { name: "ioc".into(), ..Default::default() };
    let stored = feed.get_subscription(request).await.unwrap().into_inner();
    assert_eq!(stored.pending_changes, 1, "the campus");
}

#[tokio::test]
async fn a_transaction_may_come_early_in_parts() {
    let hub = Hub::start().await;
    let mut copy = Mirror::default();
    drop(at_the_head(&hub, &mut copy).await);
    let mut cursor =
        Follower::open(&hub, &Persona::consumer(), vec![]).await.catch_up(&mut copy).await.unwrap();
    let open = open_transaction(&hub).await;
    push_one(&hub, SCHOOL, (0..100).map(|n| make::pupil(n).wrap()).collect()).await;
    let ask = |cursor: &Vec<u8>| WatchRequest { cursor: cursor.clone(), max_batch: 7, ..Default::default() };
    // Each message by a stream of its own.
    while copy.records.len() < 100 {
        let mut stream = follow(hub.feed(&Persona::consumer()), ask(&cursor)).await.unwrap();
        match stream.next().await.unwrap() {
            Got::Changes(changes, at) => {
                assert!(changes.len() <= 7);
                changes.into_iter().for_each(|c| copy.apply(c));
                cursor = at;
            }
            Got::Checkpoint(c) => cursor = c.cursor,
            Got::Scope(_) => panic!("the scope is the province"),
        }
    }
    open.commit().await.unwrap();
    let mut stream = follow(hub.feed(&Persona::consumer()), ask(&cursor)).await.unwrap();
    stream.catch_up(&mut copy).await.unwrap();
    assert_eq!((copy.records.len(), copy.repeated), (101, 0));
}

#[tokio::test]
async fn more_than_there_is_room_for_waits_for_its_turn() {
    let hub = Hub::start().await;
    let mut copy = Mirror::default();
    let mut stream = at_the_head(&hub, &mut copy).await;
    let open = open_transaction(&hub).await;
    for n in 0..300 {
        let mut tx = hub.pool.begin().await.unwrap();
        campus(&mut tx, SCHOOL, &format!("CS{n:03}")).await;
        tx.commit().await.unwrap();
    }
    until(&mut stream, &mut copy, 256).await;
    let Got::Checkpoint(waiting) = stream.next().await.unwrap() else {
        panic!("more than there is room for")
    };
    assert!(waiting.lag_ms > 0, "what waits is told");
    open.commit().await.unwrap();
    stream.catch_up(&mut copy).await.unwrap();
    assert_eq!((copy.records.len(), copy.repeated), (301, 0));
}

#[tokio::test]
async fn the_state_at_a_cursor_is_that_of_its_consumers_copy() {
    let hub = Hub::start().await;
    let mut copy = Mirror::default();
    let mut stream = at_the_head(&hub, &mut copy).await;
    let open = open_transaction(&hub).await;
    push_one(&hub, SCHOOL, (0..3).map(|n| make::pupil(n).wrap()).collect()).await;
    let cursor = until(&mut stream, &mut copy, 3).await;
    push_one(&hub, SCHOOL, vec![make::pupil(3).wrap()]).await;
    open.commit().await.unwrap();
    let point = ReadPoint { point: Some(Point::Position(cursor)) };
    let state = async |school: &str, kind: Kind| {
        let asked = ListRecordsRequest {
            school_code: school.into(),
            as_of: Some(point.clone()),
            ..list(kind, RecordFilter::default())
        };
        keys(&hub.records(&Persona::vendor(school)).list_records(asked).await.unwrap().into_inner())
    };
    assert_eq!(state(SCHOOL, Kind::Pupil).await, [make::code(0), make::code(1), make::code(2)]);
    assert_eq!(
        state(OTHER, Kind::Campus).await,
        Vec::<String>::new(),
        "not committed when the cursor was made"
    );
}

#[tokio::test]
async fn what_a_consumer_gains_lacks_nothing_that_it_passed_early() {
    let hub = Hub::start().await;
    let pupils = Persona::consumer().domains(&[DataDomain::Pupil]);
    let mut copy = Mirror::default();
    let mut stream = Follower::open(&hub, &pupils, vec![]).await;
    stream.catch_up(&mut copy).await.unwrap();
    let open = open_transaction(&hub).await;
    // Another process has read the campuses for somebody else, and keeps those pages while the horizon stands still.
    let replica = hub.replica(None).await;
    at_the_head(&replica, &mut Mirror::default()).await;

    let mut tx = hub.pool.begin().await.unwrap();
    campus(&mut tx, SCHOOL, "CS1").await;
    tx.commit().await.unwrap();
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    let cursor = until(&mut stream, &mut copy, 1).await;
    let mut renewed = Follower::open(&replica, &Persona::consumer(), cursor).await;
    renewed.catch_up(&mut copy).await.unwrap();
    open.commit().await.unwrap();
    renewed.catch_up(&mut copy).await.unwrap();
    let keys: Vec<&str> = copy.records.keys().map(|(_, _, key)| key.as_str()).collect();
    assert_eq!(keys, ["CS1", &make::code(1), "OPEN"]);
}
