use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_ministry_bridge::config::{Initiator, WorkSettings};
use eduhub_proto::approval::v1::SubmissionState;
use eduhub_proto::bridge::v1::{LedgerState, ListLedgerRequest, StartTransferRequest, TransferState};
use eduhub_proto::common::v1::Dataset;
use tonic::{Code, Request};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::data::{SCHOOL, school_with, staff};
use crate::lab::{Lab, count, quick, refused};

fn request(transfer: Uuid, submission: Uuid) -> StartTransferRequest {
    StartTransferRequest { transfer_id: transfer.to_string(), submission_id: submission.to_string() }
}

#[tokio::test]
async fn only_an_approved_submission_goes() {
    let lab = Lab::start().await;
    for state in [SubmissionState::InReview, SubmissionState::Returned, SubmissionState::Withdrawn] {
        let id = lab.submission(Dataset::Pupils, state);
        let answer = lab.transfers().start_transfer(lab.by_school(request(Uuid::now_v7(), id))).await;
        assert_eq!(refused(answer), (Code::FailedPrecondition, Reason::NotApproved));
    }
    let absent = lab.transfers().start_transfer(lab.by_school(request(Uuid::now_v7(), Uuid::now_v7()))).await;
    assert_eq!(refused(absent), (Code::NotFound, Reason::NotFound));
    let jobs: i64 = sqlx::query_scalar("select count(*) from job").fetch_one(&lab.pool).await.unwrap();
    assert_eq!(jobs, 0);
}

#[tokio::test]
async fn a_submission_has_one_transfer_however_often_it_is_asked_for() {
    let lab = Lab::start().await;
    let submission = lab.approved(Dataset::Staff, (0..3).map(staff).collect());
    let id = Uuid::now_v7();
    let ask = |transfer: Uuid| {
        let (mut client, request) = (lab.transfers(), lab.by_school(request(transfer, submission)));
        async move { client.start_transfer(request).await }
    };
    let (a, b, c) = tokio::join!(ask(id), ask(id), ask(id));
    for answer in [a, b, c] {
        assert_eq!(answer.unwrap().into_inner().transfer_id, id.to_string());
    }
    let other = ask(Uuid::now_v7()).await.unwrap_err();
    assert_eq!(other.code(), Code::AlreadyExists);
    let info = other.get_details_error_info().unwrap();
    assert_eq!(info.metadata["transfer_id"], id.to_string());
    let done = lab.in_state(&id.to_string(), TransferState::Done).await;
    assert_eq!(count(&done, LedgerState::Accepted), 3);
    assert_eq!(lab.ministry().await["calls"]["tiep_nhan"], 1);
}

#[tokio::test]
async fn the_setting_says_who_starts() {
    let lab = Lab::with(WorkSettings { initiator: Initiator::Department, ..quick() }).await;
    let submission = lab.approved(Dataset::Staff, vec![staff(1)]);
    let by_school = lab.transfers().start_transfer(lab.by_school(request(Uuid::now_v7(), submission))).await;
    assert_eq!(refused(by_school), (Code::PermissionDenied, Reason::Forbidden));
    let by_admin = lab.by(&Persona::admin(), request(Uuid::now_v7(), submission));
    lab.transfers().start_transfer(by_admin).await.unwrap();
}

#[tokio::test]
async fn approval_being_away_delays_and_loses_nothing() {
    let lab = Lab::start().await;
    let submission = lab.approved(Dataset::Staff, (0..3).map(staff).collect());
    let down = |is: bool| lab.approval.door.set_down(is);
    down(true);
    let early = lab.transfers().start_transfer(lab.by_school(request(Uuid::now_v7(), submission))).await;
    assert_eq!(refused(early), (Code::Unavailable, Reason::Unavailable));
    down(false);
    let started = lab.start_transfer(submission).await;
    down(true);
    let done = lab.in_state(&started.transfer_id, TransferState::Done).await;
    assert!(!done.reported || !lab.approval.state().told.is_empty());
    down(false);
    crate::lab::until("the report", || async { lab.get(&started.transfer_id).await.reported.then_some(()) })
        .await;
    assert_eq!(lab.approval.state().told.len(), 1);
}

#[tokio::test]
async fn a_seal_that_cannot_be_read_fails_the_transfer_which_can_be_started_again() {
    let lab = Lab::start().await;
    let submission = lab.submission(Dataset::Pupils, SubmissionState::Approved);
    let id = Uuid::now_v7();
    let start = || lab.by_school(request(id, submission));
    lab.transfers().start_transfer(start()).await.unwrap();
    let failed = lab.in_state(&id.to_string(), TransferState::Failed).await;
    assert!(failed.problem.contains("NOT_FOUND"), "{}", failed.problem);
    lab.seals.state().records.insert(submission.to_string(), school_with(1, 2));
    lab.transfers().start_transfer(start()).await.unwrap();
    let done = lab.in_state(&id.to_string(), TransferState::Done).await;
    assert_eq!(count(&done, LedgerState::Accepted), 4);
}

#[tokio::test]
async fn requests_are_checked_and_page_tokens_fit_their_list_only() {
    let lab = Lab::start().await;
    let transfer = lab.transferred(Dataset::Staff, (0..5).map(staff).collect()).await;
    let page = |ask: ListLedgerRequest| {
        let (mut client, request): (_, Request<_>) = (lab.transfers(), lab.by_school(ask));
        async move { client.list_ledger(request).await }
    };
    let of_transfer =
        ListLedgerRequest { transfer_id: transfer.transfer_id.clone(), page_size: 2, ..Default::default() };
    let first = page(of_transfer.clone()).await.unwrap().into_inner();
    assert_eq!(first.entries.len(), 2);
    let token = first.next_page_token;
    let of_school =
        ListLedgerRequest { school_code: SCHOOL.to_owned(), page_token: token.clone(), ..Default::default() };
    assert_eq!(refused(page(of_school).await), (Code::InvalidArgument, Reason::BadPageToken));
    for bad in ["x", "AAAA", &token[..token.len() - 2]] {
        let ask = ListLedgerRequest { page_token: bad.to_owned(), ..of_transfer.clone() };
        assert_eq!(refused(page(ask).await), (Code::InvalidArgument, Reason::BadPageToken), "{bad}");
    }
    assert_eq!(
        refused(page(ListLedgerRequest::default()).await),
        (Code::InvalidArgument, Reason::InvalidRequest)
    );
    let negative = ListLedgerRequest { page_size: -1, ..of_transfer.clone() };
    assert_eq!(refused(page(negative).await), (Code::InvalidArgument, Reason::InvalidRequest));
    let rejected = ListLedgerRequest { state: LedgerState::Rejected.into(), ..of_transfer };
    assert!(page(rejected).await.unwrap().into_inner().entries.is_empty());
    let school = ListLedgerRequest { school_code: SCHOOL.to_owned(), ..Default::default() };
    assert_eq!(page(school).await.unwrap().into_inner().entries.len(), 5);
}
