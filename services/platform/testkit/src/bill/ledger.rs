//! The statements of the calls, each with the method of its call, as the drivers and spans tell them.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// Method and text of each statement.
type Entries = Vec<(String, String)>;

#[derive(Clone)]
pub(super) struct Ledger {
    entries: Arc<Mutex<Entries>>,
    shared: &'static [(&'static str, &'static str)],
}

impl Ledger {
    pub fn of(shared: &'static [(&'static str, &'static str)]) -> Self {
        Self { entries: Arc::default(), shared }
    }

    /// What is in it; it is empty then.
    pub fn take(&self) -> Entries {
        std::mem::take(&mut *self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Method of a call, kept in its span.
struct Method(String);

/// Fields of a span or an event as text.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Ledger {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if attributes.metadata().name() == "grpc.server"
            && let Some(span) = context.span(id)
        {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            let method = fields.0.remove("rpc.method").unwrap_or_default();
            span.extensions_mut().insert(Method(method));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let target = event.metadata().target();
        if target != "sqlx::query" && target != "eduhub_pg::copy" {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let text = ["db.statement", "summary", "statement"].into_iter().filter_map(|f| fields.0.remove(f));
        let text = text.collect::<Vec<_>>().join(" ");
        let mut spans = context.event_scope(event).into_iter().flatten();
        let method = spans.find_map(|span| span.extensions().get::<Method>().map(|method| method.0.clone()));
        let shared = || self.shared.iter().find(|(part, _)| text.contains(part));
        if let Some(method) = method.or_else(|| shared().map(|(_, method)| (*method).to_owned())) {
            self.entries.lock().unwrap_or_else(PoisonError::into_inner).push((method, text));
        }
    }
}
