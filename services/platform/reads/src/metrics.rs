//! What is measured of reads.
use eduhub_runtime::meter::{BoundCounter, Instrument, KeyValue, Metric};

/// Reads of single records.
pub const READS: Metric = Metric {
    name: "eduhub.reads.records",
    instrument: Instrument::Counter,
    unit: "{read}",
    about: "Reads of single records, by where the answer was: kept by this process, or in the database",
    labels: &["source"],
};

/// The table.
pub const METRICS: &[Metric] = &[READS];

/// Counts reads.
pub(crate) struct Counted {
    pub kept: BoundCounter<u64>,
    pub database: BoundCounter<u64>,
}

impl Counted {
    pub fn new() -> Self {
        let reads = READS.counter();
        let bind = |source| reads.bind(&[KeyValue::new("source", source)]);
        Self { kept: bind("kept"), database: bind("database") }
    }
}
