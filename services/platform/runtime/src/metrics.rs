//! What every service measures.

use crate::meter::{Instrument, Metric};

/// From a cached read (1 ms) to the longest unary call (30 s); streams fall above. The bounds that the conventions advise begin at
/// 5 ms, where most of our reads are over.
const CALLS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Duration of calls; its count is the rate, by code the errors. Name and labels: OpenTelemetry's conventions for RPC metrics.
pub const CALL_DURATION: Metric = Metric {
    name: "rpc.server.call.duration",
    instrument: Instrument::Histogram(&CALLS),
    unit: "s",
    about: "Calls answered and how long they took; a stream from its first to its last byte",
    labels: &["rpc.system.name", "rpc.method", "rpc.response.status_code"],
};

/// Calls that are being answered.
pub const OPEN_CALLS: Metric = Metric {
    name: "eduhub.rpc.server.open",
    instrument: Instrument::UpDown,
    unit: "{call}",
    about: "Calls being answered now, open streams included",
    labels: &["rpc.method"],
};

/// Calls that were shed.
pub const REFUSED_CALLS: Metric = Metric {
    name: "eduhub.rpc.server.refused",
    instrument: Instrument::Counter,
    unit: "{call}",
    about: "Calls refused at the limit of open requests or streams",
    labels: &["place"],
};

/// Spans that left, or could not. This and the following: OpenTelemetry's conventions for SDK metrics.
pub const SPANS_EXPORTED: Metric = Metric {
    name: "otel.sdk.exporter.span.exported",
    instrument: Instrument::Counter,
    unit: "{span}",
    about: "Spans given to the collector; with an error type: lost, since it was away or slow",
    labels: &["error.type"],
};

/// Log records that left, or could not.
pub const LOGS_EXPORTED: Metric = Metric {
    name: "otel.sdk.exporter.log.exported",
    instrument: Instrument::Counter,
    unit: "{log_record}",
    about: "Log records given to the collector; with an error type: lost, since it was away or slow",
    labels: &["error.type"],
};

/// What the libraries below measure by themselves.
const SPANS_PROCESSED: Metric = Metric {
    name: "otel.sdk.processor.span.processed",
    instrument: Instrument::Counter,
    unit: "{span}",
    about: "Spans that left the queue to the exporter; with error type queue_full: dropped, since it was full",
    labels: &["error.type", "otel.component.type", "otel.component.name"],
};

const LOGS_PROCESSED: Metric = Metric {
    name: "otel.sdk.processor.log.processed",
    instrument: Instrument::Counter,
    unit: "{log_record}",
    about: "Log records that left the queue to the exporter; with error type queue_full: dropped, since it was full",
    labels: &["error.type", "otel.component.type", "otel.component.name"],
};

const LOGS_CREATED: Metric = Metric {
    name: "otel.sdk.log.created",
    instrument: Instrument::Counter,
    unit: "{log_record}",
    about: "Log records made for the collector",
    labels: &[],
};

const LOG_QUEUE: Metric = Metric {
    name: "otel.sdk.processor.log.queue.capacity",
    instrument: Instrument::UpDown,
    unit: "{log_record}",
    about: "Log records that may wait for the collector",
    labels: &["otel.component.type", "otel.component.name"],
};

/// The table.
pub const METRICS: &[Metric] = &[
    CALL_DURATION,
    OPEN_CALLS,
    REFUSED_CALLS,
    SPANS_EXPORTED,
    LOGS_EXPORTED,
    SPANS_PROCESSED,
    LOGS_PROCESSED,
    LOGS_CREATED,
    LOG_QUEUE,
];
