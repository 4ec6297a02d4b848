//! Submissions, seen from the API.

use eduhub_proto::approval::v1 as pb;
use eduhub_proto::common::v1::Seal;
use prost::Message;

use super::entity::{Approved, Decided, Recorded, Submission, Who};
use super::review::{RecordReason, Verdict};
use crate::fields::timestamp;

/// A submission; names of persons only with `names`.
pub(super) fn submission(s: Submission, names: bool) -> pb::Submission {
    let steps = steps(&s, names);
    let submitted_by = Who {
        principal_id: s.review.submitted_by,
        name: s.submitted_by_name,
        office: s.subject.school_code.clone(),
    };
    pb::Submission {
        submission_id: s.id.to_string(),
        school_code: s.subject.school_code,
        school_name: s.school.name,
        commune_code: s.school.commune_code,
        level: i32::from(s.school.level),
        independent_group: s.school.independent_group,
        school_year: s.subject.school_year,
        period: i32::from(s.subject.period),
        dataset: i32::from(s.subject.dataset),
        cycle: s.cycle,
        state: s.review.state as i32,
        current_step: i32::from(s.review.current_step),
        steps,
        // Stored as the owner of the seal sent it; it decoded then.
        seal: Seal::decode(s.seal.as_slice()).ok(),
        submitted_by: Some(actor(submitted_by, names)),
        submitted_at: Some(timestamp(s.submitted_at)),
        changed_at: Some(timestamp(s.changed_at)),
        version: s.review.version,
        traceparent: s.traceparent,
    }
}

fn steps(s: &Submission, names: bool) -> Vec<pb::ReviewStep> {
    let step = |(step_no, office): (i16, &String)| {
        let decided: Option<Decided> = s.decisions.iter().find(|d| d.step_no == step_no).cloned();
        let open =
            pb::ReviewStep { step_no: i32::from(step_no), office: office.clone(), ..Default::default() };
        match decided {
            None => open,
            Some(d) => pb::ReviewStep {
                decision: decision(d.verdict) as i32,
                decided_by: Some(actor(d.by, names)),
                decided_at: Some(timestamp(d.at)),
                comment: d.comment,
                accountable_division: d.accountable_division,
                ..open
            },
        }
    };
    (1_i16..).zip(&s.review.steps).map(step).collect()
}

fn decision(verdict: Verdict) -> pb::DecisionKind {
    match verdict {
        Verdict::Approve => pb::DecisionKind::Approve,
        Verdict::Return => pb::DecisionKind::Return,
    }
}

fn actor(who: Who, names: bool) -> pb::Actor {
    let name = if names { who.name } else { String::new() };
    pb::Actor { principal_id: who.principal_id, name, office: who.office }
}

pub(super) fn transition(t: Recorded, names: bool) -> pb::Transition {
    pb::Transition {
        seq: t.seq,
        event: t.event as i32,
        from_state: t.from.map_or(0, |s| s as i32),
        to_state: t.to as i32,
        step_no: t.step_no.map_or(0, i32::from),
        actor: Some(actor(t.by, names)),
        at: Some(timestamp(t.at)),
        why: t.why,
        digest: t.digest,
        accountable_division: t.accountable_division.unwrap_or_default(),
        record_reasons: t.record_reasons.into_iter().map(record_reason).collect(),
    }
}

fn record_reason(reason: RecordReason) -> pb::RecordReason {
    pb::RecordReason { kind: i32::from(reason.kind), record_key: reason.record_key, text: reason.text }
}

pub(super) fn approved(found: Approved) -> pb::ApprovedSeal {
    pb::ApprovedSeal {
        submission_id: found.id.to_string(),
        seal_id: found.id.to_string(),
        digest: found.digest,
        period: i32::from(found.period),
        cycle: found.cycle,
        approved_at: Some(timestamp(found.approved_at)),
    }
}
