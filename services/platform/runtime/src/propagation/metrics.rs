use std::time::Duration;

use opentelemetry::metrics::{Counter, Histogram, UpDownCounter};
use opentelemetry::{KeyValue, global};

/// Counter of finished calls, by `rpc.service`, `rpc.method`, `rpc.grpc.status_code`.
pub const CALLS: &str = "eduhub.rpc.server.calls";
/// Histogram of their duration in seconds, by the same. For a stream: from its first to its last byte.
pub const CALL_DURATION: &str = "eduhub.rpc.server.duration";

/// From a cached read (1 ms) to the longest unary call (30 s); streams fall above.
const BOUNDARIES: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Rate, errors and duration of a server's calls.
#[derive(Clone)]
pub(super) struct CallMetrics {
    calls: Counter<u64>,
    duration: Histogram<f64>,
    open: UpDownCounter<i64>,
}

impl CallMetrics {
    pub(super) fn new() -> Self {
        let meter = global::meter("eduhub");
        Self {
            calls: meter.u64_counter(CALLS).with_description("Finished calls").build(),
            duration: meter
                .f64_histogram(CALL_DURATION)
                .with_unit("s")
                .with_description("Duration of calls")
                .with_boundaries(BOUNDARIES.to_vec())
                .build(),
            open: meter.i64_up_down_counter("eduhub.rpc.server.open").with_description("Open calls").build(),
        }
    }

    pub(super) fn begin(&self, service: &str, method: &str) {
        self.open.add(1, &labels(service, method));
    }

    pub(super) fn end(&self, service: &str, method: &str, code: tonic::Code, took: Duration) {
        let [service, method] = labels(service, method);
        self.open.add(-1, &[service.clone(), method.clone()]);
        let all = [service, method, KeyValue::new("rpc.grpc.status_code", i64::from(code as i32))];
        self.calls.add(1, &all);
        self.duration.record(took.as_secs_f64(), &all);
    }
}

fn labels(service: &str, method: &str) -> [KeyValue; 2] {
    [KeyValue::new("rpc.service", service.to_owned()), KeyValue::new("rpc.method", method.to_owned())]
}
