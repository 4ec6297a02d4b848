//! Rules over stored data about a school year as a whole: conduct of the year against its terms, teachers of a class's subjects.
use crate::{
    hub::{Hub, SCHOOL},
    make::{self, Wrap},
    pushing::{findings, push_one, withdraw_one},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{Kind, ListIssuesRequest, Problem},
    registry::v1::{Class, Record, Staff, SubjectAssignment, TermResult},
};

async fn open(hub: &Hub, reason: Reason) -> Vec<Problem> {
    let request = ListIssuesRequest { school_code: SCHOOL.into(), ..Default::default() };
    let issues = hub.issues(&Persona::vendor(SCHOOL)).list_issues(request).await.unwrap().into_inner().issues;
    issues.into_iter().map(|i| i.problem.unwrap()).filter(|p| p.reason() == reason).collect()
}

fn rated(n: u32, term: &str, conduct: &str) -> Record {
    let result = make::term_result(n, "6A1");
    TermResult { term: term.into(), conduct: Some(conduct.into()), ..result }.wrap()
}

#[tokio::test]
async fn the_conduct_of_a_year_follows_from_its_terms_whichever_comes_last() {
    let hub = Hub::start().await;
    let reason = Reason::YearNotAsTerms;
    push_one(&hub, SCHOOL, make::small_school(1..4)).await;
    // TT 22 Art 8: good then pass is fair; fail then good is fair; of pupil 3 the first term is another school's.
    let terms = [("1", "1"), ("2", "3")].map(|(term, conduct)| rated(1, term, conduct));
    let mut batch = terms.to_vec();
    batch.extend([rated(2, "1", "4"), rated(2, "2", "1"), rated(3, "2", "1"), rated(3, "3", "4")]);
    assert_eq!(push_one(&hub, SCHOOL, batch).await.problems, []);
    let reply = push_one(&hub, SCHOOL, vec![rated(1, "3", "3"), rated(2, "3", "2")]).await;
    assert_eq!(findings(&reply), [(reason, "conduct".to_owned())]);
    assert_eq!(
        (reply.problems[0].record_key.as_str(), reply.problems[0].suggestions.join(" ")),
        ("3/HS000001", "2".into())
    );

    // The record itself is accepted, and the finding about it stays: also when the same comes again.
    for _ in 0..2 {
        assert_eq!(open(&hub, reason).await.len(), 1);
        push_one(&hub, SCHOOL, vec![rated(1, "3", "3"), make::pupil(1).wrap()]).await;
    }

    // A term that is put right closes it, and one that is made wrong opens another.
    push_one(&hub, SCHOOL, vec![rated(1, "2", "3"), rated(1, "1", "2")]).await;
    assert_eq!(open(&hub, reason).await.len(), 0, "fair and pass is pass");
    push_one(&hub, SCHOOL, vec![rated(2, "1", "3")]).await;
    let fair = open(&hub, reason).await;
    assert_eq!(fair.len(), 0, "pass and good is fair still");
    push_one(&hub, SCHOOL, vec![rated(2, "2", "4")]).await;
    assert_eq!(open(&hub, reason).await[0].record_key, "3/HS000002");
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::TermResult, "2/HS000002")]).await;
    assert_eq!(open(&hub, reason).await.len(), 0, "without a term nothing can be said");
    push_one(&hub, SCHOOL, vec![rated(2, "2", "4")]).await;
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::TermResult, "3/HS000002")]).await;
    assert_eq!(open(&hub, reason).await.len(), 0);
}

fn taught(code: &str, teachers: &[u32]) -> Record {
    let assignment = |n: &u32| SubjectAssignment {
        subject: Some("TOC".into()),
        term: Some("3".into()),
        staff_code: Some(format!("GV{n:06}")),
    };
    Class { subject_assignments: teachers.iter().map(assignment).collect(), ..make::class(code) }.wrap()
}

#[tokio::test]
async fn teachers_of_subjects_are_in_service_at_the_school() {
    let hub = Hub::start().await;
    let reason = Reason::SubjectTeacherNotActive;
    let keys = async |hub: &Hub| {
        open(hub, reason).await.into_iter().map(|p| (p.record_key, p.field, p.value)).collect::<Vec<_>>()
    };
    push_one(&hub, SCHOOL, vec![make::campus().wrap(), taught("6A1", &[1, 2]), taught("6A2", &[1])]).await;
    assert_eq!(keys(&hub).await, [], "a school whose software has not sent staff is not judged");
    push_one(&hub, SCHOOL, vec![make::staff(1).wrap()]).await;
    let second = ("6A1".to_owned(), "subject_assignments[1].staff_code".to_owned(), "GV000002".to_owned());
    assert_eq!(keys(&hub).await, std::slice::from_ref(&second));
    push_one(&hub, SCHOOL, vec![make::staff(2).wrap()]).await;
    assert_eq!(keys(&hub).await, []);
    let retired = Staff { staff_status: "6".into(), ..make::staff(2) };
    push_one(&hub, SCHOOL, vec![retired.wrap()]).await;
    push_one(&hub, SCHOOL, vec![taught("6A1", &[1, 2]), make::class("6A3").wrap()]).await;
    assert_eq!(keys(&hub).await, [second]);
    push_one(&hub, SCHOOL, vec![taught("6A1", &[1])]).await;
    assert_eq!(keys(&hub).await, []);
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Staff, "GV000001")]).await;
    assert_eq!(keys(&hub).await.len(), 2, "both classes lost their teacher");
}
