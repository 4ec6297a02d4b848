use eduhub_proto::bridge::v1::{DifferenceType, Reconciled, ReconciliationState};
use eduhub_proto::common::v1::{Kind, Sensitivity};
use time::OffsetDateTime;
use uuid::Uuid;

/// Differences that are kept of one reconciliation. A school of 3,000 with every second record wrong in two fields fits; the
/// counts are complete in any case.
pub(super) const MOST_DIFFERENCES: usize = 20_000;

/// A reconciliation as stored.
#[derive(Debug, Clone)]
pub(super) struct Reconciliation {
    pub(super) reconciliation_id: Uuid,
    pub(super) transfer_id: Uuid,
    pub(super) state: ReconciliationState,
    pub(super) started_at: OffsetDateTime,
    pub(super) finished_at: Option<OffsetDateTime>,
    pub(super) problem: String,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) kind_of: DifferenceType,
    pub(super) kind: Kind,
    pub(super) record_id: Uuid,
    pub(super) record_key: String,
    pub(super) field: String,
    pub(super) label: String,
    pub(super) class: Sensitivity,
    pub(super) hub_value: String,
    pub(super) ministry_value: String,
}

/// Counts of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) hub: i64,
    pub(super) ministry: i64,
    pub(super) matching: i64,
    pub(super) missing: i64,
    pub(super) extra: i64,
    pub(super) differing: i64,
}

/// Everything a reconciliation found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) kinds: Vec<(Kind, Counts)>,
    pub(super) differences: Vec<Difference>,
    pub(super) left_out: usize,
    pub(super) records: Vec<(Uuid, Reconciled)>,
}

impl Findings {
    /// Keeps a difference while there is room.
    pub(super) fn add(&mut self, difference: Difference) {
        if self.differences.len() < MOST_DIFFERENCES {
            self.differences.push(difference);
        } else {
            self.left_out += 1;
        }
    }

    /// The counts of a kind.
    pub(super) fn counts(&mut self, kind: Kind) -> &mut Counts {
        let at = match self.kinds.iter().position(|(of, _)| *of == kind) {
            Some(at) => at,
            None => {
                self.kinds.push((kind, Counts::default()));
                self.kinds.len() - 1
            }
        };
        &mut self.kinds[at].1
    }

    /// Records with one finding.
    pub(super) fn records_that(&self, found: Reconciled) -> Vec<Uuid> {
        self.records.iter().filter(|(_, what)| *what == found).map(|(id, _)| *id).collect()
    }
}
