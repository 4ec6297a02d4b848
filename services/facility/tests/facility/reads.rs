//! Reads of rooms: many by name, filters, as of a position, history, counts; and the school's work list.
use crate::lab::{CAMPUSES, COMMUNE, ELSEWHERE, Lab, SCHOOL, refusal};
use crate::pushing::{batch, open, room, taking_away};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{
        BatchGetRecordsRequest, CountBy, CountIssuesRequest, CountRecordsRequest, DataDomain,
        GetPositionRequest, GetRecordHistoryRequest, GetRecordRequest, Kind, ListIssuesRequest,
        ListRecordsRequest, ReadPoint, RecordFilter, RecordName, Withdrawal, read_point::Point,
    },
    facility::v1::{Change, Room, issue_service_client::IssueServiceClient, record},
};
use tonic::Code;

const KIND: i32 = Kind::Room as i32;

fn get(key: &str) -> GetRecordRequest {
    GetRecordRequest { school_code: SCHOOL.to_owned(), kind: KIND, record_key: key.to_owned(), as_of: None }
}

fn list(filter: RecordFilter) -> ListRecordsRequest {
    ListRecordsRequest {
        school_code: SCHOOL.to_owned(),
        kind: KIND,
        filter: Some(filter),
        ..ListRecordsRequest::default()
    }
}

fn count(by: &[CountBy]) -> CountRecordsRequest {
    let by = by.iter().map(|by| *by as i32).collect();
    CountRecordsRequest { school_code: SCHOOL.to_owned(), kind: KIND, by, ..CountRecordsRequest::default() }
}

fn keys(records: &[Change]) -> Vec<&str> {
    records.iter().map(|c| c.header.as_ref().unwrap().record_key.as_str()).collect()
}

fn area(change: &Change) -> f64 {
    let Some(record::Record::Room(room)) = change.record.as_ref().and_then(|r| r.record.as_ref()) else {
        panic!("no room in {change:?}")
    };
    room.area_m2
}

/// P1 and P2 at the first campus, P3 at the second.
async fn three_rooms(lab: &Lab) {
    let second = Room { campus_code: CAMPUSES[1].to_owned(), ..room("P3") };
    lab.pushed(vec![room("P1"), room("P2"), second]).await;
}

#[tokio::test]
async fn rooms_are_read_by_name_by_filter_and_counted() {
    let lab = Lab::start().await;
    three_rooms(&lab).await;
    let mut client = lab.records(&Persona::school_officer(SCHOOL));
    let name = |key: &str| RecordName { kind: KIND, record_key: key.to_owned() };
    let names = vec![name("2026/P3"), name("2026/P9"), name("2026/P1")];
    let asked = BatchGetRecordsRequest { school_code: SCHOOL.to_owned(), names, as_of: None };
    let got = client.batch_get_records(asked).await.unwrap().into_inner();
    assert_eq!((keys(&got.records), got.absent), (vec!["2026/P3", "2026/P1"], vec![name("2026/P9")]));

    let second = RecordFilter { campus_code: CAMPUSES[1].to_owned(), ..RecordFilter::default() };
    let page = client.list_records(list(second)).await.unwrap().into_inner();
    assert_eq!(keys(&page.records), ["2026/P3"]);
    let odd = RecordFilter { sex: "1".to_owned(), ..RecordFilter::default() };
    assert_eq!(
        refusal(client.list_records(list(odd)).await),
        (Code::InvalidArgument, Reason::InvalidRequest)
    );

    let room_type = room("P1").room_type;
    let counts = client.count_records(count(&[CountBy::RoomType])).await.unwrap().into_inner();
    let told: Vec<_> = counts.counts.iter().map(|c| (c.values[0].clone(), c.count)).collect();
    assert_eq!((told, counts.total), (vec![(room_type, 3)], 3));
    let everywhere = CountRecordsRequest { school_code: String::new(), ..count(&[CountBy::School]) };
    for (persona, total) in [
        (Persona::admin(), 3),
        (Persona::commune_reviewer(COMMUNE), 3),
        (Persona::commune_reviewer("14330"), 0),
    ] {
        let counts = lab.records(&persona).count_records(everywhere.clone()).await.unwrap().into_inner();
        assert_eq!(counts.total, total, "{persona:?}");
    }
    let blind = Persona::school_officer(SCHOOL).domains(&[DataDomain::Pupil]);
    assert_eq!(
        refusal(lab.records(&blind).count_records(count(&[])).await),
        (Code::PermissionDenied, Reason::Forbidden)
    );
}

#[tokio::test]
async fn a_rooms_past_is_read_by_position_and_by_version() {
    let lab = Lab::start().await;
    three_rooms(&lab).await;
    let mut client = lab.records(&Persona::school_officer(SCHOOL));
    let asked = GetPositionRequest { school_code: SCHOOL.to_owned() };
    let position = client.get_position(asked).await.unwrap().into_inner().position;
    assert_eq!(area(&client.get_record(get("2026/P1")).await.unwrap().into_inner()), 48.0);
    lab.pushed(vec![Room { area_m2: 52.0, ..room("P1") }]).await;
    assert_eq!(area(&client.get_record(get("2026/P1")).await.unwrap().into_inner()), 52.0);
    let as_of = Some(ReadPoint { point: Some(Point::Position(position)) });
    let then = GetRecordRequest { as_of, ..get("2026/P1") };
    assert_eq!(area(&client.get_record(then).await.unwrap().into_inner()), 48.0);

    let away = Withdrawal { kind: KIND, record_key: "P1".to_owned() };
    lab.push(&Persona::vendor(SCHOOL), open(), vec![taking_away(1, vec![away])]).await.unwrap();
    assert_eq!(refusal(client.get_record(get("2026/P1")).await), (Code::NotFound, Reason::NotFound));
    let asked = GetRecordHistoryRequest {
        school_code: SCHOOL.to_owned(),
        kind: KIND,
        record_key: "2026/P1".to_owned(),
        ..GetRecordHistoryRequest::default()
    };
    let history = client.get_history(asked.clone()).await.unwrap().into_inner();
    let told: Vec<_> = history
        .versions
        .iter()
        .map(|v| {
            let fields = &v.detail.as_ref().unwrap().fields;
            let fields: Vec<_> = fields.iter().map(|f| (f.before.as_str(), f.after.as_str())).collect();
            (v.header.as_ref().unwrap().version, v.record.is_some(), fields)
        })
        .collect();
    assert_eq!(told, [(3, false, vec![]), (2, true, vec![("48", "52")]), (1, true, vec![])]);
    let mut stranger = lab.records(&Persona::school_officer(ELSEWHERE));
    assert_eq!(refusal(stranger.get_history(asked).await), (Code::NotFound, Reason::SchoolNotFound));
}

#[tokio::test]
async fn the_work_list_opens_and_closes_with_its_findings() {
    let lab = Lab::start().await;
    let doubtful = Room { building_grade: None, ..room("P1") };
    lab.push(&Persona::vendor(SCHOOL), open(), vec![batch(1, vec![doubtful])]).await.unwrap();
    let mut client = IssueServiceClient::new(lab.channel(&Persona::school_officer(SCHOOL)));
    let asked = ListIssuesRequest { school_code: SCHOOL.to_owned(), ..ListIssuesRequest::default() };
    let open_issues = client.list_issues(asked.clone()).await.unwrap().into_inner().issues;
    let fields: Vec<_> = open_issues.iter().map(|i| i.problem.as_ref().unwrap().field.as_str()).collect();
    assert_eq!(fields, ["building_grade"]);
    let counted = CountIssuesRequest { school_code: SCHOOL.to_owned() };
    let counts = client.count_issues(counted.clone()).await.unwrap().into_inner().counts;
    assert_eq!(counts.iter().map(|c| c.open).sum::<u64>(), 1);

    lab.pushed(vec![room("P1")]).await;
    assert!(client.list_issues(asked.clone()).await.unwrap().into_inner().issues.is_empty());
    let closed = ListIssuesRequest { include_closed: true, ..asked.clone() };
    let all = client.list_issues(closed).await.unwrap().into_inner().issues;
    assert!(all.len() == 1 && all[0].closed_at.is_some(), "{all:?}");
    assert!(client.count_issues(counted.clone()).await.unwrap().into_inner().counts.is_empty());

    let mut stranger = IssueServiceClient::new(lab.channel(&Persona::school_officer(ELSEWHERE)));
    assert_eq!(refusal(stranger.list_issues(asked).await), (Code::NotFound, Reason::SchoolNotFound));
    let blind = Persona::school_officer(SCHOOL).domains(&[DataDomain::Pupil]);
    let mut blind = IssueServiceClient::new(lab.channel(&blind));
    assert_eq!(refusal(blind.count_issues(counted).await), (Code::PermissionDenied, Reason::Forbidden));
}
