//! Submit: once whatever happens in between, and refused with its reason otherwise.

use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::approval::v1::{SubmissionState, SubmitRequest, WithdrawSubmissionRequest};
use eduhub_proto::common::v1::{DataDomain, Dataset, Level, Period};
use tonic::Code;

use crate::lab::{COMMUNE, Lab, PRIMARY, at_once, metadata, refusal, submission, violated};

#[tokio::test]
async fn the_same_id_again_is_the_same_submission() {
    let lab = Lab::start().await;
    let request = submission(PRIMARY, Dataset::Pupils);
    let first = lab.submit(request.clone()).await.unwrap();
    let again = lab.submit(request.clone()).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(lab.seals.state().calls, 1);

    let other = SubmitRequest { dataset: Dataset::Staff as i32, ..request };
    assert_eq!(refusal(lab.submit(other).await), (Code::AlreadyExists, Reason::AlreadyExists));
}

#[tokio::test]
async fn a_crash_after_the_seal_leaves_nothing_behind_but_the_seal() {
    let lab = Lab::start().await;
    let request = submission(PRIMARY, Dataset::Pupils);
    let id = request.submission_id.clone();
    lab.seals.state().lose_answer.insert(id.clone());
    assert_eq!(refusal(lab.submit(request.clone()).await), (Code::Unavailable, Reason::Unavailable));
    let stored: i64 =
        sqlx::query_scalar("select count(*) from submission").fetch_one(&lab.pool).await.unwrap();
    assert_eq!(stored, 0);

    let made = lab.submit(request).await.unwrap();
    let seals = lab.seals.state();
    assert_eq!((seals.calls, seals.made.len()), (2, 1));
    assert_eq!(made.seal.unwrap().digest, seals.made[&id].1.digest);
}

#[tokio::test]
async fn one_submission_of_a_subject_is_under_review_at_a_time() {
    let lab = Lab::start().await;
    let open = lab.submitted().await;
    let status = lab.submit(submission(PRIMARY, Dataset::Pupils)).await.unwrap_err();
    assert_eq!(metadata(&status, "submission_id"), open.submission_id);
    assert_eq!(refusal::<()>(Err(status)), (Code::AlreadyExists, Reason::AlreadyExists));

    // Another dataset, period or year is another subject.
    let request = submission(PRIMARY, Dataset::Pupils);
    lab.submit(SubmitRequest { period: Period::MidYear as i32, ..request.clone() }).await.unwrap();
    lab.submit(SubmitRequest { school_year: 2025, ..submission(PRIMARY, Dataset::Pupils) }).await.unwrap();
    lab.submit(submission(PRIMARY, Dataset::Staff)).await.unwrap();
}

#[tokio::test]
async fn of_many_at_once_one_is_stored_and_the_same_id_at_once_is_one() {
    let lab = Lab::start().await;
    let officer = Persona::school_officer(PRIMARY);
    let send = |request: SubmitRequest| {
        let (mut client, request) = (lab.submissions(), lab.by(&officer, request));
        async move { client.submit(request).await.map(tonic::Response::into_inner) }
    };
    let others = (0..8).map(|_| send(submission(PRIMARY, Dataset::Pupils))).collect();
    let (made, refused): (Vec<_>, Vec<_>) = at_once(others).await.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    for outcome in refused {
        assert_eq!(refusal(outcome), (Code::AlreadyExists, Reason::AlreadyExists));
    }

    let same = submission(PRIMARY, Dataset::Staff);
    let made = at_once((0..8).map(|_| send(same.clone())).collect()).await;
    for outcome in made {
        assert_eq!(outcome.unwrap().submission_id, same.submission_id);
    }
    let stored: i64 =
        sqlx::query_scalar("select count(*) from submission").fetch_one(&lab.pool).await.unwrap();
    assert_eq!(stored, 2);
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let lab = Lab::start().await;
    let request = SubmitRequest {
        submission_id: "7".to_owned(),
        school_code: "x".to_owned(),
        checked_statement: "ok".to_owned(),
        ..SubmitRequest::default()
    };
    let officer = Persona::school_officer(PRIMARY);
    let status = lab.submissions().submit(lab.by(&officer, request)).await.unwrap_err();
    let fields = ["submission_id", "school_code", "school_year", "period", "dataset", "checked_statement"];
    assert_eq!(violated(&status), fields);
}

#[tokio::test]
async fn a_submission_is_refused_with_its_reason_and_leaves_nothing() {
    let lab = Lab::start().await;
    let ask = || submission(PRIMARY, Dataset::Pupils);
    lab.seals.state().empty = true;
    assert_eq!(refusal(lab.submit(ask()).await), (Code::FailedPrecondition, Reason::EmptyDataset));
    lab.seals.state().empty = false;
    lab.seals.state().year_closed = true;
    assert_eq!(refusal(lab.submit(ask()).await), (Code::FailedPrecondition, Reason::SchoolYearClosed));
    lab.seals.state().year_closed = false;
    lab.seals.state().held = 12;
    let held = ask();
    let status = lab.submit(held.clone()).await.unwrap_err();
    assert_eq!(metadata(&status, "held"), "12");
    assert_eq!(refusal::<()>(Err(status)), (Code::FailedPrecondition, Reason::HeldRecords));
    let accepted = lab.submit(SubmitRequest { accept_held: true, ..held }).await.unwrap();
    assert_eq!(accepted.seal.unwrap().held, 12);

    lab.school("37009999", Level::Unspecified, COMMUNE, false, false);
    let status = lab.submit(submission("37009999", Dataset::Pupils)).await.unwrap_err();
    assert_eq!(metadata(&status, "level"), "0");
    assert_eq!(refusal::<()>(Err(status)), (Code::FailedPrecondition, Reason::NoRoute));
    lab.school("37009998", Level::Primary, COMMUNE, false, false);
    lab.door.set_down(true);
    let down = lab.submit(submission("37009998", Dataset::Pupils)).await;
    assert_eq!(refusal(down), (Code::Unavailable, Reason::Unavailable));
    let stored: i64 =
        sqlx::query_scalar("select count(*) from submission").fetch_one(&lab.pool).await.unwrap();
    assert_eq!(stored, 1);
}

#[tokio::test]
async fn a_school_submits_for_itself_and_its_domains_only() {
    let lab = Lab::start().await;
    lab.school("37000299", Level::Primary, COMMUNE, false, false);
    let other = Persona::school_officer("37000299");
    let foreign =
        lab.submissions().submit(lab.by(&other, submission(PRIMARY, Dataset::Pupils))).await.unwrap_err();
    let absent =
        lab.submissions().submit(lab.by(&other, submission("37999999", Dataset::Pupils))).await.unwrap_err();
    assert_eq!((foreign.code(), foreign.message()), (absent.code(), absent.message()));
    assert_eq!(foreign.details(), absent.details());
    assert_eq!(refusal::<()>(Err(foreign)), (Code::NotFound, Reason::SchoolNotFound));

    let narrow = Persona::school_officer(PRIMARY).domains(&[DataDomain::Staff]);
    let outcome = lab.submissions().submit(lab.by(&narrow, submission(PRIMARY, Dataset::Pupils))).await;
    assert_eq!(refusal(outcome), (Code::PermissionDenied, Reason::Forbidden));
}

#[tokio::test]
async fn a_school_takes_its_submission_back_with_a_reason() {
    let lab = Lab::start().await;
    let made = lab.submitted().await;
    let officer = Persona::school_officer(PRIMARY);
    let take_back = |reason: &str| {
        let request = WithdrawSubmissionRequest {
            submission_id: made.submission_id.clone(),
            reason: reason.to_owned(),
        };
        let (mut client, request) = (lab.submissions(), lab.by(&officer, request));
        async move { client.withdraw_submission(request).await.map(tonic::Response::into_inner) }
    };
    assert_eq!(refusal(take_back("  ").await), (Code::InvalidArgument, Reason::ReasonRequired));
    for _ in 0..2 {
        let back = take_back("nhầm kỳ báo cáo").await.unwrap();
        assert_eq!((back.state(), back.version), (SubmissionState::Withdrawn, 2));
    }
    let next = lab.submitted().await;
    assert_eq!(next.cycle, 2);
    let done = lab.approve_all(next).await;
    let request =
        WithdrawSubmissionRequest { submission_id: done.submission_id.clone(), reason: "muộn".to_owned() };
    let outcome = lab.submissions().withdraw_submission(lab.by(&officer, request)).await;
    assert_eq!(refusal(outcome), (Code::FailedPrecondition, Reason::WrongState));
}
