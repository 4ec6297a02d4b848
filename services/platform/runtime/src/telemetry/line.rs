use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// One event as one JSON line: `timestamp`, `level`, `service`, `target`, `trace_id`, `span_id`, `message`, the
/// event's fields, and `spans` (outermost first, with their fields).
pub(super) struct JsonLine {
    pub(super) service: &'static str,
}

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        let now = OffsetDateTime::now_utc().format(&Rfc3339).map_err(|_| fmt::Error)?;
        line.insert("timestamp".into(), now.into());
        line.insert("level".into(), event.metadata().level().as_str().into());
        line.insert("service".into(), self.service.into());
        line.insert("target".into(), event.metadata().target().into());
        let context = Context::current();
        let trace = context.span().span_context().clone();
        if trace.is_valid() {
            line.insert("trace_id".into(), trace.trace_id().to_string().into());
            line.insert("span_id".into(), trace.span_id().to_string().into());
        }
        event.record(&mut Fields(&mut line));
        let spans: Vec<Value> = ctx
            .event_scope()
            .into_iter()
            .flat_map(|scope| scope.from_root())
            .map(|span| described::<S, N>(&span))
            .collect();
        if !spans.is_empty() {
            line.insert("spans".into(), spans.into());
        }
        writeln!(out, "{}", Value::Object(line))
    }
}

/// A span's name and fields. The fields were written by [`super::fields::SpanFields`] when they were recorded.
fn described<S, N>(span: &tracing_subscriber::registry::SpanRef<'_, S>) -> Value
where
    S: for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let mut fields = match span.extensions().get::<FormattedFields<N>>() {
        Some(text) => serde_json::from_str(&super::fields::object(&text.fields)).unwrap_or_default(),
        None => Map::new(),
    };
    fields.insert("name".into(), span.name().into());
    Value::Object(fields)
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().into(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().into(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_json_and_names_its_trace() {
        let lines = Lines::default();
        let writer = lines.clone();
        let json = tracing_subscriber::fmt::layer()
            .fmt_fields(crate::telemetry::fields::SpanFields)
            .event_format(JsonLine { service: "echo" })
            .with_writer(move || writer.clone());
        let provider = SdkTracerProvider::builder().build();
        let otel = tracing_opentelemetry::layer().with_tracer(provider.tracer("echo"));
        let subscriber = tracing_subscriber::registry().with(json).with(otel);
        tracing::subscriber::with_default(subscriber, || {
            let late = tracing::field::Empty;
            let span = tracing::info_span!(
                "grpc.server",
                otel.kind = "server",
                rpc.method = "Push",
                odd = "a \"b\"\n",
                code = late
            );
            span.record("code", 5);
            span.in_scope(|| tracing::warn!(rows = 3, ok = false, "held \"back\""));
            tracing::info!("outside");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let parsed: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [inside, outside] = parsed.as_slice() else { panic!("{text}") };
        assert_eq!(inside["message"], "held \"back\"");
        assert_eq!((&inside["level"], &inside["service"]), (&"WARN".into(), &"echo".into()));
        assert_eq!((&inside["rows"], &inside["ok"]), (&3.into(), &false.into()));
        assert_eq!(inside["trace_id"].as_str().unwrap().len(), 32);
        assert_eq!(
            inside["spans"],
            serde_json::json!([
                { "name": "grpc.server", "rpc.method": "Push", "odd": "a \"b\"\n", "code": 5 }
            ])
        );
        assert!(outside.get("trace_id").is_none() && outside.get("spans").is_none());
    }
}
