//! How the transfers to the Ministry stand.
use std::collections::BTreeMap;

use eduhub_pg::{Figure, Question};
use eduhub_proto::bridge::v1::LedgerState;
use eduhub_runtime::meter::{Counter, Instrument, KeyValue, Metric};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::ledger::Answer;
use crate::ministry::{Breaker, Failure};

/// Depth of the ledger.
pub const DEPTH: Metric = Metric {
    name: "eduhub.bridge.ledger.records",
    instrument: Instrument::Gauge,
    unit: "{record}",
    about: "Records of running transfers that have no final answer, by state: waiting for a parent, queued, sent",
    labels: &["state"],
};

/// Age of the ledger.
pub const AGE: Metric = Metric {
    name: "eduhub.bridge.ledger.age",
    instrument: Instrument::Gauge,
    unit: "s",
    about: "Age of the oldest transfer with records that have no final answer; 0 without one",
    labels: &[],
};

/// Answers.
pub const SETTLED: Metric = Metric {
    name: "eduhub.bridge.records.settled",
    instrument: Instrument::Counter,
    unit: "{record}",
    about: "Records by the answer that their batch brought; QUEUED goes once more, DEAD is given up",
    labels: &["outcome"],
};

/// Calls to the Ministry.
pub const CALLS: Metric = Metric {
    name: "eduhub.bridge.ministry.calls",
    instrument: Instrument::Counter,
    unit: "{call}",
    about: "Calls to the Ministry: answered, or how they failed (throttled, away, choked, lost, refused)",
    labels: &["outcome"],
};

/// The circuit breaker.
pub const BREAKER: Metric = Metric {
    name: "eduhub.bridge.breaker.open",
    instrument: Instrument::Gauge,
    unit: "{breaker}",
    about: "1 while this process does not call the Ministry because its calls failed, else 0",
    labels: &[],
};

/// The table.
pub const METRICS: &[Metric] = &[DEPTH, AGE, SETTLED, CALLS, BREAKER];

/// Counts what the Ministry says, and shows the breaker that goes by it.
pub struct Counts {
    calls: Counter<u64>,
    settled: Counter<u64>,
}

/// Answers by state.
pub type Tally = BTreeMap<LedgerState, u64>;

/// Counts answers by state.
pub fn tally(answers: &[Answer]) -> Tally {
    let mut tally = Tally::new();
    for answer in answers {
        *tally.entry(answer.state).or_default() += 1;
    }
    tally
}

impl Counts {
    /// Counts from here on.
    pub fn beside(breaker: &Breaker) -> Self {
        let breaker = breaker.clone();
        BREAKER.observe(move |gauge| gauge.observe(f64::from(u8::from(breaker.is_open())), &[]));
        let settled = SETTLED.counter();
        // A series that begins with its first record given up shows no increase for it.
        settled.add(0, &[KeyValue::new("outcome", name(LedgerState::Dead))]);
        Self { calls: CALLS.counter(), settled }
    }

    /// A call is over.
    pub fn call(&self, failure: Option<&Failure>) {
        self.calls.add(1, &[KeyValue::new("outcome", failure.map_or("answered", Failure::name))]);
    }

    /// Answers were committed.
    pub fn settled(&self, tally: &Tally) {
        for (state, records) in tally {
            self.settled.add(*records, &[KeyValue::new("outcome", name(*state))]);
        }
    }
}

fn name(state: LedgerState) -> &'static str {
    state.as_str_name().trim_start_matches("LEDGER_STATE_")
}

/// States without a final answer.
const OPEN: [LedgerState; 3] = [LedgerState::Waiting, LedgerState::Queued, LedgerState::Sent];

/// The questions.
pub fn questions() -> Vec<Question> {
    let [waiting, queued, sent] = OPEN.map(|state| state as i16);
    // Every transfer with something to do has a job, and few have: the rest of the ledger is not touched.
    let sql = format!(
        "select l.state, count(*)::float8, extract(epoch from clock_timestamp() - min(t.started_at))::float8
         from (select distinct transfer_id from job) j
         join transfer t using (transfer_id) join ledger l using (transfer_id)
         where l.state in ({waiting}, {queued}, {sent}) group by l.state"
    );
    vec![Question { metrics: &[DEPTH, AGE], sql, read: Box::new(read) }]
}

fn read(rows: &[PgRow]) -> Result<Vec<Figure>, sqlx::Error> {
    let mut depth: BTreeMap<i32, f64> = OPEN.iter().map(|state| (*state as i32, 0.0)).collect();
    let mut age = 0.0_f64;
    for row in rows {
        depth.insert(i32::from(row.try_get::<i16, _>(0)?), row.try_get(1)?);
        age = age.max(row.try_get(2)?);
    }
    let mut figures = vec![Figure::new(AGE, [], age)];
    figures.extend(depth.into_iter().map(|(state, records)| {
        let state = LedgerState::try_from(state).unwrap_or_default();
        Figure::new(DEPTH, [KeyValue::new("state", name(state))], records)
    }));
    Ok(figures)
}
