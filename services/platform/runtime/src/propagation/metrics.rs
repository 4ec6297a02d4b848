use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundHistogram, BoundUpDownCounter, Histogram, UpDownCounter};

use crate::metrics::{CALL_DURATION, OPEN_CALLS};
use crate::server::Methods;

/// Codes of gRPC, 0 to 16, as the conventions write them.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// A code's name as metrics and logs write it: `NOT_FOUND`.
pub fn code_name(code: tonic::Code) -> &'static str {
    CODES[code as usize]
}

/// Rate, errors and duration of a server's calls: one series for each method and code, found once and kept, so that a call costs
/// no look-up by labels and no text.
#[derive(Clone)]
pub(super) struct CallMetrics {
    series: Arc<[Series]>,
    open: UpDownCounter<i64>,
}

/// The series of one method.
struct Series {
    method: KeyValue,
    duration: Histogram<f64>,
    /// Both are made when they are first needed: each service knows the methods of all.
    open: OnceLock<BoundUpDownCounter<i64>>,
    ended: [OnceLock<BoundHistogram<f64>>; CODES.len()],
}

impl CallMetrics {
    pub(super) fn new(methods: &Methods) -> Self {
        let (duration, open) = (CALL_DURATION.histogram(), OPEN_CALLS.up_down());
        let series = methods.all().map(|name| {
            let method = KeyValue::new("rpc.method", name.to_owned());
            Series { method, duration: duration.clone(), open: OnceLock::new(), ended: Default::default() }
        });
        Self { series: series.collect(), open }
    }

    /// A call of the method with this number began.
    pub(super) fn begin(&self, number: usize) {
        self.open(number).add(1);
    }

    fn open(&self, number: usize) -> &BoundUpDownCounter<i64> {
        let series = &self.series[number];
        series.open.get_or_init(|| self.open.bind(std::slice::from_ref(&series.method)))
    }

    pub(super) fn end(&self, number: usize, code: tonic::Code, took: Duration) {
        self.open(number).add(-1);
        let series = &self.series[number];
        let bind = || series.bind(code_name(code));
        series.ended[code as usize].get_or_init(bind).record(took.as_secs_f64());
    }
}

impl Series {
    fn bind(&self, code: &'static str) -> BoundHistogram<f64> {
        let system = KeyValue::new("rpc.system.name", "grpc");
        self.duration.bind(&[system, self.method.clone(), KeyValue::new("rpc.response.status_code", code)])
    }
}
