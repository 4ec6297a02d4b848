//! What a push says of its records: created, updated, unchanged, withdrawn; and what it leaves in the database.
use crate::{
    hub::{Hub, SCHOOL},
    make::{self, Wrap},
    pushing::{Pushing, batch, counted, end_of, patch, push, push_one, withdraw_one},
};
use eduhub_auth::testing::Persona;
use eduhub_proto::{
    common::v1::{GetRecordHistoryRequest, GetRecordRequest, Kind, PushMode, PushOpen, Severity},
    registry::v1::{Record, record},
};

#[tokio::test]
async fn each_record_is_created_then_unchanged_then_updated() {
    let hub = Hub::start().await;
    let all = vec![
        make::school(SCHOOL).wrap(),
        make::campus().wrap(),
        make::class("6A1").wrap(),
        make::staff(1).wrap(),
        make::pupil(1).wrap(),
        make::enrolment(1, "6A1").wrap(),
        make::term_result(1, "6A1").wrap(),
        make::health(1).wrap(),
    ];
    let first = push_one(&hub, SCHOOL, all.clone()).await;
    assert_eq!(first.problems, vec![], "a sound record has no finding");
    assert_eq!(counted(&first.counts), [8, 0, 0, 0, 0, 0, 0, 0]);
    let rows = hub.rows().await;
    assert_eq!(rows.len(), 8);
    assert!(rows.contains(&format!("class_record {SCHOOL} 2026/6A1 1 f")), "{rows:?}");
    assert!(rows.contains(&format!("health_record {SCHOOL} 2026/1/HS000001 1 f")), "{rows:?}");

    // Unchanged: no log row, and no row version either.
    let stamp = "select sum(hashtext(x))::bigint from (
        select xmin::text || ctid::text as x from pupil_record union all select xmin::text || ctid::text from class_record
        union all select xmin::text || ctid::text from term_result_record) t";
    let before = (hub.count("select count(*) from change_log").await, hub.count(stamp).await);
    let again = push_one(&hub, SCHOOL, all).await;
    assert_eq!(counted(&again.counts), [0, 0, 8, 0, 0, 0, 0, 0]);
    assert_eq!((hub.count("select count(*) from change_log").await, hub.count(stamp).await), before);

    let changed = make::Wrap::wrap({
        let mut pupil = make::pupil(1);
        pupil.contact_phone = Some("0987654321".into());
        pupil
    });
    let third = push_one(&hub, SCHOOL, vec![changed, make::campus().wrap()]).await;
    assert_eq!(counted(&third.counts), [0, 1, 1, 0, 0, 0, 0, 0]);
    assert_eq!(hub.count("select count(*) from change_log").await, 9);
}

#[tokio::test]
async fn a_changed_personal_id_is_a_change() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    let mut other = make::pupil(1);
    other.personal_id = Some(make::personal_id(2));
    let reply = push_one(&hub, SCHOOL, vec![other.wrap()]).await;
    assert_eq!(counted(&reply.counts), [0, 1, 0, 0, 0, 0, 0, 0]);
    let (school_code, kind, record_key) = (SCHOOL.to_owned(), Kind::Pupil as i32, make::code(1));
    let ask = GetRecordRequest {
        school_code: school_code.clone(),
        kind,
        record_key: record_key.clone(),
        as_of: None,
    };
    let ask_history = GetRecordHistoryRequest { school_code, kind, record_key, ..Default::default() };
    let vendor = Persona::vendor(SCHOOL);
    let got = hub.records(&vendor).get_record(ask).await.unwrap().into_inner();
    assert_eq!(got.header.unwrap().version, 2);
    let Some(Record { record: Some(record::Record::Pupil(pupil)) }) = got.record else { panic!() };
    assert_eq!(pupil.personal_id, Some(make::personal_id(2)));
    let history = hub.records(&vendor).get_history(ask_history).await.unwrap().into_inner().versions;
    let ids: Vec<_> = history
        .iter()
        .map(|c| match c.record.as_ref().and_then(|r| r.record.as_ref()) {
            Some(record::Record::Pupil(p)) => {
                (c.header.as_ref().unwrap().version, p.personal_id.clone().unwrap())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [(2, make::personal_id(2)), (1, make::personal_id(1))]);
}

#[tokio::test]
async fn a_withdrawn_record_is_gone_and_comes_back_with_the_next_version() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap(), make::pupil(2).wrap()]).await;
    let gone = vec![make::withdrawal(Kind::Pupil, &make::code(1)), make::withdrawal(Kind::Pupil, "HS999999")];
    let reply = withdraw_one(&hub, SCHOOL, gone.clone()).await;
    assert_eq!(counted(&reply.counts), [0, 0, 1, 0, 0, 0, 1, 0], "one withdrawn, one was not there");
    let again = withdraw_one(&hub, SCHOOL, gone).await;
    assert_eq!(counted(&again.counts), [0, 0, 2, 0, 0, 0, 0, 0]);
    assert_eq!(hub.count("select count(*) from change_log where op = 2").await, 1);
    let back = push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    assert_eq!(counted(&back.counts), [1, 0, 0, 0, 0, 0, 0, 0]);
    let rows = hub.rows().await;
    assert!(rows.contains(&format!("pupil_record {SCHOOL} HS000001 3 f")), "{rows:?}");
}

#[tokio::test]
async fn a_yearly_record_is_withdrawn_by_its_key_in_the_year() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..2)).await;
    let reply = withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Enrolment, "QT000001")]).await;
    assert_eq!(counted(&reply.counts)[6], 1);
    assert!(hub.rows().await.contains(&format!("enrolment_record {SCHOOL} 2026/QT000001 2 t")));
}

#[tokio::test]
async fn the_same_key_twice_in_a_batch_is_refused_when_its_content_differs() {
    let hub = Hub::start().await;
    let mut second = make::pupil(1);
    second.birth_place = Some("Hà Nội".into());
    let reply =
        push_one(&hub, SCHOOL, vec![make::pupil(1).wrap(), make::pupil(1).wrap(), second.wrap()]).await;
    assert_eq!(counted(&reply.counts), [1, 0, 1, 1, 0, 0, 0, 0]);
    assert_eq!(reply.problems.len(), 1);
    let p = &reply.problems[0];
    assert_eq!((p.reason().as_str_name(), p.index), ("REASON_DUPLICATE_IN_BATCH", Some(2)));
    assert_eq!((p.record_key.as_str(), p.severity()), ("HS000001", Severity::Error));
}

#[tokio::test]
async fn validate_only_reports_everything_and_writes_nothing() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..2)).await;
    let before = (hub.rows().await, hub.count("select count(*) from change_log").await);
    let mut bad = make::pupil(2);
    bad.sex = "7".into();
    let open = PushOpen { mode: PushMode::ValidateOnly as i32, ..patch(SCHOOL) };
    let batches = [batch(1, vec![make::pupil(1).wrap(), bad.wrap(), make::pupil(3).wrap()])];
    let orphan = batch(2, vec![make::enrolment(9, "6A1").wrap()]);
    let (mut pushing, welcome) = Pushing::open(hub.ingest(&Persona::vendor(SCHOOL)), open).await.unwrap();
    assert_eq!(welcome.last_batch, 0);
    let first = pushing.batch(batches[0].clone()).await.unwrap();
    let second = pushing.batch(orphan.clone()).await.unwrap();
    assert_eq!(counted(&first.counts), [1, 0, 1, 1, 0, 0, 0, 0]);
    assert_eq!(counted(&second.counts), [0, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(second.root_causes[0].record_key, make::code(9));
    let receipt = pushing.end(end_of(&[batches[0].clone(), orphan])).await.unwrap();
    assert_eq!(counted(&receipt.totals), [1, 0, 1, 1, 1, 0, 0, 0]);
    assert_eq!((hub.rows().await, hub.count("select count(*) from change_log").await), before);
    for table in ["held_record", "data_issue"] {
        assert_eq!(hub.count_of(table).await, 0, "{table}");
    }
    assert_eq!(hub.count("select count(*) from push_session").await, 1, "only the first push");
}

#[tokio::test]
async fn a_vendor_writes_the_kinds_of_its_domains_only() {
    use eduhub_proto::common::v1::DataDomain;
    let hub = Hub::start().await;
    let vendor = Persona::vendor(SCHOOL).domains(&[DataDomain::Pupil]);
    let status = push(&hub, &vendor, patch(SCHOOL), vec![batch(1, vec![make::health(1).wrap()])]).await;
    assert_eq!(crate::pushing::refusal(status).1, eduhub_faults::Reason::Forbidden);
    let gone = crate::pushing::withdraw(1, vec![make::withdrawal(Kind::Staff, "GV000001")]);
    let status = push(&hub, &vendor, patch(SCHOOL), vec![gone]).await;
    assert_eq!(crate::pushing::refusal(status).1, eduhub_faults::Reason::Forbidden);
    let open = crate::pushing::full(SCHOOL, &[Kind::Pupil, Kind::Class]);
    let status = push(&hub, &vendor, open, vec![]).await;
    assert_eq!(crate::pushing::refusal(status).1, eduhub_faults::Reason::Forbidden, "FULL of a foreign kind");
    push(&hub, &vendor, patch(SCHOOL), vec![batch(1, vec![make::pupil(1).wrap()])]).await.unwrap();
    assert_eq!(hub.rows().await.len(), 1);
}

#[tokio::test]
async fn a_school_record_of_another_school_is_refused() {
    let hub = Hub::start().await;
    let reply = push_one(&hub, SCHOOL, vec![make::school(crate::hub::OTHER).wrap()]).await;
    assert_eq!(counted(&reply.counts)[3], 1);
    assert_eq!(
        crate::pushing::findings(&reply),
        [(eduhub_faults::Reason::SchoolNotFound, "school_code".to_owned())]
    );
}
