use serde::{Deserialize, Serialize};

/// What a receipt says. Times are seconds of the Unix clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Service that took the records, e.g. `eduhub-registry`.
    pub iss: String,
    /// When the session was completed.
    pub iat: i64,
    /// Session.
    pub sub: String,
    /// School.
    pub school_code: String,
    /// School year by its first year.
    pub school_year: i32,
    /// `PATCH` or `FULL`.
    pub mode: String,
    /// With FULL: the kinds that it covered, e.g. `PUPIL`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub full_kinds: Vec<String>,
    /// Grant under which the records came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
    /// Batches.
    pub batches: u32,
    /// Records in them.
    pub record_count: u64,
    /// Digest of the session (`PushEnd.digest`), lower-case hex.
    pub digest: String,
    /// What became of the records.
    pub counts: Counts,
}

/// What became of the records of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// New.
    pub created: u64,
    /// Changed.
    pub updated: u64,
    /// As the hub had them.
    pub unchanged: u64,
    /// Refused.
    pub rejected: u64,
    /// Put in waiting for a parent.
    pub held: u64,
    /// Of earlier ones in waiting: admitted.
    pub admitted: u64,
    /// Withdrawn.
    pub withdrawn: u64,
}
