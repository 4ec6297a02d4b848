//! Logs, traces and metrics of a process.
//!
//! Logs are JSON lines on stderr and carry `trace_id` and `span_id`. Traces, metrics and logs leave by OTLP/gRPC when
//! `EDUHUB_OTLP_ENDPOINT` is set; a slow or dead collector costs spans, never requests: they are queued, sent by
//! a thread of their own, and dropped (and counted) when the queue is full. With `EDUHUB_METRICS_LISTEN` Prometheus can
//! fetch the metrics.

mod asked;
mod counted;
mod fields;
mod line;
mod otlp;
mod scrape;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use prometheus::Registry;
use tokio::task::JoinSet;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use asked::Asked;

/// Default of `EDUHUB_LOG`: what a platform team reads, without the chatter of HTTP/2 and of each statement.
const DEFAULT_LOG: &str = "info,h2=warn,hyper=warn,sqlx=warn";
/// The exporters' own calls pass through these: told to a collector, each export would cause the next.
const WAY: [&str; 6] = ["h2", "hyper", "tonic", "tower", "rustls", "opentelemetry"];
/// The same for spans.
const NOT_TRACED: &str =
    "info,h2=off,hyper=off,hyper_util=off,tonic=off,tower=off,opentelemetry=off,sqlx=off";

/// What a dead collector may cost the shutdown, for traces, logs and metrics each: drain, pool and telemetry together
/// stay below the 30 s after which Kubernetes kills.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Default of `EDUHUB_METRICS_SECONDS`.
const METRICS_SECONDS: u64 = 15;

/// Telemetry is the process's own, as the subscriber and the meter provider that it sets.
static STARTED: AtomicBool = AtomicBool::new(false);

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `EDUHUB_LOG` is not a filter.
    #[error("EDUHUB_LOG is not a filter such as \"info,sqlx=debug\": {0}")]
    Filter(String),
    /// `EDUHUB_ACCESS_LOG` is no switch.
    #[error("EDUHUB_ACCESS_LOG is neither on nor off")]
    AccessLog,
    /// `EDUHUB_TRACE_RATIO` is not a share.
    #[error("EDUHUB_TRACE_RATIO is not a number from 0 to 1")]
    Ratio,
    /// `EDUHUB_OTLP_ENDPOINT` is not usable.
    #[error("EDUHUB_OTLP_ENDPOINT: {0}")]
    Otlp(String),
    /// `EDUHUB_METRICS_LISTEN` is not usable.
    #[error("EDUHUB_METRICS_LISTEN: {0}")]
    Scrape(String),
    /// `EDUHUB_METRICS_SECONDS` is no number of seconds.
    #[error("EDUHUB_METRICS_SECONDS is not a number from 1 to 300")]
    Interval,
    /// The process has telemetry already.
    #[error("telemetry was started before")]
    Started,
}

/// What telemetry is told; [`init`] reads it from the environment.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// Log filter (`EDUHUB_LOG`).
    pub log: String,
    /// Whether calls that read personal data are told, one line each with target `eduhub::access` (`EDUHUB_ACCESS_LOG`, on or
    /// off), default on: whatever `log` says of levels, since it is evidence and no chatter.
    pub access_log: bool,
    /// Collector, `http://host:4317` (`EDUHUB_OTLP_ENDPOINT`); none: nothing is sent.
    pub otlp_endpoint: Option<String>,
    /// Share of traces that begin here and are sent (`EDUHUB_TRACE_RATIO`), default 1: a province makes few
    /// requests per second, and a rare fault must be found. A caller's decision is followed.
    pub trace_ratio: f64,
    /// How often metrics are sent to the collector, and the database is asked for some (`EDUHUB_METRICS_SECONDS`), default 15 s.
    pub metrics_every: Duration,
    /// Where Prometheus may fetch metrics (`EDUHUB_METRICS_LISTEN`): plain HTTP, `/metrics`; none: nowhere.
    pub metrics_listen: Option<SocketAddr>,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self {
            log: DEFAULT_LOG.to_owned(),
            access_log: true,
            otlp_endpoint: None,
            trace_ratio: 1.0,
            metrics_every: Duration::from_secs(METRICS_SECONDS),
            metrics_listen: None,
        }
    }
}

/// The running telemetry of a process. Shut it down last, so that the last lines arrive.
#[must_use = "telemetry that is dropped loses its last spans: call shutdown at the end"]
pub struct Telemetry {
    traces: SdkTracerProvider,
    metrics: Option<SdkMeterProvider>,
    logs: Option<SdkLoggerProvider>,
    scraped: Option<(SocketAddr, Registry)>,
    /// Whoever answers Prometheus.
    tasks: JoinSet<()>,
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
    let filter =
        |text: &str| EnvFilter::try_new(text).map_err(|error| TelemetryError::Filter(error.to_string()));
    let log = config.filter();
    let (log, sent_log) = (filter(&log)?, filter(&log)?);
    let not_traced = filter(NOT_TRACED)?;
    // Before the providers: the metrics' would take the place of the running one.
    if STARTED.swap(true, Ordering::Relaxed) {
        return Err(TelemetryError::Started);
    }
    let otlp::Providers { traces, metrics, logs, scraped } = otlp::providers(service, &config)?;
    // What a collector is told: the lines, but for those of the way to it, which would tell of each other for ever.
    let records = logs.as_ref().map(|logs| {
        let of_the_way = |target: &str| WAY.iter().any(|name| target.starts_with(name));
        let others = filter_fn(move |meta| meta.is_event() && !of_the_way(meta.target()));
        OpenTelemetryTracingBridge::new(logs).with_filter(Asked(others.and(sent_log)))
    });
    // Spans pass the log filter whatever its level, so that a warning still says to which call it belongs.
    let spans = filter_fn(|meta| meta.is_span() && *meta.level() <= tracing::Level::INFO);
    let lines = fmt::layer()
        .fmt_fields(fields::SpanFields)
        .event_format(line::JsonLine { service })
        .with_writer(std::io::stderr)
        .with_filter(Asked(log.or(spans)));
    // Where a span was opened and how long it slept costs more than the rest of it, and nobody asks.
    let tracer = tracing_opentelemetry::layer()
        .with_tracer(traces.tracer(service))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(Asked(not_traced));
    tracing_subscriber::registry()
        .with(lines)
        .with(records)
        .with(tracer)
        .try_init()
        .map_err(|_| TelemetryError::Started)?;
    Ok(Telemetry { traces, metrics, logs, scraped, tasks: JoinSet::new() })
}

impl TelemetryConfig {
    /// The log filter with the access log in it; a directive of its own for that target, later in the text, still counts.
    fn filter(&self) -> String {
        let level = if self.access_log { "info" } else { "off" };
        format!("eduhub::access={level},{}", self.log)
    }

    /// Reads `EDUHUB_LOG`, `EDUHUB_ACCESS_LOG`, `EDUHUB_OTLP_ENDPOINT`, `EDUHUB_TRACE_RATIO`, `EDUHUB_METRICS_SECONDS` and
    /// `EDUHUB_METRICS_LISTEN`.
    ///
    /// # Errors
    /// [`TelemetryError::AccessLog`], [`TelemetryError::Ratio`], [`TelemetryError::Interval`], [`TelemetryError::Scrape`].
    pub fn from_env() -> Result<Self, TelemetryError> {
        let get = |key| std::env::var(key).ok().filter(|value: &String| !value.is_empty());
        let trace_ratio = match get("EDUHUB_TRACE_RATIO") {
            Some(text) => text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio)),
            None => Some(1.0),
        };
        let seconds = match get("EDUHUB_METRICS_SECONDS") {
            Some(text) => text.parse().ok().filter(|seconds| (1..=300).contains(seconds)),
            None => Some(METRICS_SECONDS),
        };
        let listen = get("EDUHUB_METRICS_LISTEN").map(|text| {
            let refused = || TelemetryError::Scrape(format!("{text} is not an address such as 0.0.0.0:9464"));
            text.parse().map_err(|_| refused())
        });
        let access_log = match get("EDUHUB_ACCESS_LOG").as_deref() {
            None | Some("on" | "true") => true,
            // What `off` becomes in a file of YAML.
            Some("off" | "false") => false,
            Some(_) => return Err(TelemetryError::AccessLog),
        };
        Ok(Self {
            access_log,
            log: get("EDUHUB_LOG").unwrap_or_else(|| DEFAULT_LOG.to_owned()),
            otlp_endpoint: get("EDUHUB_OTLP_ENDPOINT"),
            trace_ratio: trace_ratio.ok_or(TelemetryError::Ratio)?,
            metrics_every: Duration::from_secs(seconds.ok_or(TelemetryError::Interval)?),
            metrics_listen: listen.transpose()?,
        })
    }
}

impl Telemetry {
    /// Begins to answer Prometheus, if an address for it is set; gives the address. For a program that stays: others in the same
    /// container would find it taken.
    ///
    /// # Errors
    /// [`TelemetryError::Scrape`] when it can't be listened on.
    pub async fn listen(&mut self) -> Result<Option<SocketAddr>, TelemetryError> {
        let Some((listen, registry)) = self.scraped.take() else { return Ok(None) };
        let address = scrape::serve(listen, registry, &mut self.tasks).await?;
        tracing::info!(%address, "metrics for Prometheus");
        Ok(Some(address))
    }

    /// Sends what is queued and stops; takes 6 s at most when the collector is dead.
    pub async fn shutdown(self) {
        // The exporters block their thread on a runtime of their own making: called from async code directly they
        // wait for themselves for 5 s and lose the spans.
        let stopped = tokio::task::spawn_blocking(move || {
            let traces = self.traces.shutdown_with_timeout(LAST_WORDS);
            let logs = self.logs.map_or(Ok(()), |logs| logs.shutdown_with_timeout(LAST_WORDS));
            // Last, so that they count what became of the others.
            let metrics = self.metrics.map_or(Ok(()), |metrics| metrics.shutdown_with_timeout(LAST_WORDS));
            traces.and(logs).and(metrics)
        });
        if let Ok(Err(error)) = stopped.await {
            tracing::warn!(%error, "the last traces or metrics were not sent");
        }
    }
}
