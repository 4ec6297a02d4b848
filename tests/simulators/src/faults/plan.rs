//! The body of `POST /control/faults`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A call that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Endpoint {
    OauthToken,
    TiepNhan,
    DoiSoat,
    GetDm,
    XacThuc,
}

/// What can go wrong with a call. `Ok` is for scripts only: "this one answers properly".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FaultKind {
    Ok,
    #[serde(rename = "http_500")]
    Http500,
    #[serde(rename = "http_502")]
    Http502,
    #[serde(rename = "http_503")]
    Http503,
    #[serde(rename = "http_429")]
    Http429,
    Hang,
    HangAfterStore,
    Reset,
    ResetAfterStore,
    Slow,
}

/// A whole plan. Posting one replaces the one before and starts its draws afresh; `{}` ends all faults.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) endpoints: BTreeMap<Endpoint, EndpointPlan>,
    pub(crate) records: RecordPlan,
}

/// Faults of one endpoint: the script first, one step per call; when it is used up, the probabilities.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EndpointPlan {
    pub(crate) script: Vec<Step>,
    pub(crate) probability: BTreeMap<FaultKind, f64>,
    pub(crate) retry_after_seconds: u64,
    pub(crate) hang_seconds: f64,
    pub(crate) slow_seconds: f64,
}

/// One scripted call: `"http_503"`, or `{"fault": "http_429", "seconds": 1}` where the fault has a duration.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(crate) enum Step {
    Named(FaultKind),
    Timed { fault: FaultKind, seconds: f64 },
}

/// Wrong treatment of records: named ones, and a share of all.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RecordPlan {
    /// Payload types that the shares apply to; empty means all. Named records are not filtered.
    pub(crate) loai: Vec<u8>,
    pub(crate) probability: RecordShares,
    pub(crate) reject: Vec<Reject>,
    pub(crate) alter: Vec<Alter>,
    pub(crate) forget: Vec<Forget>,
    pub(crate) ghosts: Vec<Ghost>,
}

/// Shares of records, each 0..=1, drawn from the seed and the record's id (not from the order of calls).
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RecordShares {
    /// Refused with `E505`, each time this version is sent.
    pub(crate) reject: f64,
    /// Accepted, one field stored wrongly, once.
    pub(crate) alter: f64,
    /// Accepted, not stored, once.
    pub(crate) forget: f64,
    /// Accepted and stored, with an extra record beside it, once.
    pub(crate) ghost: f64,
}

/// Refuse a record named by `khoa` or `idbanghi`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reject {
    pub(crate) khoa: String,
    #[serde(default = "opaque_refusal")]
    pub(crate) ma_loi: String,
    /// How often; absent means always.
    pub(crate) times: Option<u32>,
}

/// Accept a record but hold another value in one field; the simulator picks what is not named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alter {
    pub(crate) khoa: String,
    pub(crate) symbol: Option<String>,
    pub(crate) value: Option<Value>,
    #[serde(default = "once")]
    pub(crate) times: u32,
}

/// Accept a record but do not store it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forget {
    pub(crate) khoa: String,
    #[serde(default = "once")]
    pub(crate) times: u32,
}

/// A record that nobody sent, held from the moment the plan is posted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ghost {
    pub(crate) ma_truong: String,
    pub(crate) loai: u8,
    pub(crate) nam_hoc: i32,
    pub(crate) khoa: String,
    #[serde(default)]
    pub(crate) du_lieu: Map<String, Value>,
}

impl Default for EndpointPlan {
    fn default() -> Self {
        Self {
            script: Vec::new(),
            probability: BTreeMap::new(),
            retry_after_seconds: 1,
            // Longer than a client's patience should be, so that it is the client who gives up.
            hang_seconds: 60.0,
            slow_seconds: 0.5,
        }
    }
}

impl Plan {
    /// What is wrong with the plan, if anything; a plan that cannot mean what was intended is refused whole.
    pub(crate) fn mistake(&self) -> Option<String> {
        let lanes = self
            .endpoints
            .iter()
            .find_map(|(endpoint, plan)| plan.mistake().map(|m| format!("endpoint {endpoint:?}: {m}")));
        lanes.or_else(|| self.records.probability.mistake())
    }
}

impl EndpointPlan {
    fn mistake(&self) -> Option<String> {
        if self.probability.contains_key(&FaultKind::Ok) {
            return Some("\"ok\" belongs into a script, not into probability".to_owned());
        }
        if self.probability.values().any(|p| !(0.0..=1.0).contains(p))
            || self.probability.values().sum::<f64>() > 1.0
        {
            return Some("probabilities lie in 0..=1 and sum to at most 1".to_owned());
        }
        let timed = self.script.iter().filter_map(|step| match step {
            Step::Timed { seconds, .. } => Some(*seconds),
            Step::Named(_) => None,
        });
        // A day is more than any test waits, and keeps durations from overflowing.
        let sane = |seconds: f64| (0.0..=86_400.0).contains(&seconds);
        let all_sane = timed.chain([self.hang_seconds, self.slow_seconds]).all(sane);
        (!all_sane).then(|| "seconds lie in 0..=86400".to_owned())
    }
}

impl RecordShares {
    fn mistake(&self) -> Option<String> {
        let shares = [self.reject, self.alter, self.forget, self.ghost];
        let sane = shares.iter().all(|p| (0.0..=1.0).contains(p));
        (!sane).then(|| "record shares lie in 0..=1".to_owned())
    }
}

/// The one Ministry error code seen in public notices; its meaning is not published.
pub(crate) fn opaque_refusal() -> String {
    "E505".to_owned()
}

fn once() -> u32 {
    1
}
