//! What happened, and what was done wrong on purpose: the truth that tests compare with.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::faults::{Endpoint, FaultKind};

/// Counts since the start or the last reset.
#[derive(Default, Serialize)]
pub(crate) struct Tally {
    /// Calls that arrived, those that a fault swallowed included.
    pub(crate) calls: BTreeMap<Endpoint, u64>,
    /// Faults committed, by endpoint and kind.
    pub(crate) faults: BTreeMap<Endpoint, BTreeMap<FaultKind, u64>>,
    /// Verdicts on records. A replayed answer is not counted again.
    pub(crate) records: Verdicts,
    /// Calls answered from the store of idempotency keys.
    pub(crate) duplicates_suppressed: u64,
    /// Verdicts of the population database.
    pub(crate) npd: NpdVerdicts,
    /// Wrong on purpose.
    pub(crate) on_purpose: OnPurpose,
}

/// How the Ministry judged records.
#[derive(Default, Serialize)]
pub(crate) struct Verdicts {
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    pub(crate) stale: u64,
    /// Rejections by error code, real and simulated ones together.
    pub(crate) rejected_by_code: BTreeMap<String, u64>,
}

/// How the population database judged persons.
#[derive(Default, Serialize)]
pub(crate) struct NpdVerdicts {
    pub(crate) matched: u64,
    pub(crate) mismatched: u64,
    pub(crate) not_found: u64,
}

/// Records that were treated wrongly because the fault plan said so, in the order it happened.
#[derive(Default, Serialize)]
pub(crate) struct OnPurpose {
    pub(crate) rejected: Vec<Deed>,
    pub(crate) altered: Vec<Deed>,
    pub(crate) forgotten: Vec<Deed>,
    pub(crate) ghosts: Vec<Deed>,
}

/// One record treated wrongly.
#[derive(Clone, Serialize)]
pub(crate) struct Deed {
    pub(crate) ma_truong: String,
    pub(crate) loai: u8,
    pub(crate) idbanghi: Uuid,
    pub(crate) khoa: String,
    pub(crate) phienban: i64,
    /// Error code of a rejection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ma_loi: Option<String>,
    /// Field of an alteration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) symbol: Option<String>,
    /// What was sent in that field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sent: Option<Value>,
    /// What is held instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stored: Option<Value>,
    /// Whether a reconciliation made now would find it. Filled when the state is read.
    pub(crate) still_wrong: bool,
}

impl Tally {
    pub(crate) fn call(&mut self, endpoint: Endpoint) {
        *self.calls.entry(endpoint).or_default() += 1;
    }

    pub(crate) fn fault(&mut self, endpoint: Endpoint, kind: FaultKind) {
        *self.faults.entry(endpoint).or_default().entry(kind).or_default() += 1;
    }

    pub(crate) fn reject(&mut self, ma_loi: &str) {
        self.records.rejected += 1;
        *self.records.rejected_by_code.entry(ma_loi.to_owned()).or_default() += 1;
    }
}
