//! Lists and queues: what is shown to whom, in which order, page by page.

use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::approval::v1::{
    GetHistoryRequest, GetSubmissionRequest, ListSubmissionsRequest, Submission, SubmissionState,
};
use eduhub_proto::common::v1::{DataDomain, Dataset, Level, Sensitivity};
use tonic::Code;

use crate::lab::{COMMUNE, Lab, PRIMARY, approve, refusal, submission};

async fn list(lab: &Lab, by: &Persona, mut request: ListSubmissionsRequest) -> Vec<Submission> {
    let mut all = Vec::new();
    loop {
        let page =
            lab.submissions().list_submissions(lab.by(by, request.clone())).await.unwrap().into_inner();
        if request.page_size > 0 {
            assert!(page.submissions.len() <= usize::try_from(request.page_size).unwrap());
        }
        all.extend(page.submissions);
        assert!(all.len() < 100, "the pages do not end");
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return all;
        }
    }
}

fn schools(found: &[Submission]) -> Vec<&str> {
    found.iter().map(|s| s.school_code.as_str()).collect()
}

fn queue(page_size: i32) -> ListSubmissionsRequest {
    ListSubmissionsRequest { my_queue: true, page_size, ..Default::default() }
}

#[tokio::test]
async fn a_queue_holds_what_waits_for_the_office_with_independent_groups_first() {
    let lab = Lab::start().await;
    for (code, independent) in
        [("37000101", false), ("37000102", true), ("37000103", false), ("37000104", true)]
    {
        lab.school(code, Level::Preschool, COMMUNE, false, independent);
        lab.submit(submission(code, Dataset::Pupils)).await.unwrap();
    }
    lab.school("37000105", Level::Preschool, "14330", false, true);
    lab.submit(submission("37000105", Dataset::Pupils)).await.unwrap();
    let commune = Persona::commune_reviewer(COMMUNE);
    let expected = ["37000102", "37000104", "37000101", "37000103"];
    for page_size in [0, 1, 2, 3, 4] {
        assert_eq!(schools(&list(&lab, &commune, queue(page_size)).await), expected, "pages of {page_size}");
    }
    let division = Persona::division_reviewer("DIV_PRESCHOOL");
    assert!(list(&lab, &division, queue(0)).await.is_empty());

    let waiting = list(&lab, &commune, queue(0)).await;
    for one in &waiting[1..3] {
        lab.decide(&commune, approve(one)).await.unwrap();
    }
    assert_eq!(schools(&list(&lab, &commune, queue(1)).await), ["37000102", "37000103"]);
    assert_eq!(schools(&list(&lab, &division, queue(1)).await), ["37000104", "37000101"]);
}

#[tokio::test]
async fn lists_are_filtered_newest_first_and_paged_without_loss() {
    let lab = Lab::start().await;
    let mut made = Vec::new();
    for i in 0..7 {
        let code = format!("370003{i:02}");
        lab.school(&code, Level::Primary, COMMUNE, false, false);
        made.push(lab.submit(submission(&code, Dataset::Pupils)).await.unwrap());
    }
    lab.submit(submission("37000300", Dataset::Staff)).await.unwrap();
    let admin = Persona::admin();
    let ask = ListSubmissionsRequest { dataset: Dataset::Pupils as i32, page_size: 3, ..Default::default() };
    let found = list(&lab, &admin, ask.clone()).await;
    let expected: Vec<&str> = made.iter().rev().map(|s| s.school_code.as_str()).collect();
    assert_eq!(schools(&found), expected);

    lab.approve_all(made[2].clone()).await;
    let states = vec![SubmissionState::Approved as i32, SubmissionState::Transferred as i32];
    let approved = list(&lab, &admin, ListSubmissionsRequest { states, ..ask.clone() }).await;
    assert_eq!(schools(&approved), ["37000302"]);
    assert!(approved[0].steps.iter().all(|step| step.decided_by.is_some()));

    let first = lab.submissions().list_submissions(lab.by(&admin, ask.clone())).await.unwrap().into_inner();
    let token = first.next_page_token;
    let foreign = ListSubmissionsRequest { page_token: token.clone(), school_year: 2026, ..ask.clone() };
    let outcome = lab.submissions().list_submissions(lab.by(&admin, foreign)).await;
    assert_eq!(refusal(outcome), (Code::InvalidArgument, Reason::BadPageToken));
    let other_scope =
        lab.by(&Persona::commune_reviewer(COMMUNE), ListSubmissionsRequest { page_token: token, ..ask });
    let outcome = lab.submissions().list_submissions(other_scope).await;
    assert_eq!(refusal(outcome), (Code::InvalidArgument, Reason::BadPageToken));
    let negative = ListSubmissionsRequest { page_size: -1, ..Default::default() };
    let outcome = lab.submissions().list_submissions(lab.by(&admin, negative)).await;
    assert_eq!(refusal(outcome), (Code::InvalidArgument, Reason::InvalidRequest));
    let no_office = lab.submissions().list_submissions(lab.by(&admin, queue(0))).await;
    assert_eq!(refusal(no_office), (Code::InvalidArgument, Reason::InvalidRequest));
}

#[tokio::test]
async fn everybody_sees_their_own_schools_and_domains_and_the_rest_does_not_exist() {
    let lab = Lab::start().await;
    let mine = lab.submitted().await;
    let staff = lab.submit(submission(PRIMARY, Dataset::Staff)).await.unwrap();
    lab.school("37000401", Level::Primary, "14330", false, false);
    let other = lab.submit(submission("37000401", Dataset::Pupils)).await.unwrap();
    let all = ListSubmissionsRequest::default();
    let seen = [
        (Persona::admin(), 3),
        (Persona::service("bridge"), 3),
        (Persona::division_reviewer("DIV_PERSONNEL").domains(&[DataDomain::Staff]), 1),
        (Persona::commune_reviewer(COMMUNE), 2),
        (Persona::school_officer(PRIMARY), 2),
        (Persona::vendor(PRIMARY).domains(&[DataDomain::Pupil]), 1),
        (Persona::vendor("37000999"), 0),
        (Persona::admin().domains(&[]), 0),
    ];
    for (who, count) in seen {
        assert_eq!(list(&lab, &who, all.clone()).await.len(), count, "{:?}", who.0.roles);
    }

    let get = |id: &str| GetSubmissionRequest { submission_id: id.to_owned() };
    let history = |id: &str| GetHistoryRequest { submission_id: id.to_owned() };
    let absent = uuid::Uuid::now_v7().to_string();
    let blind = [
        (Persona::school_officer(PRIMARY), &other),
        (Persona::commune_reviewer(COMMUNE), &other),
        (Persona::vendor(PRIMARY).domains(&[DataDomain::Pupil]), &staff),
    ];
    for (who, hidden) in blind {
        let a = lab.submissions().get_submission(lab.by(&who, get(&hidden.submission_id))).await.unwrap_err();
        let b = lab.submissions().get_submission(lab.by(&who, get(&absent))).await.unwrap_err();
        assert_eq!((a.code(), a.message(), a.details()), (b.code(), b.message(), b.details()));
        let a =
            lab.submissions().get_history(lab.by(&who, history(&hidden.submission_id))).await.unwrap_err();
        assert_eq!((a.code(), a.message(), a.details()), (b.code(), b.message(), b.details()));
    }

    let basic = Persona::vendor(PRIMARY).max_class(Sensitivity::Public);
    let shown = lab
        .submissions()
        .get_submission(lab.by(&basic, get(&mine.submission_id)))
        .await
        .unwrap()
        .into_inner();
    assert!(shown.submitted_by.unwrap().name.is_empty(), "a name went to a caller of public data");
    assert!(!mine.submitted_by.unwrap().name.is_empty());
}
