//! States as of a position of the log, of a feed's cursor, of a seal.
use crate::{
    hub::{Hub, OTHER, SCHOOL, YEAR},
    make::{self, Wrap, code},
    pushing::{push_one, refusal, withdraw_one},
    reads::{get, key_of, keys, list, name, pupil_of, violations},
};
use eduhub_auth::testing::Persona;
use eduhub_changelog::{Ahead, Cursor, FeedIdentity, Phase};
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{
        BatchGetRecordsRequest, Dataset, GetPositionRequest, GetRecordRequest, Kind, ListRecordsRequest,
        ReadPoint, RecordFilter, SealRequest, WatchRequest, read_point::Point,
    },
    registry::v1::watch_reply,
};
use tonic::Code;
use uuid::Uuid;

impl Hub {
    async fn position(&self) -> ReadPoint {
        let request = GetPositionRequest { school_code: SCHOOL.into() };
        let answer = self.records(&Persona::vendor(SCHOOL)).get_position(request).await.unwrap();
        at(answer.into_inner().position)
    }

    /// Name and version of a pupil as of a point.
    async fn pupil_at(&self, n: u32, point: &ReadPoint) -> Option<(String, i64)> {
        let asked = GetRecordRequest { as_of: Some(point.clone()), ..get(Kind::Pupil, &code(n)) };
        match self.records(&Persona::vendor(SCHOOL)).get_record(asked).await {
            Ok(got) => {
                let got = got.into_inner();
                Some((pupil_of(&got).full_name.clone(), got.header.unwrap().version))
            }
            Err(status) => {
                assert_eq!(status.code(), Code::NotFound);
                None
            }
        }
    }

    async fn pupils_at(&self, point: &ReadPoint) -> Vec<String> {
        let asked =
            ListRecordsRequest { as_of: Some(point.clone()), ..list(Kind::Pupil, RecordFilter::default()) };
        keys(&self.records(&Persona::vendor(SCHOOL)).list_records(asked).await.unwrap().into_inner())
    }
}

fn at(position: Vec<u8>) -> ReadPoint {
    ReadPoint { point: Some(Point::Position(position)) }
}

fn named(n: u32, name: &str) -> eduhub_proto::registry::v1::Record {
    let mut pupil = make::pupil(n);
    pupil.full_name = name.into();
    pupil.wrap()
}

#[tokio::test]
async fn a_position_shows_the_state_that_it_was_taken_in() {
    let hub = Hub::start().await;
    let nothing = hub.position().await;
    push_one(&hub, SCHOOL, vec![named(1, "Lê An"), named(2, "Lê Bình")]).await;
    let first = hub.position().await;
    push_one(&hub, SCHOOL, vec![named(1, "Lê Ân"), named(3, "Lê Chi")]).await;
    let second = hub.position().await;
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Pupil, &code(2))]).await;
    push_one(&hub, SCHOOL, vec![named(1, "Lê Ấn")]).await;
    let third = hub.position().await;
    push_one(&hub, SCHOOL, vec![named(2, "Lê Bính")]).await;
    let last = hub.position().await;

    let told = |name: &str, version| Some((name.to_owned(), version));
    for (point, one, two, three) in [
        (&nothing, None, None, None),
        (&first, told("Lê An", 1), told("Lê Bình", 1), None),
        (&second, told("Lê Ân", 2), told("Lê Bình", 1), told("Lê Chi", 1)),
        (&third, told("Lê Ấn", 3), None, told("Lê Chi", 1)),
        (&last, told("Lê Ấn", 3), told("Lê Bính", 3), told("Lê Chi", 1)),
    ] {
        let (a, b, c) =
            (hub.pupil_at(1, point).await, hub.pupil_at(2, point).await, hub.pupil_at(3, point).await);
        let there: Vec<String> =
            [&a, &b, &c].into_iter().zip(1..).filter(|(p, _)| p.is_some()).map(|(_, n)| code(n)).collect();
        assert_eq!((a, b, c), (one, two, three));
        assert_eq!(hub.pupils_at(point).await, there);
        let names = vec![name(Kind::Pupil, &code(3)), name(Kind::Pupil, &code(1))];
        let asked = BatchGetRecordsRequest { school_code: SCHOOL.into(), names, as_of: Some(point.clone()) };
        let got = hub.records(&Persona::vendor(SCHOOL)).batch_get_records(asked).await.unwrap().into_inner();
        let found: Vec<String> = got.records.iter().map(key_of).collect();
        let mut expected: Vec<String> = there.iter().filter(|k| **k != code(2)).cloned().collect();
        expected.reverse();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn the_cursor_of_a_feed_is_a_position_and_one_from_within_a_snapshot_is_not() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![named(1, "Lê An"), named(2, "Lê Bình")]).await;
    let watch = hub.feed(&Persona::consumer()).watch(WatchRequest::default()).await;
    let (mut feed, mut seen, mut live) = (watch.unwrap().into_inner(), 0, None);
    while live.is_none() {
        match feed.message().await.unwrap().unwrap().message.unwrap() {
            watch_reply::Message::Changes(batch) => seen += batch.changes.len(),
            watch_reply::Message::Checkpoint(c) if c.live && seen == 2 => live = Some(c.cursor),
            _ => {}
        }
    }
    push_one(&hub, SCHOOL, vec![named(1, "Lê Ân"), named(3, "Lê Chi")]).await;
    let point = at(live.unwrap());
    assert_eq!(hub.pupil_at(1, &point).await, Some(("Lê An".to_owned(), 1)));
    assert_eq!(hub.pupils_at(&point).await, [code(1), code(2)]);

    let feed = FeedIdentity::read(&mut hub.pool.acquire().await.unwrap()).await.unwrap();
    let (school_code, record_key) = (SCHOOL.to_owned(), code(1));
    let phase = Phase::Snapshot { horizon: i64::MAX, kind: Kind::Pupil as i32, school_code, record_key };
    let within = Cursor { phase, ahead: Ahead::default(), filter: 0, scope: vec![] }.encode(&feed);
    let asked = GetRecordRequest { as_of: Some(at(within)), ..get(Kind::Pupil, &code(1)) };
    let refused = refusal(hub.records(&Persona::vendor(SCHOOL)).get_record(asked).await);
    assert_eq!(refused, (Code::InvalidArgument, Reason::CursorMalformed));
}

#[tokio::test]
async fn a_seal_is_a_state_of_its_school_alone() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![named(1, "Lê An")]).await;
    let seal_id = Uuid::now_v7().to_string();
    let (school_code, dataset) = (SCHOOL.to_owned(), Dataset::Pupils as i32);
    let request = SealRequest { seal_id: seal_id.clone(), school_code, school_year: YEAR, dataset };
    hub.seals(&Persona::service("approval")).create_seal(request).await.unwrap();
    push_one(&hub, SCHOOL, vec![named(1, "Lê Ân"), named(2, "Lê Bình")]).await;
    let point = ReadPoint { point: Some(Point::SealId(seal_id)) };
    assert_eq!(hub.pupil_at(1, &point).await, Some(("Lê An".to_owned(), 1)));
    assert_eq!(hub.pupils_at(&point).await, [code(1)]);
    let foreign = ListRecordsRequest {
        school_code: OTHER.into(),
        as_of: Some(point),
        ..list(Kind::Pupil, RecordFilter::default())
    };
    let refused = refusal(hub.records(&Persona::admin()).list_records(foreign).await);
    assert_eq!(refused, (Code::NotFound, Reason::NotFound));
}

#[tokio::test]
async fn positions_that_no_longer_stand_are_refused() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![named(1, "Lê An")]).await;
    let old = hub.position().await;
    push_one(&hub, SCHOOL, vec![named(1, "Lê Ân")]).await;
    let mut client = hub.records(&Persona::vendor(SCHOOL));
    let mut ask = async |point: ReadPoint| {
        let one = GetRecordRequest { as_of: Some(point.clone()), ..get(Kind::Pupil, &code(1)) };
        let all = ListRecordsRequest { as_of: Some(point), ..list(Kind::Pupil, RecordFilter::default()) };
        let refused = refusal(client.get_record(one).await);
        assert_eq!(refusal(client.list_records(all).await), refused);
        refused
    };
    assert_eq!(ask(at(b"rubbish".to_vec())).await, (Code::InvalidArgument, Reason::CursorMalformed));
    assert_eq!(ask(ReadPoint { point: None }).await, (Code::InvalidArgument, Reason::InvalidRequest));
    // What a pruning does, and then a restore.
    let prune = "with gone as (delete from change_log returning xid, seq)
        update feed_state set (pruned_xid, pruned_seq) = (select xid, seq from gone order by xid desc, seq desc limit 1)";
    sqlx::query(prune).execute(&hub.pool).await.unwrap();
    assert_eq!(ask(old.clone()).await, (Code::OutOfRange, Reason::CursorExpired));
    // The school is quiet and its log is gone: its present position is that of the pruning.
    let now = hub.position().await;
    assert_eq!(hub.pupil_at(1, &now).await, Some(("Lê Ân".to_owned(), 2)));
    sqlx::query("update feed_state set epoch = epoch + 1").execute(&hub.pool).await.unwrap();
    let mut client = hub.records(&Persona::vendor(SCHOOL));
    let one = GetRecordRequest { as_of: Some(now), ..get(Kind::Pupil, &code(1)) };
    assert_eq!(refusal(client.get_record(one).await), (Code::FailedPrecondition, Reason::CursorForeign));
}

#[tokio::test]
async fn a_filter_of_columns_reads_the_live_state_alone() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..3)).await;
    let point = hub.position().await;
    let asked = |filter| ListRecordsRequest { as_of: Some(point.clone()), ..list(Kind::Enrolment, filter) };
    let mut client = hub.records(&Persona::vendor(SCHOOL));
    let by_class = RecordFilter { class_code: "6A1".into(), ..Default::default() };
    let refused = client.list_records(asked(by_class)).await.unwrap_err();
    assert_eq!((refused.code(), violations(&refused)), (Code::InvalidArgument, vec!["filter".to_owned()]));
    let by_year = RecordFilter { school_year: YEAR, ..Default::default() };
    let page = client.list_records(asked(by_year)).await.unwrap().into_inner();
    assert_eq!(keys(&page), ["2026/QT000001", "2026/QT000002"]);
}
