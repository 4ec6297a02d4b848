//! Push of rooms: what is written, refused, and given back.
use crate::lab::{Lab, SCHOOL, YEAR, refusal};
use crate::pushing::{batch, open, room, session, taking_away};
use eduhub_auth::testing::Persona;
use eduhub_faults::{Problem, Reason, Severity};
use eduhub_proto::{
    common::v1::{DataDomain, GetRecordRequest, Kind, ListRecordsRequest, PushMode, PushOpen, Withdrawal},
    facility::v1::{PushRequest, Room, record},
};
use tonic::Code;
use tonic_types::StatusExt;

fn found(problem: &Problem) -> (Reason, Severity, &str, &str) {
    (problem.reason(), problem.severity(), &problem.record_key, &problem.field)
}

#[tokio::test]
async fn rooms_are_created_updated_left_alone_and_withdrawn() {
    let lab = Lab::start().await;
    let first = lab.pushed(vec![room("P101"), room("P102")]).await;
    assert_eq!((first.counts().created, first.only().problems.len()), (2, 0));
    assert_eq!(first.receipt.unwrap().record_count, 2);

    let wider = Room { area_m2: 64.0, ..room("P102") };
    let second = lab.pushed(vec![room("P101"), wider.clone()]).await;
    assert_eq!((second.counts().unchanged, second.counts().updated), (1, 1));

    let away = Withdrawal { kind: Kind::Room as i32, record_key: "P101".to_owned() };
    let third = lab.push(&Persona::vendor(SCHOOL), open(), vec![taking_away(1, vec![away])]).await.unwrap();
    assert_eq!(third.counts().withdrawn, 1);

    let mut records = lab.records(&Persona::school_officer(SCHOOL));
    let list =
        ListRecordsRequest { school_code: SCHOOL.to_owned(), kind: Kind::Room as i32, ..Default::default() };
    let listed = records.list_records(list).await.unwrap().into_inner().records;
    assert_eq!(listed.len(), 1);
    let header = listed[0].header.as_ref().unwrap();
    assert_eq!((header.record_key.as_str(), header.version), ("2026/P102", 2));
    let kept = listed[0].record.clone().and_then(|r| r.record);
    assert_eq!(kept, Some(record::Record::Room(wider)));
    assert_eq!(lab.count("select count(*) from change_log").await, 4);
}

#[tokio::test]
async fn a_bad_room_is_refused_with_reason_and_near_codes_and_the_others_go_in() {
    let lab = Lab::start().await;
    let unknown = Room { room_type: "11".to_owned(), ..room("P1") };
    let retired = Room { room_type: "09".to_owned(), ..room("P2") };
    let nameless = Room { name: String::new(), ..room("P3") };
    let huge = Room { area_m2: 900.0, ..room("P4") };
    let ungraded = Room { building_grade: None, ..room("P5") };
    let answers = lab.pushed(vec![unknown, retired, nameless, huge, ungraded, room("P6")]).await;
    let counts = answers.counts();
    assert_eq!((counts.created, counts.rejected, counts.warnings), (3, 3, 2));
    let problems: Vec<_> = answers.only().problems.iter().map(found).collect();
    let expected = [
        (Reason::UnknownCode, Severity::Error, "P1", "room_type"),
        (Reason::RetiredCode, Severity::Error, "P2", "room_type"),
        (Reason::Missing, Severity::Error, "P3", "name"),
        (Reason::Implausible, Severity::Warning, "P4", "area_m2"),
        (Reason::Missing, Severity::Warning, "P5", "building_grade"),
    ];
    for row in expected {
        assert!(problems.contains(&row), "{row:?} in {problems:?}");
    }
    assert!(answers.only().problems[0].suggestions.contains(&"01".to_owned()));
}

#[tokio::test]
async fn full_withdraws_what_is_absent_but_only_after_the_end() {
    let lab = Lab::start().await;
    let vendor = Persona::vendor(SCHOOL);
    lab.pushed(vec![room("P1"), room("P2"), room("P3")]).await;
    let full = PushOpen { mode: PushMode::Full as i32, full_kinds: vec![Kind::Room as i32], ..open() };
    let mut messages = session(full.clone(), vec![batch(1, vec![room("P1"), room("P4")])]);
    let end = messages.pop().unwrap();

    let (replies, abandoned) = lab.send(&vendor, messages.clone()).await;
    assert_eq!((replies, abandoned.unwrap().receipt), (1, None));
    assert_eq!(lab.count("select count(*) from room_record where not withdrawn").await, 4);

    messages.push(end);
    let resumed = lab.send(&vendor, messages).await.1.unwrap();
    assert_eq!(resumed.welcome.unwrap().last_batch, 1);
    assert_eq!(resumed.receipt.unwrap().totals.unwrap().withdrawn, 2);
    assert_eq!(lab.count("select count(*) from room_record where not withdrawn").await, 2);
}

#[tokio::test]
async fn validate_only_reports_everything_and_writes_nothing() {
    let lab = Lab::start().await;
    let open = PushOpen { mode: PushMode::ValidateOnly as i32, ..open() };
    let bad = Room { room_type: "77".to_owned(), ..room("P2") };
    let answers =
        lab.push(&Persona::vendor(SCHOOL), open, vec![batch(1, vec![room("P1"), bad])]).await.unwrap();
    assert_eq!((answers.counts().created, answers.counts().rejected), (1, 1));
    for table in ["select count(*) from room_record", "select count(*) from data_issue"] {
        assert_eq!(lab.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn only_open_years_known_schools_and_the_domain_get_in() {
    let lab = Lab::start().await;
    let vendor = Persona::vendor(SCHOOL);
    let rooms = || vec![batch(1, vec![room("P1")])];
    let last_year = PushOpen { school_year: 2025, ..open() };
    assert_eq!(lab.push(&vendor, last_year, rooms()).await.unwrap().counts().created, 1);
    for closed in [2024, YEAR + 1] {
        let outcome = lab.push(&vendor, PushOpen { school_year: closed, ..open() }, rooms()).await;
        assert_eq!(refusal(outcome), (Code::FailedPrecondition, Reason::SchoolYearClosed));
    }
    // Out of scope and absent look the same.
    for school in [crate::lab::ELSEWHERE, "37000000009"] {
        let outcome = lab.push(&vendor, PushOpen { school_code: school.to_owned(), ..open() }, rooms()).await;
        assert_eq!(refusal(outcome), (Code::NotFound, Reason::SchoolNotFound));
    }
    let pupils_only = Persona::vendor(SCHOOL).domains(&[DataDomain::Pupil]);
    let outcome = lab.push(&pupils_only, open(), rooms()).await;
    assert_eq!(refusal(outcome), (Code::PermissionDenied, Reason::Forbidden));
}

#[tokio::test]
async fn whose_grant_has_no_facilities_is_told_who_owns_them() {
    let lab = Lab::start().await;
    let facility = [DataDomain::Facility];
    lab.registry.grants.state().give("g-csvc", SCHOOL, ("MISA", "Quản lý tài sản"), &facility);
    let pupils_only = Persona::vendor(SCHOOL).domains(&[DataDomain::Pupil]);
    let status = lab.push(&pupils_only, open(), vec![batch(1, vec![room("P1")])]).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let info = status.get_details_error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.metadata["grant_id"].as_str()), ("DOMAIN_OWNED", "g-csvc"));
    let theirs = Persona::vendor(SCHOOL).domains(&facility);
    lab.push(&theirs, open(), vec![batch(1, vec![room("P1")])]).await.unwrap();
}

#[tokio::test]
async fn the_first_message_is_open() {
    let lab = Lab::start().await;
    let messages = vec![PushRequest::from(&batch(1, vec![room("P1")]))];
    let outcome = lab.send(&Persona::vendor(SCHOOL), messages).await.1;
    assert_eq!(refusal(outcome), (Code::InvalidArgument, Reason::Protocol));
}

#[tokio::test]
async fn a_record_is_read_by_kind_and_key_by_those_in_reach() {
    let lab = Lab::start().await;
    lab.pushed(vec![room("P1")]).await;
    let asked = |key: &str, kind: Kind| GetRecordRequest {
        school_code: SCHOOL.to_owned(),
        kind: kind as i32,
        record_key: key.to_owned(),
        as_of: None,
    };
    let mut officer = lab.records(&Persona::school_officer(SCHOOL));
    let got = officer.get_record(asked("2026/P1", Kind::Room)).await.unwrap().into_inner();
    assert_eq!(got.record.and_then(|r| r.record), Some(record::Record::Room(room("P1"))));
    let absent = officer.get_record(asked("2026/P9", Kind::Room)).await;
    assert_eq!(refusal(absent), (Code::NotFound, Reason::NotFound));
    let not_here = officer.get_record(asked("x", Kind::Pupil)).await;
    assert_eq!(refusal(not_here), (Code::InvalidArgument, Reason::InvalidRequest));
    let mut stranger = lab.records(&Persona::school_officer(crate::lab::ELSEWHERE));
    let outcome = stranger.get_record(asked("2026/P1", Kind::Room)).await;
    assert_eq!(refusal(outcome), (Code::NotFound, Reason::SchoolNotFound));
}
