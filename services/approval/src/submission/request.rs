//! Requests on submissions, read into the model's values; every violation at once.

use std::collections::HashSet;

use eduhub_faults::Fault;
use eduhub_proto::approval::v1 as pb;
use eduhub_proto::common::v1::{Dataset, Kind, Period};
use eduhub_proto::dictionary::kinds_of;
use uuid::Uuid;

use super::entity::Subject;
use super::find::Filter;
use super::review::{Decision, RecordReason, Verdict};
use crate::fields::Violations;

/// What the school states when it submits (R-FLOW-4).
pub(super) const STATEMENT: &str = "tôi đã kiểm tra";
const MAX_COMMENT: usize = 4_000;
const MAX_REASON: usize = 2_000;
const MAX_RECORD_REASON: usize = 1_000;
const MAX_RECORD_KEY: usize = 200;
const MAX_RECORD_REASONS: usize = 1_000;
const PAGE: i64 = 100;
const MAX_PAGE: i64 = 500;

/// A `SubmitRequest` as read.
#[derive(Debug, Clone)]
pub(super) struct Submit {
    pub(super) id: Uuid,
    pub(super) subject: Subject,
    pub(super) accept_held: bool,
}

pub(super) fn submit(request: &pb::SubmitRequest) -> Result<Submit, Fault> {
    let mut v = Violations::default();
    let id = v.uuid("submission_id", &request.submission_id);
    let school_code = v.school_code("school_code", &request.school_code);
    let school_year = v.school_year("school_year", request.school_year);
    let period = v.number::<Period>("period", request.period);
    let dataset = v.number::<Dataset>("dataset", request.dataset);
    if request.checked_statement.trim().to_lowercase() != STATEMENT {
        v.add("checked_statement", format!("must read: {STATEMENT}"));
    }
    let accept_held = request.accept_held;
    v.finish(|| {
        let subject = Subject {
            school_code: school_code?,
            school_year: school_year?,
            period: period?,
            dataset: dataset?,
        };
        Some(Submit { id: id?, subject, accept_held })
    })
}

/// The one id of a request.
pub(super) fn id(text: &str) -> Result<Uuid, Fault> {
    let mut v = Violations::default();
    let id = v.uuid("submission_id", text);
    v.finish(|| id)
}

pub(super) fn decide(request: pb::DecideRequest) -> Result<(Uuid, Decision), Fault> {
    let mut v = Violations::default();
    let id = v.uuid("submission_id", &request.submission_id);
    let step_no = i16::try_from(request.step_no).ok().filter(|n| *n > 0);
    let step_no = v.need("step_no", "the step under decision, from 1", step_no);
    let verdict = match request.decision() {
        pb::DecisionKind::Approve => Some(Verdict::Approve),
        pb::DecisionKind::Return => Some(Verdict::Return),
        pb::DecisionKind::Unspecified => None,
    };
    let verdict = v.need("decision", "approve or return", verdict);
    let comment = v.text("comment", &request.comment, MAX_COMMENT);
    if verdict == Some(Verdict::Approve) && !request.record_reasons.is_empty() {
        v.add("record_reasons", "only with a return");
    }
    let record_reasons = record_reasons(&mut v, request.record_reasons);
    let digest = request.digest;
    v.finish(|| {
        let decision =
            Decision { step_no: step_no?, verdict: verdict?, digest, comment: comment?, record_reasons };
        Some((id?, decision))
    })
}

fn record_reasons(v: &mut Violations, given: Vec<pb::RecordReason>) -> Vec<RecordReason> {
    if given.len() > MAX_RECORD_REASONS {
        v.add("record_reasons", format!("at most {MAX_RECORD_REASONS}"));
        return vec![];
    }
    let mut seen = HashSet::new();
    let mut read = Vec::with_capacity(given.len());
    for (i, reason) in given.into_iter().enumerate() {
        let at = |field: &str| format!("record_reasons[{i}].{field}");
        let kind = v.number::<Kind>(&at("kind"), reason.kind);
        let record_key = v.text(&at("record_key"), &reason.record_key, MAX_RECORD_KEY);
        let text = v.text(&at("text"), &reason.text, MAX_RECORD_REASON);
        let (Some(kind), Some(record_key), Some(text)) = (kind, record_key, text) else { continue };
        if record_key.is_empty() {
            v.add(at("record_key"), "required");
        }
        if text.is_empty() {
            v.add(at("text"), "required");
        }
        if !seen.insert((kind, record_key.clone())) {
            v.add(at("record_key"), "this record has a reason already");
        }
        read.push(RecordReason { kind, record_key, text });
    }
    read
}

/// Refuses reasons about kinds that the dataset does not hold.
pub(super) fn reasons_fit(dataset: i16, reasons: &[RecordReason]) -> Result<(), Fault> {
    let kinds = kinds_of(Dataset::try_from(i32::from(dataset)).unwrap_or_default());
    let mut v = Violations::default();
    for (i, reason) in reasons.iter().enumerate() {
        if !kinds.iter().any(|kind| *kind as i32 == i32::from(reason.kind)) {
            v.add(format!("record_reasons[{i}].kind"), "not a kind of this dataset");
        }
    }
    v.finish(|| Some(()))
}

pub(super) fn withdraw(request: &pb::WithdrawSubmissionRequest) -> Result<(Uuid, String), Fault> {
    id_and_text(&request.submission_id, "reason", &request.reason)
}

pub(super) fn transferred(request: &pb::MarkTransferredRequest) -> Result<(Uuid, String), Fault> {
    id_and_text(&request.submission_id, "note", &request.note)
}

fn id_and_text(id: &str, field: &str, text: &str) -> Result<(Uuid, String), Fault> {
    let mut v = Violations::default();
    let (id, text) = (v.uuid("submission_id", id), v.text(field, text, MAX_REASON));
    v.finish(|| Some((id?, text?)))
}

/// Filter and page size of a list; `office` is the caller's, for its queue.
pub(super) fn list(
    request: &pb::ListSubmissionsRequest,
    office: Option<&str>,
) -> Result<(Filter, i64), Fault> {
    let mut v = Violations::default();
    let school_code = match request.school_code.as_str() {
        "" => None,
        code => v.school_code("school_code", code),
    };
    let school_year = match request.school_year {
        0 => None,
        year => v.school_year("school_year", year),
    };
    let mut states = Vec::new();
    for (i, state) in request.states.iter().enumerate() {
        states.extend(v.number::<pb::SubmissionState>(&format!("states[{i}]"), *state));
    }
    // One filter has one spelling, so that a token fits however the client orders it.
    states.sort_unstable();
    states.dedup();
    let mut number = |field: &str, value: i32, known: Option<i16>| match value {
        0 => None,
        _ => v.need(field, "a known value", known),
    };
    let dataset = number("dataset", request.dataset, crate::fields::number::<Dataset>(request.dataset));
    let period = number("period", request.period, crate::fields::number::<Period>(request.period));
    let size = eduhub_paging::size(request.page_size, PAGE, MAX_PAGE).ok();
    let size = v.need("page_size", "must not be negative", size);
    let queue_of = request.my_queue.then(|| office.map(str::to_owned));
    if queue_of == Some(None) {
        v.add("my_queue", "this caller decides for no office");
    }
    v.finish(|| {
        let queue_of = queue_of.flatten();
        Some((Filter { school_code, states, queue_of, school_year, dataset, period }, size?))
    })
}
