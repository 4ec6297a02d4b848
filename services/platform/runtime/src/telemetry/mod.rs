//! Logs, traces and metrics of a process.
//!
//! Logs are JSON lines on stderr and carry `trace_id` and `span_id`. Traces and metrics leave by OTLP/gRPC when
//! `EDUHUB_OTLP_ENDPOINT` is set; a slow or dead collector costs spans, never requests: they are queued, sent by
//! a thread of their own, and dropped when the queue is full.

mod asked;
mod line;
mod otlp;

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use asked::Asked;

/// Default of `EDUHUB_LOG`: what a platform team reads, without the chatter of HTTP/2 and of each statement.
const DEFAULT_LOG: &str = "info,h2=warn,hyper=warn,sqlx=warn";
/// The exporter's own calls pass through these; traced, each export would cause the next.
const NOT_TRACED: &str =
    "info,h2=off,hyper=off,hyper_util=off,tonic=off,tower=off,opentelemetry=off,sqlx=off";

/// What a dead collector may cost the shutdown, for traces and for metrics each: drain, pool and telemetry together
/// stay below the 30 s after which Kubernetes kills.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `EDUHUB_LOG` is not a filter.
    #[error("EDUHUB_LOG is not a filter such as \"info,sqlx=debug\": {0}")]
    Filter(String),
    /// `EDUHUB_TRACE_RATIO` is not a share.
    #[error("EDUHUB_TRACE_RATIO is not a number from 0 to 1")]
    Ratio,
    /// `EDUHUB_OTLP_ENDPOINT` is not usable.
    #[error("EDUHUB_OTLP_ENDPOINT: {0}")]
    Otlp(String),
    /// The process has telemetry already.
    #[error("telemetry was started before")]
    Started,
}

/// What telemetry is told; [`init`] reads it from the environment.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// Log filter (`EDUHUB_LOG`).
    pub log: String,
    /// Collector, `http://host:4317` (`EDUHUB_OTLP_ENDPOINT`); none: nothing is sent.
    pub otlp_endpoint: Option<String>,
    /// Share of traces that begin here and are sent (`EDUHUB_TRACE_RATIO`), default 1: a province makes few
    /// requests per second, and a rare fault must be found. A caller's decision is followed.
    pub trace_ratio: f64,
}

/// The running telemetry of a process. Shut it down last, so that the last lines arrive.
#[must_use = "telemetry that is dropped loses its last spans: call shutdown at the end"]
pub struct Telemetry {
    traces: SdkTracerProvider,
    metrics: Option<SdkMeterProvider>,
}

/// Starts telemetry for `service` as the environment says. Call it inside the runtime, once.
///
/// # Errors
/// [`TelemetryError`].
pub fn init(service: &'static str) -> Result<Telemetry, TelemetryError> {
    init_with(service, TelemetryConfig::from_env()?)
}

/// As [`init`], with the given settings.
///
/// # Errors
/// [`TelemetryError`].
pub fn init_with(service: &'static str, config: TelemetryConfig) -> Result<Telemetry, TelemetryError> {
    let log = EnvFilter::try_new(&config.log).map_err(|error| TelemetryError::Filter(error.to_string()))?;
    let not_traced =
        EnvFilter::try_new(NOT_TRACED).map_err(|error| TelemetryError::Filter(error.to_string()))?;
    let (traces, metrics) = otlp::providers(service, &config)?;
    // Spans pass the log filter whatever its level, so that a warning still says to which call it belongs.
    let spans = filter_fn(|meta| meta.is_span() && *meta.level() <= tracing::Level::INFO);
    let lines = fmt::layer()
        .fmt_fields(fmt::format::JsonFields::new())
        .event_format(line::JsonLine { service })
        .with_writer(std::io::stderr)
        .with_filter(Asked(log.or(spans)));
    let tracer =
        tracing_opentelemetry::layer().with_tracer(traces.tracer(service)).with_filter(Asked(not_traced));
    tracing_subscriber::registry()
        .with(lines)
        .with(tracer)
        .try_init()
        .map_err(|_| TelemetryError::Started)?;
    if let Some(metrics) = &metrics {
        opentelemetry::global::set_meter_provider(metrics.clone());
    }
    Ok(Telemetry { traces, metrics })
}

impl TelemetryConfig {
    /// Reads `EDUHUB_LOG`, `EDUHUB_OTLP_ENDPOINT` and `EDUHUB_TRACE_RATIO`.
    ///
    /// # Errors
    /// [`TelemetryError::Ratio`].
    pub fn from_env() -> Result<Self, TelemetryError> {
        let get = |key| std::env::var(key).ok().filter(|value: &String| !value.is_empty());
        let trace_ratio = match get("EDUHUB_TRACE_RATIO") {
            Some(text) => text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio)),
            None => Some(1.0),
        };
        Ok(Self {
            log: get("EDUHUB_LOG").unwrap_or_else(|| DEFAULT_LOG.to_owned()),
            otlp_endpoint: get("EDUHUB_OTLP_ENDPOINT"),
            trace_ratio: trace_ratio.ok_or(TelemetryError::Ratio)?,
        })
    }
}

impl Telemetry {
    /// Sends what is queued and stops; takes 6 s at most when the collector is dead.
    pub async fn shutdown(self) {
        // The exporters block their thread on a runtime of their own making: called from async code directly they
        // wait for themselves for 5 s and lose the spans.
        let stopped = tokio::task::spawn_blocking(move || {
            let traces = self.traces.shutdown_with_timeout(LAST_WORDS);
            let metrics = self.metrics.map_or(Ok(()), |metrics| metrics.shutdown_with_timeout(LAST_WORDS));
            traces.and(metrics)
        });
        if let Ok(Err(error)) = stopped.await {
            tracing::warn!(%error, "the last traces or metrics were not sent");
        }
    }
}
