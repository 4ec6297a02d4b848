//! What of a finding the readers of a work list see.
use crate::{
    hub::{Hub, SCHOOL},
    make::{self, Wrap},
    pushing::push_one,
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::common::v1::{ListIssuesRequest, Problem, Sensitivity};

/// Open findings of the school as a reader up to this class sees them.
async fn seen(hub: &Hub, class: Sensitivity) -> Vec<Problem> {
    let request = ListIssuesRequest { school_code: SCHOOL.into(), ..Default::default() };
    let mut client = hub.issues(&Persona::school_officer(SCHOOL).max_class(class));
    let issues = client.list_issues(request).await.unwrap().into_inner().issues;
    issues.into_iter().map(|i| i.problem.unwrap()).collect()
}

#[tokio::test]
async fn a_value_is_shown_up_to_the_readers_class() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..2)).await;
    let mut class = make::class("6A2");
    class.grade = "19".into();
    let (mut capitals, mut foreign, mut other) = (make::pupil(2), make::pupil(3), make::pupil(4));
    capitals.full_name = "LÊ THỊ AN".into();
    foreign.nationality = Some("VM".into());
    other.ethnicity = Some("99".into());
    let mut scores = make::term_result(1, "6A1");
    scores.subject_scores[0].subject = "TOX".into();
    push_one(&hub, SCHOOL, vec![class.wrap(), capitals.wrap(), foreign.wrap(), other.wrap(), scores.wrap()])
        .await;

    let fields = ["grade", "full_name", "nationality", "ethnicity", "subject_scores[0].subject"];
    for (reader, values, suggested) in [
        (Sensitivity::Secret, ["19", "LÊ THỊ AN", "VM", "", "TOX"], [true, false, true, true, true]),
        (Sensitivity::Sensitive, ["19", "LÊ THỊ AN", "VM", "", "TOX"], [true, false, true, true, true]),
        (Sensitivity::Basic, ["19", "LÊ THỊ AN", "VM", "", "TOX"], [true, false, true, false, true]),
        (Sensitivity::Public, ["19", "", "", "", ""], [true, false, false, false, false]),
    ] {
        let all = seen(&hub, reader).await;
        for ((field, value), suggested) in fields.into_iter().zip(values).zip(suggested) {
            let p = all.iter().find(|p| p.field == field).unwrap_or_else(|| panic!("{field} in {all:?}"));
            assert_eq!(p.value, value, "{field} for {reader:?}");
            assert_eq!(!p.suggestions.is_empty(), suggested, "{field} for {reader:?}");
            assert!(!p.record_key.is_empty() && p.index.is_none());
        }
        assert!(all.iter().any(|p| p.reason() == Reason::NameAllCaps), "the finding itself is for all");
        assert_eq!(all.len(), fields.len(), "{all:?}");
    }
}
