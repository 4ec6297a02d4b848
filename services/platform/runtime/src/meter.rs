//! Metrics as rows of a table: name, unit, meaning and labels of each stand in one place per crate, and instruments are made
//! of nothing else. `docs/operators/metrics.md` lists all tables; a contract test compares.

use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::global;
use opentelemetry::metrics::{AsyncInstrument, Meter};

pub use opentelemetry::KeyValue;
pub use opentelemetry::metrics::{
    BoundCounter, BoundHistogram, BoundUpDownCounter, Counter, Histogram, UpDownCounter,
};

/// Name of the instrumentation scope.
const SCOPE: &str = "eduhub";

static EVERY: OnceLock<Duration> = OnceLock::new();

/// How often this process's metrics are worth a look at a database; `None` when nobody takes them.
pub fn period() -> Option<Duration> {
    EVERY.get().copied()
}

/// Somebody takes metrics, so often.
pub(crate) fn set_period(every: Duration) {
    let _ = EVERY.set(every);
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Instrument {
    /// Only rises.
    Counter,
    /// Rises and falls with what begins and ends.
    UpDown,
    /// Looked at when it is exported.
    Gauge,
    /// Distribution over these upper bounds.
    Histogram(&'static [f64]),
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// Name, as OpenTelemetry writes it.
    pub name: &'static str,
    /// What is measured.
    pub instrument: Instrument,
    /// Unit in UCUM; what is counted stands in braces.
    pub unit: &'static str,
    /// What it says, in one sentence.
    pub about: &'static str,
    /// Keys of its labels.
    pub labels: &'static [&'static str],
}

impl Metric {
    fn meter() -> Meter {
        global::meter(SCOPE)
    }

    /// Its counter. Make instruments after telemetry is started, and once.
    pub fn counter(&self) -> Counter<u64> {
        debug_assert_eq!(self.instrument, Instrument::Counter, "{}", self.name);
        Self::meter().u64_counter(self.name).with_unit(self.unit).with_description(self.about).build()
    }

    /// Its counter that also falls.
    pub fn up_down(&self) -> UpDownCounter<i64> {
        debug_assert_eq!(self.instrument, Instrument::UpDown, "{}", self.name);
        Self::meter().i64_up_down_counter(self.name).with_unit(self.unit).with_description(self.about).build()
    }

    /// Its histogram.
    pub fn histogram(&self) -> Histogram<f64> {
        let Instrument::Histogram(bounds) = self.instrument else {
            debug_assert!(false, "{} is no histogram", self.name);
            return Self::meter().f64_histogram(self.name).build();
        };
        Self::meter()
            .f64_histogram(self.name)
            .with_unit(self.unit)
            .with_description(self.about)
            .with_boundaries(bounds.to_vec())
            .build()
    }

    /// Has `look` called whenever metrics are exported. It must not wait for anything. It stays for the life of the process.
    pub fn observe(&self, look: impl Fn(&dyn AsyncInstrument<f64>) + Send + Sync + 'static) {
        debug_assert_eq!(self.instrument, Instrument::Gauge, "{}", self.name);
        let _ = Self::meter()
            .f64_observable_gauge(self.name)
            .with_unit(self.unit)
            .with_description(self.about)
            .with_callback(look)
            .build();
    }

    /// Its name in Prometheus, without the endings of a histogram's series.
    pub fn prometheus(&self) -> String {
        let mut name = self.name.replace('.', "_");
        if self.unit == "s" {
            name.push_str("_seconds");
        }
        if self.instrument == Instrument::Counter {
            name.push_str("_total");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_prometheus() {
        let metric = |instrument, unit| Metric { name: "a.b_c", instrument, unit, about: "", labels: &[] };
        assert_eq!(metric(Instrument::Counter, "{record}").prometheus(), "a_b_c_total");
        assert_eq!(metric(Instrument::Gauge, "s").prometheus(), "a_b_c_seconds");
        assert_eq!(metric(Instrument::UpDown, "{call}").prometheus(), "a_b_c");
    }
}
