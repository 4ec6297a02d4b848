//! FULL sessions and the work list: what is absent at the end is withdrawn; findings open issues and close them.
use crate::{
    hub::{Hub, OTHER, SCHOOL},
    make::{self, Wrap},
    pushing::{Pushing, batch, counted, full, patch, push, push_one, refusal},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::common::v1::{Issue, Kind, ListIssuesRequest, PushOpen};

async fn issues(hub: &Hub, include_closed: bool) -> Vec<Issue> {
    let request = ListIssuesRequest { school_code: SCHOOL.into(), include_closed, ..Default::default() };
    hub.issues(&Persona::vendor(SCHOOL)).list_issues(request).await.unwrap().into_inner().issues
}

fn named(issues: &[Issue]) -> Vec<(Reason, String)> {
    issues.iter().map(|i| i.problem.as_ref().unwrap()).map(|p| (p.reason(), p.record_key.clone())).collect()
}

#[tokio::test]
async fn full_withdraws_only_after_an_explicit_end() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..5)).await;
    push_one(&hub, OTHER, make::small_school(1..5)).await;
    let before = hub.rows().await;
    let open = full(SCHOOL, &[Kind::Pupil, Kind::Enrolment]);
    let vendor = Persona::vendor(SCHOOL);
    let batches = vec![batch(1, vec![make::pupil(1).wrap(), make::enrolment(1, "6A1").wrap()])];
    let (mut pushing, _) = Pushing::open(hub.ingest(&vendor), open.clone()).await.unwrap();
    pushing.batch(batches[0].clone()).await.unwrap();
    drop(pushing);
    assert_eq!(hub.rows().await, before, "a stream that just ends withdraws nothing");

    let (_, receipt) = push(&hub, &vendor, open, batches).await.unwrap();
    assert_eq!(counted(&receipt.totals), [0, 0, 2, 0, 0, 0, 6, 0]);
    let live: Vec<_> =
        hub.rows().await.into_iter().filter(|r| r.contains(SCHOOL) && r.ends_with(" f")).collect();
    assert_eq!(live.len(), 4, "campus, class, one pupil, one enrolment: {live:?}");
    assert_eq!(hub.rows().await.iter().filter(|r| r.contains(OTHER) && r.ends_with(" f")).count(), 10);
    assert_eq!(hub.count_of("push_seen").await, 0);
}

#[tokio::test]
async fn full_keeps_what_it_named_refused_and_held_ones_included() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..4)).await;
    let mut refused = make::pupil(1);
    refused.sex = "9".into();
    let mut held = make::enrolment(2, "9Z9");
    held.enrolment_id = "QT000002".into();
    let batches = vec![batch(1, vec![refused.wrap(), make::pupil(2).wrap(), held.wrap()])];
    let open = full(SCHOOL, &[Kind::Pupil, Kind::Enrolment]);
    let (replies, receipt) = push(&hub, &Persona::vendor(SCHOOL), open, batches).await.unwrap();
    assert_eq!(counted(&replies[0].counts), [0, 0, 1, 1, 1, 0, 0, 0]);
    assert_eq!(counted(&receipt.totals)[6], 3, "pupil 3, enrolments 1 and 3");
    let rows = hub.rows().await;
    for kept in ["pupil_record 37143290001 HS000001 1 f", "enrolment_record 37143290001 2026/QT000002 1 f"] {
        assert!(rows.contains(&kept.to_owned()), "{kept} in {rows:?}");
    }
    assert_eq!(receipt.waiting.len(), 1);
}

#[tokio::test]
async fn full_of_a_yearly_kind_leaves_other_years_alone() {
    let hub = Hub::start().await;
    let vendor = Persona::vendor(SCHOOL);
    let last_year = PushOpen { school_year: 2025, ..patch(SCHOOL) };
    push(&hub, &vendor, last_year, vec![batch(1, make::small_school(1..2))]).await.unwrap();
    push_one(&hub, SCHOOL, make::small_school(1..2)).await;
    let (_, receipt) = push(&hub, &vendor, full(SCHOOL, &[Kind::Enrolment]), vec![]).await.unwrap();
    assert_eq!(counted(&receipt.totals)[6], 1);
    let rows = hub.rows().await;
    assert!(rows.contains(&format!("enrolment_record {SCHOOL} 2025/QT000001 1 f")));
    assert!(rows.contains(&format!("enrolment_record {SCHOOL} 2026/QT000001 2 t")));
}

#[tokio::test]
async fn full_must_name_its_kinds() {
    let hub = Hub::start().await;
    let vendor = Persona::vendor(SCHOOL);
    assert_eq!(refusal(push(&hub, &vendor, full(SCHOOL, &[]), vec![]).await).1, Reason::InvalidRequest);
    let unknown = PushOpen { full_kinds: vec![99], ..full(SCHOOL, &[]) };
    assert_eq!(refusal(push(&hub, &vendor, unknown, vec![]).await).1, Reason::InvalidRequest);
    let foreign = full(SCHOOL, &[Kind::Room]);
    assert_eq!(refusal(push(&hub, &vendor, foreign, vec![]).await).1, Reason::UnknownKind);
}

#[tokio::test]
async fn an_issue_opens_once_and_closes_when_it_is_mended() {
    let hub = Hub::start().await;
    let mut bad = make::pupil(1);
    (bad.personal_id, bad.sex) = (None, "9".into());
    for _ in 0..2 {
        push_one(&hub, SCHOOL, vec![bad.clone().wrap()]).await;
    }
    let open = issues(&hub, false).await;
    assert_eq!(named(&open), [(Reason::UnknownCode, make::code(1)), (Reason::Missing, make::code(1))]);

    bad.sex = "2".into();
    push_one(&hub, SCHOOL, vec![bad.clone().wrap()]).await;
    assert_eq!(named(&issues(&hub, false).await), [(Reason::Missing, make::code(1))]);
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    assert_eq!(named(&issues(&hub, false).await), []);
    let all = issues(&hub, true).await;
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|i| i.closed_at.is_some()));

    // It comes back as a new issue.
    push_one(&hub, SCHOOL, vec![bad.wrap()]).await;
    assert_eq!((issues(&hub, false).await.len(), issues(&hub, true).await.len()), (1, 3));
}

#[tokio::test]
async fn a_withdrawn_record_leaves_no_open_issue() {
    let hub = Hub::start().await;
    let mut bad = make::pupil(2);
    (bad.personal_id, bad.ethnicity) = (Some(make::personal_id(1)), None);
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap(), bad.wrap()]).await;
    let reasons: Vec<_> = named(&issues(&hub, false).await).into_iter().map(|n| n.0).collect();
    assert_eq!(reasons, [Reason::Missing, Reason::PersonalIdDuplicate]);
    let gone = vec![make::withdrawal(Kind::Pupil, &make::code(2))];
    crate::pushing::withdraw_one(&hub, SCHOOL, gone).await;
    assert_eq!(named(&issues(&hub, false).await), []);
}

#[tokio::test]
async fn issues_come_in_pages_and_counts_by_reason() {
    let hub = Hub::start().await;
    let records = (1..8).map(|n| {
        let mut p = make::pupil(n);
        p.ethnicity = None;
        p.wrap()
    });
    push_one(&hub, SCHOOL, records.collect()).await;
    let mut client = hub.issues(&Persona::vendor(SCHOOL));
    let mut request = ListIssuesRequest { school_code: SCHOOL.into(), page_size: 3, ..Default::default() };
    let (mut seen, mut pages) = (vec![], 0);
    loop {
        let page = client.list_issues(request.clone()).await.unwrap().into_inner();
        seen.extend(page.issues.into_iter().map(|i| i.issue_id));
        pages += 1;
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!((seen.len(), pages), (7, 3));
    let distinct: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), 7);
    let counts = client
        .count_issues(eduhub_proto::common::v1::CountIssuesRequest { school_code: SCHOOL.into() })
        .await
        .unwrap()
        .into_inner()
        .counts;
    assert_eq!(counts.iter().map(|c| (c.reason(), c.open)).collect::<Vec<_>>(), [(Reason::Missing, 7)]);
    request.page_token = "AQ".into();
    assert_eq!(refusal(client.list_issues(request).await).1, Reason::BadPageToken);
}
