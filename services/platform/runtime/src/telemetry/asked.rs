use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Filter};

/// A filter that is asked each time.
///
/// A layer with a filter remembers the filter's last word per thread, until the span or event of that word comes. Where
/// a call site is cached as always wanted nobody is asked, and the word of somebody else's question counts: sqlx asks
/// after each statement whether it should log it, and the next span on that thread is lost to all layers, its trace
/// with it (tokio-rs/tracing#2519). So no call site may be cached as always wanted.
pub(super) struct Asked<F>(pub(super) F);

impl<S, F: Filter<S>> Filter<S> for Asked<F> {
    fn enabled(&self, meta: &Metadata<'_>, cx: &Context<'_, S>) -> bool {
        self.0.enabled(meta, cx)
    }

    fn callsite_enabled(&self, meta: &'static Metadata<'static>) -> Interest {
        let interest = self.0.callsite_enabled(meta);
        if interest.is_always() { Interest::sometimes() } else { interest }
    }

    fn event_enabled(&self, event: &Event<'_>, cx: &Context<'_, S>) -> bool {
        self.0.event_enabled(event, cx)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.0.max_level_hint()
    }

    fn on_new_span(&self, attrs: &Attributes<'_>, id: &Id, cx: Context<'_, S>) {
        self.0.on_new_span(attrs, id, cx);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, cx: Context<'_, S>) {
        self.0.on_record(id, values, cx);
    }

    fn on_enter(&self, id: &Id, cx: Context<'_, S>) {
        self.0.on_enter(id, cx);
    }

    fn on_exit(&self, id: &Id, cx: Context<'_, S>) {
        self.0.on_exit(id, cx);
    }

    fn on_close(&self, id: Id, cx: Context<'_, S>) {
        self.0.on_close(id, cx);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::Level;
    use tracing_subscriber::Layer;
    use tracing_subscriber::filter::EnvFilter;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::propagation::current_traceparent;

    #[test]
    fn a_span_survives_the_question_that_was_asked_before_it() {
        // The last directive makes call sites of events "sometimes", as a record of the log crate always is.
        let filter = || Asked(EnvFilter::new("info,quiet=off,none[none]=trace"));
        let provider = SdkTracerProvider::builder().build();
        let otel = tracing_opentelemetry::layer().with_tracer(provider.tracer("echo")).with_filter(filter());
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::sink).with_filter(filter());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines).with(otel), || {
            for _ in 0..3 {
                let _ = tracing::enabled!(target: "quiet", Level::INFO);
                let span = tracing::info_span!("call");
                assert!(!span.is_disabled());
                assert!(span.in_scope(current_traceparent).is_some(), "the span has no trace");
            }
        });
    }
}
