//! A submission as it is stored: what the rules see, and what people want to know beside it.

use time::OffsetDateTime;
use uuid::Uuid;

use super::model::{Event, State};
use super::review::{Actor, RecordReason, Review, Verdict};

/// What a submission is about. One of these is under review at most once at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) school_code: String,
    /// First year of the school year.
    pub(super) school_year: i32,
    /// Number of the period.
    pub(super) period: i16,
    /// Number of the dataset.
    pub(super) dataset: i16,
}

/// The school as it was when it submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct School {
    pub(super) name: String,
    pub(super) commune_code: String,
    pub(super) level: i16,
    pub(super) independent_group: bool,
}

/// A submission.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Submission {
    pub(super) id: Uuid,
    pub(super) subject: Subject,
    pub(super) school: School,
    pub(super) cycle: i32,
    pub(super) review: Review,
    pub(super) decisions: Vec<Decided>,
    /// `eduhub.common.v1.Seal`, encoded.
    pub(super) seal: Vec<u8>,
    pub(super) traceparent: String,
    pub(super) submitted_by_name: String,
    pub(super) submitted_at: OffsetDateTime,
    pub(super) changed_at: OffsetDateTime,
    pub(super) approved_at: Option<OffsetDateTime>,
}

/// A decision, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) step_no: i16,
    pub(super) verdict: Verdict,
    pub(super) by: Who,
    pub(super) at: OffsetDateTime,
    pub(super) comment: String,
    pub(super) accountable_division: String,
}

/// Who did something, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) principal_id: String,
    pub(super) name: String,
    pub(super) office: String,
}

/// A submission that is not stored yet.
pub(super) struct NewSubmission<'a> {
    pub(super) id: Uuid,
    pub(super) subject: &'a Subject,
    pub(super) school: &'a School,
    pub(super) route: (Uuid, i64),
    pub(super) review: &'a Review,
    pub(super) by: &'a Actor,
    pub(super) seal: Vec<u8>,
    pub(super) traceparent: &'a str,
}

/// A transition as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) seq: i64,
    pub(super) event: Event,
    pub(super) from: Option<State>,
    pub(super) to: State,
    pub(super) step_no: Option<i16>,
    pub(super) by: Who,
    pub(super) at: OffsetDateTime,
    pub(super) why: String,
    pub(super) digest: Vec<u8>,
    pub(super) accountable_division: Option<String>,
    pub(super) record_reasons: Vec<RecordReason>,
}

/// Head of an approved submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Approved {
    pub(super) id: Uuid,
    pub(super) digest: Vec<u8>,
    pub(super) period: i16,
    pub(super) cycle: i32,
    pub(super) approved_at: OffsetDateTime,
}
