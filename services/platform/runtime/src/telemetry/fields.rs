//! Fields of spans as JSON text, kept for the lines that are logged inside of them.
use std::fmt::{self, Debug};

use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormattedFields;
use tracing_subscriber::fmt::format::{FormatFields, Writer};

/// As [`Text`]. The usual `JsonFields` parses and prints the whole object again whenever a field is
/// added, and each call of a server adds its status at its end. Fields of OpenTelemetry alone (`otel.`) say nothing in a log.
pub(super) struct SpanFields;

impl<'a> FormatFields<'a> for SpanFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'a>, fields: R) -> fmt::Result {
        let mut visitor = Text::new(writer);
        fields.record(&mut visitor);
        visitor.outcome()
    }

    fn add_fields(&self, current: &'a mut FormattedFields<Self>, fields: &Record<'_>) -> fmt::Result {
        self.format_fields(current.as_writer(), fields)
    }
}

/// Writes `"name":value,` for each field that it is shown.
pub(super) struct Text<'a> {
    writer: Writer<'a>,
    outcome: fmt::Result,
}

impl<'a> Text<'a> {
    pub(super) fn new(writer: Writer<'a>) -> Self {
        Self { writer, outcome: Ok(()) }
    }

    /// Whether all was written.
    pub(super) fn outcome(self) -> fmt::Result {
        self.outcome
    }

    fn put(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if field.name().starts_with("otel.") || self.outcome.is_err() {
            return;
        }
        let writer = &mut self.writer;
        self.outcome = write!(writer, "\"{}\":", field.name())
            .and_then(|()| value(writer))
            .and_then(|()| writer.write_char(','));
    }
}

/// As a JSON string. Most values need no escape.
fn quoted(writer: &mut Writer<'_>, text: &str) -> fmt::Result {
    if text.bytes().all(|b| b >= b' ' && b != b'"' && b != b'\\') {
        return write!(writer, "\"{text}\"");
    }
    writer.write_str(&serde_json::Value::from(text).to_string())
}

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, |out| quoted(out, &format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, |out| quoted(out, value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, |out| write!(out, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, |out| write!(out, "{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, |out| number(out, value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, |out| write!(out, "{value}"));
    }
}

/// JSON has no infinities.
fn number(out: &mut Writer<'_>, value: f64) -> fmt::Result {
    if value.is_finite() { write!(out, "{value}") } else { out.write_str("null") }
}
