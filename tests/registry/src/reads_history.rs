//! History: every version with what changed and who changed it, page by page, masked.
use crate::{
    hub::{Hub, OTHER, SCHOOL},
    make::{self, Wrap, code},
    pushing::{batch, patch, push, push_one, refusal, withdraw_one},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{ChangeOp, DataDomain, GetRecordHistoryRequest, Kind, Sensitivity},
    registry::v1::{HistoryPage, Pupil, RecordVersion, SubjectScore},
};
use tonic::Code;
use uuid::Uuid;

fn asked(kind: Kind, key: &str) -> GetRecordHistoryRequest {
    GetRecordHistoryRequest {
        school_code: SCHOOL.into(),
        kind: kind as i32,
        record_key: key.into(),
        ..Default::default()
    }
}

async fn history(hub: &Hub, persona: &Persona, asked: GetRecordHistoryRequest) -> HistoryPage {
    hub.records(persona).get_history(asked).await.unwrap().into_inner()
}

/// `3<2 full_name: A -> B`.
fn told(version: &RecordVersion) -> String {
    let detail = version.detail.as_ref().unwrap();
    let fields: Vec<String> =
        detail.fields.iter().map(|f| format!(" {}: {} -> {}", f.field, f.before, f.after)).collect();
    format!("{}<{}{}", version.header.as_ref().unwrap().version, detail.compared_with, fields.concat())
}

fn pupil(full_name: &str, ethnicity: &str, id: u32) -> Pupil {
    Pupil {
        full_name: full_name.into(),
        ethnicity: Some(ethnicity.into()),
        personal_id: Some(make::personal_id(id)),
        ..make::pupil(1)
    }
}

#[tokio::test]
async fn each_version_says_which_fields_changed_as_far_as_the_reader_may_see() {
    let hub = Hub::start().await;
    for one in [pupil("Lê An", "01", 1), pupil("Lê Ân", "02", 1), pupil("Lê Ân", "02", 2)] {
        push_one(&hub, SCHOOL, vec![one.wrap()]).await;
    }
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Pupil, &code(1))]).await;
    push_one(&hub, SCHOOL, vec![pupil("Lê Ấn", "02", 2).wrap()]).await;
    push_one(&hub, SCHOOL, vec![pupil("Lê Ẩn", "02", 2).wrap()]).await;
    let (first, second) = (make::personal_id(1), make::personal_id(2));
    let name = "2<1 full_name: Lê An -> Lê Ân";
    let number = format!("3<2 personal_id: {first} -> {second}");
    let seen = |two: &str, three: &str| {
        ["6<5 full_name: Lê Ấn -> Lê Ẩn", "5<0", "4<0", three, two, "1<0"].map(str::to_owned)
    };
    for (class, expected) in [
        (Sensitivity::Secret, seen(&format!("{name} ethnicity: 01 -> 02"), &number)),
        (Sensitivity::Sensitive, seen(&format!("{name} ethnicity: 01 -> 02"), "3<2")),
        (Sensitivity::Basic, seen(name, "3<2")),
    ] {
        let persona = Persona::school_officer(SCHOOL).max_class(class);
        let page = history(&hub, &persona, asked(Kind::Pupil, &code(1))).await;
        assert_eq!(page.versions.iter().map(told).collect::<Vec<_>>(), expected, "{class:?}");
        assert_eq!(page.next_page_token, "");
        let gone = &page.versions[2];
        assert_eq!(gone.header.as_ref().unwrap().op(), ChangeOp::Withdraw);
        assert!(gone.record.is_none() && page.versions[3].record.is_some());
        let label = &page.versions[0].detail.as_ref().unwrap().fields[0].label;
        assert_eq!(label, "Họ tên");
    }
}

#[tokio::test]
async fn lists_within_a_record_are_compared_too() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..2)).await;
    let mut result = make::term_result(1, "6A1");
    push_one(&hub, SCHOOL, vec![result.clone().wrap()]).await;
    let other = SubjectScore { subject: "TOC".into(), score: Some(8.0), ..SubjectScore::default() };
    result.subject_scores = vec![other];
    push_one(&hub, SCHOOL, vec![result.wrap()]).await;
    let key = format!("2026/1/{}", code(1));
    let page = history(&hub, &Persona::vendor(SCHOOL), asked(Kind::TermResult, &key)).await;
    assert_eq!(told(&page.versions[0]), "2<1 subject_scores: [TOC 7.5] -> [TOC 8]");
}

#[tokio::test]
async fn a_version_says_who_made_it() {
    let hub = Hub::start().await;
    let grants = [Uuid::now_v7(), Uuid::now_v7()];
    let mut sessions = vec![];
    for (grant, full_name) in [(grants[0], "Lê An"), (grants[1], "Lê Ân"), (grants[0], "Lê Ấn")] {
        let open = patch(SCHOOL);
        sessions.push(open.session_id.clone());
        let persona = Persona::vendor(SCHOOL).grant(grant);
        push(&hub, &persona, open, vec![batch(1, vec![pupil(full_name, "01", 1).wrap()])]).await.unwrap();
    }
    let page = history(&hub, &Persona::vendor(SCHOOL), asked(Kind::Pupil, &code(1))).await;
    let makers: Vec<_> = page.versions.iter().map(|v| v.detail.clone().unwrap()).collect();
    assert_eq!((&makers[0].grant_id, &makers[0].session_id), (&grants[0].to_string(), &sessions[2]));
    assert_eq!((&makers[1].grant_id, &makers[1].session_id), (&grants[1].to_string(), &sessions[1]));
    assert!(!makers[0].actor.is_empty() && !makers[1].actor.is_empty());
    // Who made a first version is known while it is the newest.
    assert_eq!(makers[2].actor, "");
    push_one(&hub, SCHOOL, vec![make::pupil(2).wrap()]).await;
    let page = history(&hub, &Persona::vendor(SCHOOL), asked(Kind::Pupil, &code(2))).await;
    assert!(!page.versions[0].detail.as_ref().unwrap().actor.is_empty());
}

#[tokio::test]
async fn pages_follow_one_another_without_hole_beyond_a_hundred_versions() {
    let hub = Hub::start().await;
    let (mut batches, all) = (vec![], 120_u32);
    for n in 1..=all {
        let phone = format!("09123{n:05}");
        let one = Pupil { contact_phone: Some(phone), ..make::pupil(1) };
        batches.push(batch(n, vec![one.wrap()]));
    }
    push(&hub, &Persona::vendor(SCHOOL), patch(SCHOOL), batches).await.unwrap();
    let (mut seen, mut token) = (vec![], String::new());
    loop {
        let page =
            GetRecordHistoryRequest { page_size: 50, page_token: token, ..asked(Kind::Pupil, &code(1)) };
        let page = history(&hub, &Persona::vendor(SCHOOL), page).await;
        assert!(page.versions.len() <= 50);
        seen.extend(page.versions);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let numbers: Vec<i64> = seen.iter().map(|v| v.header.as_ref().unwrap().version).collect();
    assert_eq!(numbers, (1..=i64::from(all)).rev().collect::<Vec<_>>());
    for (version, n) in seen.iter().zip((2..=all).rev()) {
        let expected = format!("{n}<{} contact_phone: 09123{:05} -> 09123{n:05}", n - 1, n - 1);
        assert_eq!(told(version), expected);
    }
}

#[tokio::test]
async fn a_history_is_for_those_in_reach_and_of_what_once_was() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    let ask = async |persona: Persona, key: &str| {
        refusal(hub.records(&persona).get_history(asked(Kind::Pupil, key)).await)
    };
    assert_eq!(ask(Persona::vendor(SCHOOL), "HS9").await, (Code::NotFound, Reason::NotFound));
    assert_eq!(ask(Persona::vendor(OTHER), &code(1)).await, (Code::NotFound, Reason::SchoolNotFound));
    let staff_only = Persona::vendor(SCHOOL).domains(&[DataDomain::Staff]);
    assert_eq!(ask(staff_only, &code(1)).await, (Code::PermissionDenied, Reason::Forbidden));
}
