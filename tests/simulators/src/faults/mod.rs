//! Failing on purpose, repeatably: a plan (JSON), a draw per call, a decision per record.

mod draw;
mod inject;
mod plan;
mod records;

pub(crate) use draw::Action;
pub(crate) use inject::inject;
pub(crate) use plan::{Endpoint, FaultKind, Ghost, Plan};
pub(crate) use records::{Candidate, RecordFault};

use draw::Lanes;
use records::RecordFaults;

/// The plan in force and where it stands.
#[derive(Default)]
pub(crate) struct Faults {
    pub(crate) lanes: Lanes,
    pub(crate) records: RecordFaults,
}

impl Faults {
    /// Starts a checked plan from its beginning.
    pub(crate) fn start(plan: Plan) -> Self {
        Self {
            lanes: Lanes::new(plan.seed, plan.endpoints),
            records: RecordFaults::new(plan.seed, plan.records),
        }
    }
}
