//! Act e: schools seal and submit; communes and divisions review; one submission is returned, mended and resubmitted.
use crate::people::People;
use anyhow::{Context, Result, ensure};
use eduhub_cast::Actor;
use eduhub_cli::generate::{Province, School};
use eduhub_proto::{
    approval::v1::{
        DecideRequest, DecisionKind, GetSubmissionRequest, LastApprovedRequest, ListSubmissionsRequest,
        RecordReason, Submission, SubmissionState, SubmitRequest,
        submission_service_client::SubmissionServiceClient,
    },
    common::v1::{Dataset, DiffSealRequest, Kind, ListSealedRequest, Period},
    facility::v1::seal_service_client::SealServiceClient as FacilitySeals,
    registry::v1::seal_service_client::SealServiceClient,
};
use eduhub_stack::Program;
use std::collections::HashMap;
use uuid::Uuid;

/// What a school states when it submits (R-FLOW-4).
const STATEMENT: &str = "tôi đã kiểm tra";

/// What review came to.
#[derive(Default)]
pub struct Reviewed {
    /// Records in the seals that were approved, by dataset.
    pub sealed: HashMap<i32, u64>,
    /// Submissions that were approved.
    pub approved: u64,
    /// Submissions that were returned.
    pub returned: u64,
    /// Records that reviewers read, page by page.
    pub read: u64,
    /// Records that differed between the mended seal and the live state before it, as the reviewer saw.
    pub differing: u64,
    /// Approved submissions: (school, dataset, submission, sealed records by kind).
    pub submissions: Vec<(String, Dataset, Submission)>,
}

/// Submits one dataset of a school.
pub async fn submit(
    officer: &Actor,
    province: &Province,
    school: &str,
    dataset: Dataset,
    accept_held: bool,
) -> Result<Submission> {
    let mut client = SubmissionServiceClient::new(officer.at(Program::Approval));
    let request = SubmitRequest {
        submission_id: Uuid::now_v7().to_string(),
        school_code: school.to_owned(),
        school_year: province.school_year,
        period: Period::StartOfYear as i32,
        dataset: dataset as i32,
        checked_statement: STATEMENT.into(),
        accept_held,
    };
    let submitted = client.submit(request).await;
    Ok(submitted.with_context(|| format!("{school}: submitting {}", dataset.as_str_name()))?.into_inner())
}

/// Reads a seal as a reviewer does: every page of every kind. The counts must be those that the seal states.
async fn read_sealed(reviewer: &Actor, submission: &Submission) -> Result<u64> {
    let seal = submission.seal.clone().context("submission without seal")?;
    let mut total = 0;
    for count in &seal.counts {
        let (mut seen, mut page_token) = (0, String::new());
        loop {
            let request = ListSealedRequest {
                seal_id: seal.seal_id.clone(),
                kind: count.kind,
                page_size: 1_000,
                page_token,
            };
            let (records, next) = if count.kind == Kind::Room as i32 {
                let page = FacilitySeals::new(reviewer.at(Program::Facility))
                    .list_sealed(request)
                    .await?
                    .into_inner();
                (page.records.len() as u64, page.next_page_token)
            } else {
                let page = SealServiceClient::new(reviewer.at(Program::Registry))
                    .list_sealed(request)
                    .await?
                    .into_inner();
                (page.records.len() as u64, page.next_page_token)
            };
            seen += records;
            page_token = next;
            if page_token.is_empty() {
                break;
            }
        }
        ensure!(
            seen == count.count,
            "seal {} states {} records of kind {}, a reader sees {seen}",
            seal.seal_id,
            count.count,
            count.kind
        );
        total += seen;
    }
    Ok(total)
}

async fn decide(
    reviewer: &Actor,
    submission: &Submission,
    decision: DecisionKind,
    comment: &str,
    reasons: Vec<RecordReason>,
) -> Result<Submission> {
    let mut client = SubmissionServiceClient::new(reviewer.at(Program::Approval));
    let digest = submission.seal.as_ref().map(|s| s.digest.clone()).unwrap_or_default();
    let request = DecideRequest {
        submission_id: submission.submission_id.clone(),
        step_no: submission.current_step,
        decision: decision as i32,
        digest,
        comment: comment.to_owned(),
        record_reasons: reasons,
    };
    let decided = client.decide(request).await;
    Ok(decided.with_context(|| format!("deciding {}", submission.submission_id))?.into_inner())
}

/// Lets every office of the route read and approve.
pub async fn approve(people: &People, mut submission: Submission, out: &mut Reviewed) -> Result<Submission> {
    while submission.state == SubmissionState::InReview as i32 {
        let step = submission.steps.iter().find(|s| s.step_no == submission.current_step);
        let office = step.map(|s| s.office.clone()).context("submission without a current step")?;
        let reviewer =
            people.offices.get(&office).with_context(|| format!("nobody holds office {office}"))?;
        out.read += read_sealed(reviewer, &submission).await?;
        submission =
            decide(reviewer, &submission, DecisionKind::Approve, "Đã kiểm tra, đủ điều kiện", vec![]).await?;
    }
    ensure!(
        submission.state == SubmissionState::Approved as i32,
        "{} is not approved",
        submission.submission_id
    );
    out.approved += 1;
    let seal = submission.seal.clone().unwrap_or_default();
    *out.sealed.entry(submission.dataset).or_default() += seal.counts.iter().map(|c| c.count).sum::<u64>();
    Ok(submission)
}

/// The commune (or division) returns a submission with reasons per record.
pub async fn send_back(
    people: &People,
    submission: &Submission,
    records: &[(Kind, String)],
    out: &mut Reviewed,
) -> Result<()> {
    let step = submission.steps.first().context("submission without steps")?;
    let reviewer =
        people.offices.get(&step.office).with_context(|| format!("nobody holds office {}", step.office))?;
    let mut client = SubmissionServiceClient::new(reviewer.at(Program::Approval));
    let queue =
        ListSubmissionsRequest { my_queue: true, page_size: 100, ..ListSubmissionsRequest::default() };
    let queue = client.list_submissions(queue).await?.into_inner().submissions;
    ensure!(
        queue.iter().any(|s| s.submission_id == submission.submission_id),
        "the reviewer's queue does not show {}",
        submission.submission_id
    );
    out.read += read_sealed(reviewer, submission).await?;
    let reasons = records
        .iter()
        .take(20)
        .map(|(kind, key)| RecordReason {
            kind: *kind as i32,
            record_key: key.clone(),
            text: "Bản ghi bị từ chối, chưa sửa ở phần mềm".into(),
        })
        .collect();
    let comment = "Còn bản ghi bị từ chối; đề nghị nhà trường sửa trên phần mềm và nộp lại";
    let returned = decide(reviewer, submission, DecisionKind::Return, comment, reasons).await?;
    ensure!(
        returned.state == SubmissionState::Returned as i32,
        "{} was not returned",
        submission.submission_id
    );
    out.returned += 1;
    Ok(())
}

/// What differs between a submission's seal and an earlier one, read as its first reviewer.
pub async fn difference(people: &People, submission: &Submission, base: &Submission) -> Result<u64> {
    let office = submission.steps.first().map(|s| s.office.clone()).unwrap_or_default();
    let reviewer = people.offices.get(&office).context("nobody reviews")?;
    let mut client = SealServiceClient::new(reviewer.at(Program::Registry));
    let id = |s: &Submission| s.seal.as_ref().map(|x| x.seal_id.clone()).unwrap_or_default();
    let (mut count, mut page_token) = (0, String::new());
    loop {
        let request =
            DiffSealRequest { seal_id: id(submission), base_seal_id: id(base), page_size: 1_000, page_token };
        let page = client.diff_seal(request).await?.into_inner();
        count += page.records.len() as u64;
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(count);
        }
    }
}

/// The last approved submission of a school's dataset must be this one.
pub async fn is_last_approved(
    people: &People,
    province: &Province,
    school: &School,
    submission: &Submission,
) -> Result<bool> {
    let officer = people.schools.get(&school.school_code).context("school without officer")?;
    let mut client = SubmissionServiceClient::new(officer.at(Program::Approval));
    let request = LastApprovedRequest {
        school_code: school.school_code.clone(),
        school_year: province.school_year,
        dataset: submission.dataset,
    };
    let found = client.last_approved(request).await?.into_inner().found;
    Ok(found.is_some_and(|f| f.submission_id == submission.submission_id))
}

/// Waits until the bridge has told approval that a submission was transferred.
pub async fn state_of(officer: &Actor, submission_id: &str) -> Result<SubmissionState> {
    let mut client = SubmissionServiceClient::new(officer.at(Program::Approval));
    let found =
        client.get_submission(GetSubmissionRequest { submission_id: submission_id.to_owned() }).await?;
    Ok(SubmissionState::try_from(found.into_inner().state).unwrap_or_default())
}

/// Submits and approves the other datasets of a school: personnel and finance do theirs.
pub async fn others(people: &People, province: &Province, school: &School, out: &mut Reviewed) -> Result<()> {
    let officer = people.schools.get(&school.school_code).context("school without officer")?;
    for dataset in [Dataset::Staff, Dataset::Facilities] {
        let submission = submit(officer, province, &school.school_code, dataset, false).await?;
        let approved = approve(people, submission, out).await?;
        out.submissions.push((school.school_code.clone(), dataset, approved));
    }
    Ok(())
}
