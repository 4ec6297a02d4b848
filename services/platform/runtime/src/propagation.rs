//! The W3C trace context: into a server's spans, onto outgoing calls, and across work that is done later.

mod body;
mod layer;
mod metrics;

use std::str::FromStr;

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tonic::metadata::{MetadataKey, MetadataMap, MetadataValue};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

pub use layer::{TraceLayer, TraceService};
pub use metrics::code_name;

const TRACEPARENT: &str = "traceparent";

/// The trace context of the current span as a `traceparent` value (55 characters), to be stored with work that is
/// done later. `None` when there is no trace (telemetry not started).
pub fn current_traceparent() -> Option<String> {
    let mut carrier = Pair::default();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
    carrier.traceparent
}

/// A span `name` that goes on with the trace of a stored `traceparent`: work of a queue, a ledger, an outbox.
/// Anything that is not a traceparent starts a new trace.
pub fn span_from_traceparent(name: &'static str, traceparent: &str) -> Span {
    let span = tracing::info_span!("work", otel.name = name, otel.kind = "consumer", work = name);
    continue_from(&span, &Pair { traceparent: Some(traceparent.to_owned()), tracestate: None });
    span
}

/// Puts the current trace context onto outgoing metadata.
pub fn inject(metadata: &mut MetadataMap) {
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut Outgoing(metadata));
}

/// Makes `span` a child of the context in `carrier`, if there is a valid one.
fn continue_from(span: &Span, carrier: &dyn Extractor) {
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), carrier);
    if parent.span().span_context().is_valid() {
        // Fails only when telemetry is not started: then there is no trace to go on with.
        let _ = span.set_parent(parent);
    }
}

#[derive(Default)]
struct Pair {
    traceparent: Option<String>,
    tracestate: Option<String>,
}

impl Injector for Pair {
    fn set(&mut self, key: &str, value: String) {
        if key == TRACEPARENT {
            self.traceparent = Some(value);
        } else {
            self.tracestate = Some(value);
        }
    }
}

impl Extractor for Pair {
    fn get(&self, key: &str) -> Option<&str> {
        if key == TRACEPARENT { self.traceparent.as_deref() } else { self.tracestate.as_deref() }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}

struct Outgoing<'a>(&'a mut MetadataMap);

impl Injector for Outgoing<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(key), Ok(value)) = (MetadataKey::from_str(key), MetadataValue::try_from(&value)) {
            self.0.insert(key, value);
        }
    }
}

struct Incoming<'a>(&'a HeaderMap);

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
