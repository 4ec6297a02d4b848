//! Compares what the hub found with what the generator planted.
use eduhub_cli::generate::{Effect, Truth};
use eduhub_proto::common::v1::{Kind, Problem, Reason};
use std::collections::{BTreeMap, BTreeSet};

/// One finding: school, kind, key without the school year, reason.
pub type Finding = (String, i32, String, i32);

/// Outcome of the comparison.
#[derive(Default)]
pub struct Verdict {
    /// Planted and found, by reason.
    pub found: BTreeMap<String, u64>,
    /// Planted and not found.
    pub missed: Vec<Finding>,
    /// Found and not planted.
    pub false_alarms: Vec<Finding>,
}

/// A finding of a reply or of the work list.
pub fn finding(school: &str, problem: &Problem) -> Finding {
    (school.to_owned(), problem.kind, problem.record_key.clone(), problem.reason)
}

/// Findings that a planted defect should give, each under the name of the kind of defect that it is one of.
pub fn findings_of(truth: &Truth) -> Vec<(String, Finding)> {
    let name = serde_json::to_value(truth.defect).unwrap_or_default();
    let name = name.as_str().unwrap_or_default().to_owned();
    let besides = "population_mismatch (besides)".to_owned();
    let main = truth.expected_reason.as_str();
    let named = planted(truth).into_iter().map(|finding| {
        let reason = Reason::try_from(finding.3).unwrap_or_default().as_str_name();
        (if short(reason) == main { name.clone() } else { besides.clone() }, finding)
    });
    named.collect()
}

fn short(reason: &str) -> &str {
    reason.trim_start_matches("REASON_")
}

fn planted(truth: &Truth) -> BTreeSet<Finding> {
    let kind = Kind::from_str_name(&format!("KIND_{}", truth.kind)).unwrap_or_default() as i32;
    let reason = |name: &str| Reason::from_str_name(&format!("REASON_{name}")).unwrap_or_default() as i32;
    let of = |reason: i32| (truth.school_code.clone(), kind, truth.record_key.clone(), reason);
    let mut out = BTreeSet::from([of(reason(&truth.expected_reason))]);
    if truth.also_population_mismatch {
        out.insert(of(Reason::PopulationMismatch as i32));
    }
    out
}

/// True when a planted defect refuses its record.
pub fn refuses(truth: &Truth) -> bool {
    truth.severity == Effect::Error
}

/// Compares. Every finding that the hub reported must be planted, and the other way round.
pub fn compare(truth: &[Truth], found: &BTreeSet<Finding>) -> Verdict {
    let planted: BTreeSet<Finding> = truth.iter().flat_map(planted).collect();
    let mut verdict = Verdict::default();
    for f in planted.intersection(found) {
        let name = Reason::try_from(f.3).unwrap_or_default().as_str_name();
        *verdict.found.entry(short(name).to_owned()).or_default() += 1;
    }
    verdict.missed = planted.difference(found).cloned().collect();
    verdict.false_alarms = found.difference(&planted).cloned().collect();
    verdict
}
