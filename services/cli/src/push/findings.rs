//! What the hub found, kept within bounds and grouped for people.
use eduhub_proto::common::v1::{BatchReply, Kind, Problem, PushCounts, Reason, Severity};
use std::collections::BTreeMap;

/// Examples shown for a group.
const EXAMPLES: usize = 3;

/// Findings of a push.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The first findings, as many as were asked for.
    pub problems: Vec<Problem>,
    /// Findings that are not among `problems`, those that the hub left out included.
    pub omitted: u64,
    /// Sums over the replies that this run received.
    pub counts: PushCounts,
    keep: usize,
    groups: BTreeMap<(i32, i32, i32, String), Group>,
}

#[derive(Clone, Debug, Default)]
struct Group {
    count: u64,
    examples: Vec<String>,
    message_vi: String,
    message_en: String,
}

/// Findings of one reason about one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingGroup {
    /// Refused or accepted.
    pub severity: Severity,
    /// Why.
    pub reason: Reason,
    /// Kind of the records.
    pub kind: Kind,
    /// Field.
    pub field: String,
    /// How many.
    pub count: u64,
    /// A few keys.
    pub examples: Vec<String>,
    /// For people, in Vietnamese.
    pub message_vi: String,
    /// For people, in English.
    pub message_en: String,
}

impl Findings {
    pub(super) fn new(keep: usize) -> Self {
        Self { keep, ..Self::default() }
    }

    pub(super) fn add(&mut self, reply: &BatchReply) {
        if let Some(counts) = &reply.counts {
            add_counts(&mut self.counts, counts);
        }
        self.omitted += reply.problems_omitted;
        for problem in &reply.problems {
            let key = (-problem.severity, problem.reason, problem.kind, problem.field.clone());
            let group = self.groups.entry(key).or_default();
            group.count += 1;
            if group.examples.len() < EXAMPLES {
                group.examples.push(problem.record_key.clone());
                group.message_vi.clone_from(&problem.message_vi);
                group.message_en.clone_from(&problem.message_en);
            }
            if self.problems.len() < self.keep {
                self.problems.push(problem.clone());
            } else {
                self.omitted += 1;
            }
        }
    }

    /// Groups, errors first, then by reason, kind and field.
    pub fn groups(&self) -> Vec<FindingGroup> {
        let group = |((severity, reason, kind, field), g): (&(i32, i32, i32, String), &Group)| FindingGroup {
            severity: Severity::try_from(-severity).unwrap_or_default(),
            reason: Reason::try_from(*reason).unwrap_or_default(),
            kind: Kind::try_from(*kind).unwrap_or_default(),
            field: field.clone(),
            count: g.count,
            examples: g.examples.clone(),
            message_vi: g.message_vi.clone(),
            message_en: g.message_en.clone(),
        };
        self.groups.iter().map(group).collect()
    }
}

fn add_counts(sum: &mut PushCounts, more: &PushCounts) {
    sum.created += more.created;
    sum.updated += more.updated;
    sum.unchanged += more.unchanged;
    sum.rejected += more.rejected;
    sum.held += more.held;
    sum.admitted += more.admitted;
    sum.withdrawn += more.withdrawn;
    sum.warnings += more.warnings;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(severity: Severity, reason: Reason, key: &str) -> Problem {
        Problem {
            severity: severity as i32,
            reason: reason as i32,
            record_key: key.into(),
            field: "full_name".into(),
            ..Problem::default()
        }
    }

    #[test]
    fn groups_errors_first_and_counts_what_it_does_not_keep() {
        let mut findings = Findings::new(2);
        let reply = BatchReply {
            counts: Some(PushCounts { created: 5, ..PushCounts::default() }),
            problems: vec![
                problem(Severity::Warning, Reason::NameAllCaps, "a"),
                problem(Severity::Error, Reason::NotNfc, "b"),
                problem(Severity::Error, Reason::NotNfc, "c"),
            ],
            problems_omitted: 4,
            ..BatchReply::default()
        };
        findings.add(&reply);
        findings.add(&BatchReply::default());
        let groups = findings.groups();
        assert_eq!(
            (groups[0].reason, groups[0].count, groups[0].severity),
            (Reason::NotNfc, 2, Severity::Error)
        );
        assert_eq!(groups[1].reason, Reason::NameAllCaps);
        assert_eq!((findings.problems.len(), findings.omitted, findings.counts.created), (2, 5, 5));
    }
}
