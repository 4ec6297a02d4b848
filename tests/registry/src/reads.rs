//! Reads of single records and of many: by name, lists with filters, and what a caller may ask by.
use crate::{
    hub::{Hub, OTHER, SCHOOL},
    make::{self, Wrap, code},
    pushing::{push_one, refusal, withdraw_one},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{
        BatchGetRecordsRequest, DataDomain, GetRecordRequest, Kind, ListRecordsRequest, RecordFilter,
        RecordName, Sensitivity,
    },
    registry::v1::{Change, Class, Enrolment, Pupil, Record, RecordPage, record},
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

pub fn get(kind: Kind, key: &str) -> GetRecordRequest {
    GetRecordRequest { school_code: SCHOOL.into(), kind: kind as i32, record_key: key.into(), as_of: None }
}

pub fn name(kind: Kind, key: &str) -> RecordName {
    RecordName { kind: kind as i32, record_key: key.into() }
}

pub fn list(kind: Kind, filter: RecordFilter) -> ListRecordsRequest {
    ListRecordsRequest {
        school_code: SCHOOL.into(),
        kind: kind as i32,
        filter: Some(filter),
        ..Default::default()
    }
}

pub fn key_of(change: &Change) -> String {
    change.header.as_ref().unwrap().record_key.clone()
}

pub fn keys(page: &RecordPage) -> Vec<String> {
    page.records.iter().map(key_of).collect()
}

pub fn pupil_of(change: &Change) -> &Pupil {
    let Some(Record { record: Some(record::Record::Pupil(pupil)) }) = &change.record else {
        panic!("no pupil in {change:?}")
    };
    pupil
}

/// Two classes of grades 6 and 7; pupils 1 to 6, the even ones boys in 7A1, pupil 6 left school.
pub async fn two_classes(hub: &Hub) {
    let other = Class { grade: "7".into(), ..make::class("7A1") };
    let mut all = vec![make::campus().wrap(), make::class("6A1").wrap(), other.wrap()];
    for n in 1..=6 {
        let boy = n % 2 == 0;
        let mut pupil = make::pupil(n);
        if boy {
            (pupil.sex, pupil.personal_id) = ("1".into(), Some(format!("037215{n:06}")));
            pupil.ethnicity = Some("02".into());
        }
        let (class, grade) = if boy { ("7A1", "7") } else { ("6A1", "6") };
        let status = if n == 6 { "05" } else { "01" };
        let enrolment = Enrolment {
            grade: grade.into(),
            student_status: status.into(),
            dropout_reason: (n == 6).then(|| "02".into()),
            term_of_event: (n == 6).then(|| "1".into()),
            ..make::enrolment(n, class)
        };
        all.extend([pupil.wrap(), enrolment.wrap()]);
    }
    let reply = push_one(hub, SCHOOL, all).await;
    assert_eq!(reply.counts.unwrap().created, 15, "{:?}", reply.problems);
}

/// Fields named in the violations of a refusal.
pub fn violations(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    details.bad_request().map_or(vec![], |b| b.field_violations.iter().map(|v| v.field.clone()).collect())
}

#[tokio::test]
async fn many_records_come_in_the_order_of_their_names_and_absent_ones_are_named() {
    let hub = Hub::start().await;
    two_classes(&hub).await;
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Enrolment, "QT000003")]).await;
    let names = vec![
        name(Kind::Pupil, &code(4)),
        name(Kind::Class, "2026/7A1"),
        name(Kind::Pupil, &code(9)),
        name(Kind::Enrolment, "2026/QT000003"),
        name(Kind::Pupil, &code(1)),
        name(Kind::Pupil, &code(4)),
    ];
    let asked = BatchGetRecordsRequest { school_code: SCHOOL.into(), names, as_of: None };
    let mut client = hub.records(&Persona::vendor(SCHOOL));
    let got = client.batch_get_records(asked.clone()).await.unwrap().into_inner();
    let found: Vec<_> = got.records.iter().map(key_of).collect();
    assert_eq!(found, [code(4), "2026/7A1".into(), code(1), code(4)]);
    assert_eq!(got.absent, [name(Kind::Pupil, &code(9)), name(Kind::Enrolment, "2026/QT000003")]);
    for change in &got.records {
        let header = change.header.as_ref().unwrap();
        let one = get(header.kind(), &header.record_key);
        assert_eq!(client.get_record(one).await.unwrap().into_inner(), *change);
    }

    let names = vec![name(Kind::Pupil, "x"); 501];
    let too_many = BatchGetRecordsRequest { names, ..asked.clone() };
    let refused = client.batch_get_records(too_many).await.unwrap_err();
    assert_eq!(violations(&refused), ["names"]);
    let mut staff_only = hub.records(&Persona::vendor(SCHOOL).domains(&[DataDomain::Staff]));
    let refused = refusal(staff_only.batch_get_records(asked).await);
    assert_eq!(refused, (Code::PermissionDenied, Reason::Forbidden));
}

#[tokio::test]
async fn lists_hold_what_the_filter_says() {
    let hub = Hub::start().await;
    two_classes(&hub).await;
    let mut client = hub.records(&Persona::vendor(SCHOOL));
    let text = str::to_owned;
    for (kind, filter, expected) in [
        (
            Kind::Enrolment,
            RecordFilter { class_code: text("7A1"), ..Default::default() },
            vec!["2026/QT000002", "2026/QT000004", "2026/QT000006"],
        ),
        (
            Kind::Enrolment,
            RecordFilter { class_code: text("7A1"), status: text("01"), ..Default::default() },
            vec!["2026/QT000002", "2026/QT000004"],
        ),
        (
            Kind::Enrolment,
            RecordFilter { grade: text("6"), status: text("05"), ..Default::default() },
            vec![],
        ),
        (
            Kind::Enrolment,
            RecordFilter { student_code: code(5), school_year: 2026, ..Default::default() },
            vec!["2026/QT000005"],
        ),
        (Kind::Enrolment, RecordFilter { school_year: 2025, ..Default::default() }, vec![]),
        (Kind::Class, RecordFilter { grade: text("7"), ..Default::default() }, vec!["2026/7A1"]),
        (
            Kind::Pupil,
            RecordFilter { sex: text("1"), ..Default::default() },
            vec!["HS000002", "HS000004", "HS000006"],
        ),
        (
            Kind::Pupil,
            RecordFilter { ethnicity: text("01"), ..Default::default() },
            vec!["HS000001", "HS000003", "HS000005"],
        ),
    ] {
        let page = client.list_records(list(kind, filter.clone())).await.unwrap().into_inner();
        assert_eq!(keys(&page), expected, "{kind:?} {filter:?}");
        assert_eq!(page.next_page_token, "", "{kind:?} {filter:?}");
    }
}

#[tokio::test]
async fn pages_of_a_filter_follow_one_another_and_tokens_are_of_one_filter() {
    let hub = Hub::start().await;
    two_classes(&hub).await;
    let mut client = hub.records(&Persona::vendor(SCHOOL));
    let boys = list(Kind::Pupil, RecordFilter { sex: "1".into(), ..Default::default() });
    let (mut all, mut token) = (vec![], String::new());
    loop {
        let asked = ListRecordsRequest { page_size: 2, page_token: token, ..boys.clone() };
        let page = client.list_records(asked).await.unwrap().into_inner();
        all.extend(keys(&page));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
        let girls = list(Kind::Pupil, RecordFilter { sex: "2".into(), ..Default::default() });
        let foreign = ListRecordsRequest { page_size: 2, page_token: token.clone(), ..girls };
        assert_eq!(
            refusal(client.list_records(foreign).await),
            (Code::InvalidArgument, Reason::BadPageToken)
        );
    }
    assert_eq!(all, [code(2), code(4), code(6)]);
}

/// A page looks through so many rows and no more; the token goes on behind the last of them, not behind the last record.
#[tokio::test]
async fn a_rare_value_costs_no_more_than_a_page_and_is_found_all_the_same() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    let columns = "school_code, school_year, version, digest, body, secret, withdrawn, xid, seq, changed_at, full_name, birth_date";
    let fill = format!(
        "insert into pupil_record (record_id, record_key, sex, {columns})
         select gen_random_uuid(), 'Z' || lpad(n::text, 6, '0'), case when n % 11000 = 0 then '1' else '2' end, {columns}
         from pupil_record, generate_series(1, 24000) n"
    );
    sqlx::query(sqlx::AssertSqlSafe(fill)).execute(&hub.pool).await.unwrap();
    // The sealed secret is of one key alone: it opens under no other.
    let mut client = hub.records(&Persona::vendor(SCHOOL).max_class(Sensitivity::Sensitive));
    let boys = list(Kind::Pupil, RecordFilter { sex: "1".into(), ..Default::default() });
    let (mut pages, mut token) = (vec![], String::new());
    loop {
        let asked = ListRecordsRequest { page_token: token, ..boys.clone() };
        let page = client.list_records(asked).await.unwrap().into_inner();
        pages.push(keys(&page));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(pages, [vec![], vec!["Z011000".to_owned()], vec!["Z022000".to_owned()]]);
}

#[tokio::test]
async fn a_filter_that_the_kind_has_no_column_for_is_refused_by_name() {
    let hub = Hub::start().await;
    let mut client = hub.records(&Persona::vendor(SCHOOL));
    let odd = RecordFilter {
        class_code: "6A1".into(),
        status: "01".into(),
        school_year: 2026,
        ..Default::default()
    };
    let refused = client.list_records(list(Kind::Pupil, odd)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(violations(&refused), ["filter.school_year", "filter.class_code", "filter.status"]);
}

#[tokio::test]
async fn nobody_filters_by_what_it_may_not_see() {
    let hub = Hub::start().await;
    two_classes(&hub).await;
    let by_ethnicity = || list(Kind::Pupil, RecordFilter { ethnicity: "02".into(), ..Default::default() });
    let mut basic = hub.records(&Persona::vendor(SCHOOL).max_class(Sensitivity::Basic));
    let refused = basic.list_records(by_ethnicity()).await.unwrap_err();
    let field = refused.get_details_error_info().and_then(|i| i.metadata.get("field").cloned());
    assert_eq!((refused.code(), field.as_deref()), (Code::PermissionDenied, Some("ethnicity")));
    let mut public = hub.records(&Persona::vendor(SCHOOL).max_class(Sensitivity::Public));
    let by_sex = list(Kind::Pupil, RecordFilter { sex: "1".into(), ..Default::default() });
    assert_eq!(refusal(public.list_records(by_sex).await), (Code::PermissionDenied, Reason::Forbidden));
    let mut sensitive = hub.records(&Persona::vendor(SCHOOL).max_class(Sensitivity::Sensitive));
    let page = sensitive.list_records(by_ethnicity()).await.unwrap().into_inner();
    assert_eq!(keys(&page).len(), 3);
}

#[tokio::test]
async fn each_class_sees_its_own_answer_from_the_cache_too() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    // Twice: the second answers come from the cache.
    for _ in 0..2 {
        for (class, full_name, ethnicity, id) in [
            (Sensitivity::Secret, "Nguyễn Thị Hương", Some("01"), Some(make::personal_id(1))),
            (Sensitivity::Sensitive, "Nguyễn Thị Hương", Some("01"), None),
            (Sensitivity::Basic, "Nguyễn Thị Hương", None, None),
            (Sensitivity::Public, "", None, None),
        ] {
            let mut client = hub.records(&Persona::vendor(SCHOOL).max_class(class));
            let got = client.get_record(get(Kind::Pupil, &code(1))).await.unwrap().into_inner();
            let pupil = pupil_of(&got);
            let seen = (pupil.full_name.as_str(), pupil.ethnicity.as_deref(), pupil.personal_id.clone());
            assert_eq!(seen, (full_name, ethnicity, id), "{class:?}");
        }
    }
    // What is kept is not for those out of reach, nor for those of other domains.
    let mut stranger = hub.records(&Persona::vendor(OTHER));
    let outcome = stranger.get_record(get(Kind::Pupil, &code(1))).await;
    assert_eq!(refusal(outcome), (Code::NotFound, Reason::SchoolNotFound));
    let mut neighbour = hub.records(&Persona::commune_reviewer("14359"));
    let outcome = neighbour.get_record(get(Kind::Pupil, &code(1))).await;
    assert_eq!(refusal(outcome), (Code::NotFound, Reason::SchoolNotFound));
    let mut blind = hub.records(&Persona::vendor(SCHOOL).domains(&[DataDomain::Staff]));
    let outcome = blind.get_record(get(Kind::Pupil, &code(1))).await;
    assert_eq!(refusal(outcome), (Code::PermissionDenied, Reason::Forbidden));
    let mut commune = hub.records(&Persona::commune_reviewer(crate::hub::COMMUNE));
    assert!(commune.get_record(get(Kind::Pupil, &code(1))).await.is_ok());
}
