//! The whole way: submit, return, mend, submit again, approve, transfer; and what stays on record of it.

use eduhub_auth::testing::Persona;
use eduhub_doubles::TRACEPARENT;
use eduhub_proto::approval::v1::{
    DecideRequest, GetHistoryRequest, LastApprovedRequest, MarkTransferredRequest, RecordReason, Submission,
    SubmissionEvent, SubmissionState, Transition,
};
use eduhub_proto::common::v1::{Dataset, Kind};

use crate::lab::{COMMUNE, Lab, PRIMARY, approve, send_back, submission};

#[tokio::test]
async fn a_returned_submission_comes_again_and_reaches_the_ministry() {
    let lab = Lab::start().await;
    let officer = Persona::school_officer(PRIMARY);
    let commune = Persona::commune_reviewer(COMMUNE);
    let division = Persona::division_reviewer("DIV_PRIMARY");

    let first = lab.submitted().await;
    assert_eq!((first.state(), first.current_step, first.cycle), (SubmissionState::InReview, 1, 1));
    let offices: Vec<&str> = first.steps.iter().map(|s| s.office.as_str()).collect();
    assert_eq!(offices, [COMMUNE, "DIV_PRIMARY"]);
    assert_eq!(first.traceparent, TRACEPARENT);
    assert_eq!(first.seal.as_ref().unwrap().open_issues, 3);

    let reason = RecordReason {
        kind: Kind::Pupil as i32,
        record_key: "HS0042".to_owned(),
        text: "Ngày sinh không khớp giấy khai sinh".to_owned(),
    };
    let back = DecideRequest { record_reasons: vec![reason.clone()], ..send_back(&first, "") };
    let returned = lab.decide(&commune, back).await.unwrap();
    assert_eq!((returned.state(), returned.current_step), (SubmissionState::Returned, 0));

    let second = lab.submitted().await;
    assert_eq!(second.cycle, 2);
    assert_ne!(second.seal.as_ref().unwrap().digest, first.seal.as_ref().unwrap().digest);
    let half = lab.decide(&commune, approve(&second)).await.unwrap();
    assert_eq!((half.state(), half.current_step), (SubmissionState::InReview, 2));
    assert_eq!(last_approved(&lab, &officer).await, None);
    let approved = lab.decide(&division, approve(&half)).await.unwrap();
    assert_eq!((approved.state(), approved.current_step), (SubmissionState::Approved, 0));
    let seal_id = last_approved(&lab, &officer).await;
    assert_eq!(seal_id.as_deref(), Some(second.submission_id.as_str()));

    let bridge = Persona::service("bridge");
    let mark =
        MarkTransferredRequest { submission_id: second.submission_id.clone(), note: "412/412".to_owned() };
    for _ in 0..2 {
        let done =
            lab.submissions().mark_transferred(lab.by(&bridge, mark.clone())).await.unwrap().into_inner();
        assert_eq!((done.state(), done.version), (SubmissionState::Transferred, 4));
    }
    assert_eq!(last_approved(&lab, &officer).await, seal_id);

    let transitions = history(&lab, &first).await;
    assert_eq!(transitions.len(), 2);
    assert_eq!((transitions[1].event(), transitions[1].step_no), (SubmissionEvent::Return, 1));
    assert_eq!(transitions[1].record_reasons, [reason]);
    check_the_full_way(&second, &history(&lab, &second).await);
    assert_eq!(history(&lab, &second).await[2].actor.as_ref().unwrap().principal_id, division.0.sub);
}

fn check_the_full_way(submission: &Submission, transitions: &[Transition]) {
    use SubmissionEvent as E;
    use SubmissionState as S;
    let events: Vec<_> = transitions.iter().map(|t| (t.event(), t.from_state(), t.to_state())).collect();
    let expected = [
        (E::Submit, S::Unspecified, S::InReview),
        (E::Approve, S::InReview, S::InReview),
        (E::Approve, S::InReview, S::Approved),
        (E::Transfer, S::Approved, S::Transferred),
    ];
    assert_eq!(events, expected);
    let digest = &submission.seal.as_ref().unwrap().digest;
    assert!(transitions.iter().all(|t| t.digest == *digest && t.at.is_some()));
    let offices: Vec<_> = transitions.iter().map(|t| t.actor.clone().unwrap().office).collect();
    assert_eq!(offices, [PRIMARY, COMMUNE, "DIV_PRIMARY", "bridge"]);
    assert_eq!(transitions[0].why, "tôi đã kiểm tra");
    assert!(transitions[1..3].iter().all(|t| t.accountable_division == "DIV_PRIMARY"));
}

async fn history(lab: &Lab, submission: &Submission) -> Vec<Transition> {
    let ask = GetHistoryRequest { submission_id: submission.submission_id.clone() };
    let request = lab.by(&Persona::school_officer(PRIMARY), ask);
    lab.submissions().get_history(request).await.unwrap().into_inner().transitions
}

#[tokio::test]
async fn facilities_are_sealed_by_facility_and_the_rest_by_registry() {
    let lab = Lab::start().await;
    for (dataset, owner) in [(Dataset::Pupils, "registry"), (Dataset::Facilities, "facility")] {
        let made = lab.submit(submission(PRIMARY, dataset)).await.unwrap();
        assert_eq!(lab.seals.state().made[&made.submission_id].0, owner);
    }
}

#[tokio::test]
async fn what_was_recorded_cannot_be_rewritten() {
    let lab = Lab::start().await;
    let made = lab.submitted().await;
    lab.decide(&Persona::commune_reviewer(COMMUNE), send_back(&made, "thiếu lớp 5A")).await.unwrap();
    for sql in [
        "update transition set why = 'x'",
        "delete from transition",
        "update submission_step set office = 'DIV_FINANCE'",
        "delete from submission_step",
    ] {
        let error = sqlx::query(sql).execute(&lab.pool).await.unwrap_err();
        let code = error.as_database_error().and_then(|e| e.code().map(String::from));
        assert_eq!(code.as_deref(), Some("23001"), "{sql}");
    }
}

async fn last_approved(lab: &Lab, by: &Persona) -> Option<String> {
    let request = LastApprovedRequest {
        school_code: PRIMARY.to_owned(),
        school_year: 2026,
        dataset: Dataset::Pupils as i32,
    };
    let answer = lab.submissions().last_approved(lab.by(by, request)).await.unwrap().into_inner();
    answer.found.map(|found| found.seal_id)
}
