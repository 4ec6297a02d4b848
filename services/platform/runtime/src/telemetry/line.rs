use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::fields;

/// One event as one JSON line: `timestamp`, `level`, `service`, `target`, `trace_id`, `span_id`, `message`, the
/// event's fields, and `spans` (outermost first, with their fields). It is written as it is read, without a tree of its values:
/// a line of the access log belongs to each read of a record.
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
        let now = OffsetDateTime::now_utc().format(&Rfc3339).map_err(|_| fmt::Error)?;
        let (level, target) = (event.metadata().level(), event.metadata().target());
        let service = self.service;
        write!(out, r#"{{"timestamp":"{now}","level":"{level}","service":"{service}","target":"{target}","#)?;
        let context = Context::current();
        let span = context.span();
        let trace = span.span_context();
        if trace.is_valid() {
            write!(out, r#""trace_id":"{}","span_id":"{}","#, trace.trace_id(), trace.span_id())?;
        }
        let mut fields = fields::Text::new(out.by_ref());
        event.record(&mut fields);
        fields.outcome()?;
        out.write_str(r#""spans":["#)?;
        for (i, span) in ctx.event_scope().into_iter().flat_map(|scope| scope.from_root()).enumerate() {
            out.write_str(if i == 0 { "{" } else { ",{" })?;
            // Written by `SpanFields` when they were recorded.
            if let Some(text) = span.extensions().get::<FormattedFields<N>>() {
                out.write_str(&text.fields)?;
            }
            write!(out, r#""name":"{}"}}"#, span.name())?;
        }
        writeln!(out, "]}}")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use serde_json::Value;
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
            span.in_scope(|| {
                let _inner = tracing::info_span!("inner").entered();
                tracing::warn!(rows = 3, ok = false, share = 0.5, odd = ?"a\tb", "held \"back\"");
            });
            tracing::info!("outside");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let parsed: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [inside, outside] = parsed.as_slice() else { panic!("{text}") };
        assert_eq!(inside["message"], "held \"back\"");
        assert_eq!((&inside["level"], &inside["service"]), (&"WARN".into(), &"echo".into()));
        assert_eq!((&inside["rows"], &inside["ok"]), (&3.into(), &false.into()));
        assert_eq!((&inside["share"], &inside["odd"]), (&0.5.into(), &"\"a\\tb\"".into()));
        assert_eq!(inside["trace_id"].as_str().unwrap().len(), 32);
        assert_eq!(
            inside["spans"],
            serde_json::json!([
                { "name": "grpc.server", "rpc.method": "Push", "odd": "a \"b\"\n", "code": 5 },
                { "name": "inner" }
            ])
        );
        assert!(outside.get("trace_id").is_none() && outside["spans"] == serde_json::json!([]));
    }
}
