//! What is measured of pushes: once for each batch, whatever its size.
use crate::outcome::Tally;
use eduhub_proto::common::v1::{Kind, PushCounts};
use eduhub_runtime::meter::{Counter, Histogram, Instrument, KeyValue, Metric, UpDownCounter};
use std::time::Duration;

/// From an empty batch to the longest transaction.
const BATCH: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0];

/// Records by what became of them.
pub const RECORDS: Metric = Metric {
    name: "eduhub.ingest.records",
    instrument: Instrument::Counter,
    unit: "{record}",
    about: "Records of durable pushes by kind and by what became of them, as the receipt counts them",
    labels: &["kind", "outcome"],
};

/// Time of a batch in the database.
pub const BATCHES: Metric = Metric {
    name: "eduhub.ingest.batch.duration",
    instrument: Instrument::Histogram(&BATCH),
    unit: "s",
    about: "Batches applied and how long their transactions took, without the wait for a turn",
    labels: &[],
};

/// Wait for a turn.
pub const TURNS: Metric = Metric {
    name: "eduhub.ingest.turn.duration",
    instrument: Instrument::Histogram(&BATCH),
    unit: "s",
    about: "How long batches waited for their turn at the database",
    labels: &[],
};

/// Push streams.
pub const SESSIONS: Metric = Metric {
    name: "eduhub.ingest.sessions.open",
    instrument: Instrument::UpDown,
    unit: "{session}",
    about: "Push streams that are open now",
    labels: &[],
};

/// The table.
pub const METRICS: &[Metric] = &[RECORDS, BATCHES, TURNS, SESSIONS];

/// The instruments.
#[derive(Clone)]
pub(crate) struct Measured {
    records: Counter<u64>,
    batches: Histogram<f64>,
    turns: Histogram<f64>,
    pub sessions: UpDownCounter<i64>,
}

impl Measured {
    pub fn new() -> Self {
        let (records, batches) = (RECORDS.counter(), BATCHES.histogram());
        Self { records, batches, turns: TURNS.histogram(), sessions: SESSIONS.up_down() }
    }

    pub fn waited(&self, time: Duration) {
        self.turns.record(time.as_secs_f64(), &[]);
    }

    /// A batch was committed.
    pub fn batch(&self, took: Duration, tally: &Tally) {
        self.batches.record(took.as_secs_f64(), &[]);
        self.records(tally);
    }

    /// Records whose fate was committed.
    pub fn records(&self, tally: &Tally) {
        for (kind, counts) in &tally.0 {
            let kind = Kind::try_from(*kind).unwrap_or_default().as_str_name();
            let kind = kind.strip_prefix("KIND_").unwrap_or(kind);
            for (outcome, records) in outcomes(counts) {
                if records > 0 {
                    self.records
                        .add(records, &[KeyValue::new("kind", kind), KeyValue::new("outcome", outcome)]);
                }
            }
        }
    }
}

fn outcomes(counts: &PushCounts) -> [(&'static str, u64); 7] {
    [
        ("created", counts.created),
        ("updated", counts.updated),
        ("unchanged", counts.unchanged),
        ("rejected", counts.rejected),
        ("held", counts.held),
        ("admitted", counts.admitted),
        ("withdrawn", counts.withdrawn),
    ]
}
