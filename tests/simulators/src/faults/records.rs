//! Which records are treated wrongly. Decided by the record's id, not by the order of calls: however a
//! client batches and retries, the same seed spoils the same records.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::plan::{RecordPlan, opaque_refusal};

/// What is done to one accepted record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RecordFault {
    Reject { ma_loi: String },
    Alter { symbol: Option<String>, value: Option<Value> },
    Forget,
    Ghost,
}

/// The record in question.
pub(crate) struct Candidate<'a> {
    pub(crate) loai: u8,
    pub(crate) idbanghi: Uuid,
    pub(crate) khoa: &'a str,
    pub(crate) phienban: i64,
}

/// The plan for records, and how often each part of it was used.
#[derive(Default)]
pub(crate) struct RecordFaults {
    seed: u64,
    plan: RecordPlan,
    used: BTreeMap<(&'static str, u8, Uuid), u32>,
}

impl RecordFaults {
    pub(crate) fn new(seed: u64, plan: RecordPlan) -> Self {
        Self { seed, plan, used: BTreeMap::new() }
    }

    /// The fault for this record, if any. Named records come before shares; rejecting before forgetting
    /// before altering.
    pub(crate) fn decide(&mut self, record: &Candidate<'_>) -> Option<RecordFault> {
        self.named(record).or_else(|| self.drawn(record))
    }

    fn named(&mut self, record: &Candidate<'_>) -> Option<RecordFault> {
        let id = record.idbanghi.to_string();
        let is = |name: &str| name == record.khoa || name == id;
        let reject = self.plan.reject.iter().find(|r| is(&r.khoa)).map(|r| (r.ma_loi.clone(), r.times));
        if let Some((ma_loi, times)) = reject
            && self.may("reject", record, times)
        {
            return Some(RecordFault::Reject { ma_loi });
        }
        let forget = self.plan.forget.iter().find(|f| is(&f.khoa)).map(|f| f.times);
        if forget.is_some_and(|times| self.may("forget", record, Some(times))) {
            return Some(RecordFault::Forget);
        }
        let alter = self.plan.alter.iter().find(|a| is(&a.khoa));
        let alter = alter.map(|a| (a.symbol.clone(), a.value.clone(), a.times));
        if let Some((symbol, value, times)) = alter
            && self.may("alter", record, Some(times))
        {
            return Some(RecordFault::Alter { symbol, value });
        }
        None
    }

    fn drawn(&mut self, record: &Candidate<'_>) -> Option<RecordFault> {
        if !self.plan.loai.is_empty() && !self.plan.loai.contains(&record.loai) {
            return None;
        }
        // A corrected version is drawn anew, or the record could never pass.
        let version = record.phienban.to_string();
        if self.hit("reject", record, &version, self.plan.probability.reject) {
            return Some(RecordFault::Reject { ma_loi: opaque_refusal() });
        }
        // Once per record: sending it again heals it, as reconciliation expects.
        if self.hit("forget", record, "", self.plan.probability.forget) && self.may("forget", record, Some(1))
        {
            return Some(RecordFault::Forget);
        }
        if self.hit("alter", record, "", self.plan.probability.alter) && self.may("alter", record, Some(1)) {
            return Some(RecordFault::Alter { symbol: None, value: None });
        }
        if self.hit("ghost", record, "", self.plan.probability.ghost) && self.may("ghost", record, Some(1)) {
            return Some(RecordFault::Ghost);
        }
        None
    }

    fn may(&mut self, kind: &'static str, record: &Candidate<'_>, times: Option<u32>) -> bool {
        let used = self.used.entry((kind, record.loai, record.idbanghi)).or_default();
        let allowed = times.is_none_or(|limit| *used < limit);
        *used += u32::from(allowed);
        allowed
    }

    fn hit(&self, kind: &str, record: &Candidate<'_>, salt: &str, share: f64) -> bool {
        if share <= 0.0 {
            return false;
        }
        let text = format!("record {} {kind} {} {} {salt}", self.seed, record.loai, record.idbanghi);
        let digest = Sha256::digest(text);
        let drawn = digest.iter().take(4).fold(0_u32, |n, byte| (n << 8) | u32::from(*byte));
        f64::from(drawn) < share * f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::plan::{Alter, RecordShares};

    fn pupil(n: u128) -> Candidate<'static> {
        Candidate { loai: 4, idbanghi: Uuid::from_u128(n), khoa: "TAM-1", phienban: 1 }
    }

    fn shares(reject: f64, forget: f64) -> RecordFaults {
        let probability = RecordShares { reject, forget, ..RecordShares::default() };
        RecordFaults::new(1, RecordPlan { probability, loai: vec![4], ..RecordPlan::default() })
    }

    #[test]
    fn a_share_of_records_is_spoilt_whatever_the_order() {
        let spoilt = |ids: &mut dyn Iterator<Item = u128>| {
            let mut faults = shares(0.1, 0.1);
            let mut hit: Vec<u128> = ids.filter(|n| faults.decide(&pupil(*n)).is_some()).collect();
            hit.sort_unstable();
            hit
        };
        let forward = spoilt(&mut (0..2000));
        assert_eq!(forward, spoilt(&mut (0..2000).rev()));
        assert!((300..460).contains(&forward.len()), "{} of 2000", forward.len());
    }

    #[test]
    fn forgetting_happens_once_and_rejecting_always() {
        let mut forgetful = shares(0.0, 1.0);
        assert_eq!(forgetful.decide(&pupil(1)), Some(RecordFault::Forget));
        assert_eq!(forgetful.decide(&pupil(1)), None);
        let mut strict = shares(1.0, 0.0);
        assert!(strict.decide(&pupil(1)).is_some());
        assert!(strict.decide(&pupil(1)).is_some());
    }

    #[test]
    fn other_payload_types_are_left_alone_unless_named() {
        let mut faults = shares(1.0, 0.0);
        faults.plan.alter.push(Alter { khoa: "6A".to_owned(), symbol: None, value: None, times: 1 });
        let class = |khoa| Candidate { loai: 3, khoa, ..pupil(9) };
        assert_eq!(faults.decide(&class("6B")), None);
        assert!(matches!(faults.decide(&class("6A")), Some(RecordFault::Alter { .. })));
    }
}
