//! The way of one school's data up to the approval: push, verify, submit, review.
use crate::cast::Department;
use crate::ground::{Actor, Ground, wait_for};
use anyhow::{Context, Result, ensure};
use eduhub_cli::generate::School;
use eduhub_cli::hub::{Facility, Followed, Hub, Registry};
use eduhub_cli::push::{Event, Job, JsonLines, push_school};
use eduhub_proto::approval::v1::{
    DecideRequest, DecisionKind, Submission, SubmissionState, SubmitRequest,
    submission_service_client::SubmissionServiceClient,
};
use eduhub_proto::common::v1::{
    Dataset, Kind, ListSealedRequest, Period, Problem, PushReceipt, SchoolDigest,
};
use eduhub_proto::facility::v1::seal_service_client::SealServiceClient as FacilitySeals;
use eduhub_proto::registry::v1::{
    GetVerificationRequest, VerificationCounts, issue_service_client::IssueServiceClient,
    seal_service_client::SealServiceClient,
};
use eduhub_stack::Program;
use std::time::Duration;
use uuid::Uuid;

/// Small, so that 50 learners make several batches.
const BATCH: usize = 60;

/// Pushes all that the generator made of a school for one service, mistakes included.
pub async fn push<H: Hub>(
    ground: &Ground,
    vendor: &Actor,
    school: &School,
) -> Result<(PushReceipt, Vec<Problem>)> {
    let program = if H::NAME == Facility::NAME { Program::Facility } else { Program::Registry };
    let job = Job { batch: BATCH, ..Job::new(&school.school_code, ground.year()) };
    let source = JsonLines::<H>::new(ground.data.file(school, &format!("{}.jsonl", H::NAME)));
    let mut problems = Vec::new();
    let outcome = push_school::<H>(vendor.server(program), &job, source, |event| {
        if let Event::Batch { reply, .. } = event {
            problems.extend(reply.problems.iter().cloned());
        }
    })
    .await?;
    ensure!(outcome.connections == 1, "a push took {} connections", outcome.connections);
    Ok((outcome.receipt, problems))
}

/// Waits until every person with a number was asked for: longer than the lease, one minute, of a worker that was killed.
pub async fn verified(officer: &Actor, school: &School) -> VerificationCounts {
    let client = IssueServiceClient::new(officer.at(Program::Registry));
    wait_for("verification", Duration::from_secs(90), || {
        let mut client = client.clone();
        let request = GetVerificationRequest { school_code: school.school_code.clone() };
        async move {
            let counts = client.get_verification(request).await?.into_inner();
            Ok((counts.pending == 0 && counts.verified > 0).then_some(counts))
        }
    })
    .await
}

/// The school submits a dataset, without what still waits for a refused record.
pub async fn submit(
    ground: &Ground,
    officer: &Actor,
    school: &School,
    dataset: Dataset,
) -> Result<Submission> {
    let mut client = SubmissionServiceClient::new(officer.at(Program::Approval));
    let request = SubmitRequest {
        submission_id: Uuid::now_v7().to_string(),
        school_code: school.school_code.clone(),
        school_year: ground.year(),
        period: Period::StartOfYear as i32,
        dataset: dataset as i32,
        checked_statement: "tôi đã kiểm tra".into(),
        accept_held: true,
    };
    Ok(client.submit(request).await?.into_inner())
}

/// Every office of the route reads the sealed records and approves. Gives the submission and the keys that were read.
pub async fn approve(
    department: &Department,
    mut submission: Submission,
) -> Result<(Submission, Vec<String>)> {
    let mut read = Vec::new();
    while submission.state == SubmissionState::InReview as i32 {
        let step = submission.steps.iter().find(|s| s.step_no == submission.current_step);
        let office = &step.context("a submission in review without a step")?.office;
        let reviewer = department.offices.get(office).with_context(|| format!("nobody holds {office}"))?;
        read.extend(sealed_keys(reviewer, &submission).await?);
        let mut client = SubmissionServiceClient::new(reviewer.at(Program::Approval));
        let request = DecideRequest {
            submission_id: submission.submission_id.clone(),
            step_no: submission.current_step,
            decision: DecisionKind::Approve as i32,
            digest: submission.seal.clone().unwrap_or_default().digest,
            comment: "Đã kiểm tra, đủ điều kiện".into(),
            record_reasons: vec![],
        };
        submission = client.decide(request).await?.into_inner();
    }
    ensure!(submission.state == SubmissionState::Approved as i32, "state {}", submission.state);
    Ok((submission, read))
}

/// One page is enough for a school of 50.
async fn sealed_keys(reviewer: &Actor, submission: &Submission) -> Result<Vec<String>> {
    let seal = submission.seal.clone().context("a submission without seal")?;
    let mut keys = Vec::new();
    for count in &seal.counts {
        let (seal_id, kind) = (seal.seal_id.clone(), count.kind);
        let request = ListSealedRequest { seal_id, kind, page_size: 1_000, page_token: String::new() };
        let headers: Vec<_> = if kind == Kind::Room as i32 {
            let mut seals = FacilitySeals::new(reviewer.at(Program::Facility));
            let page = seals.list_sealed(request).await?.into_inner();
            page.records.into_iter().filter_map(|r| r.header).collect()
        } else {
            let mut seals = SealServiceClient::new(reviewer.at(Program::Registry));
            let page = seals.list_sealed(request).await?.into_inner();
            page.records.into_iter().filter_map(|r| r.header).collect()
        };
        ensure!(headers.len() as u64 == count.count, "kind {kind}: {} of {}", headers.len(), count.count);
        keys.extend(headers.into_iter().map(|h| format!("{kind} {} v{}", h.record_key, h.version)));
    }
    Ok(keys)
}

/// What registry says of all live records of a school.
pub async fn digest(actor: &Actor, school: &School) -> Result<SchoolDigest> {
    Ok(Registry::school_digest(actor.at(Program::Registry), &school.school_code).await?)
}
