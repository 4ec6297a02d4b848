use std::time::Duration;

use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use prometheus::Registry;

use super::counted::Counted;
use super::{TelemetryConfig, TelemetryError, scrape};
use crate::meter::{self, KeyValue};
use crate::metrics::{LOGS_EXPORTED, SPANS_EXPORTED};

/// A collector next door answers in milliseconds; one that takes longer is dead.
const EXPORT_PATIENCE: Duration = Duration::from_secs(2);

/// What the three signals go through.
pub(super) struct Providers {
    /// Traces exist without a collector too, so that trace ids reach logs and peers; they are just not sent.
    pub traces: SdkTracerProvider,
    pub metrics: Option<SdkMeterProvider>,
    pub logs: Option<SdkLoggerProvider>,
    /// Where to listen for Prometheus, and what to show it.
    pub scraped: Option<(std::net::SocketAddr, Registry)>,
}

/// The providers; the metrics' becomes the process's own before the others are made, since their queues count what they drop.
pub(super) fn providers(
    service: &'static str,
    config: &TelemetryConfig,
) -> Result<Providers, TelemetryError> {
    crate::install_crypto_provider();
    let resource = resource(service);
    let (metrics, scraped) = meters(&resource, config)?;
    if let Some(metrics) = &metrics {
        opentelemetry::global::set_meter_provider(metrics.clone());
        meter::set_period(config.metrics_every);
    }
    let Some(endpoint) = &config.otlp_endpoint else {
        // Ids alone: what nobody takes need not be recorded.
        let traces = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).build();
        return Ok(Providers { traces, metrics, logs: None, scraped });
    };
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.trace_ratio)));
    let traces = SdkTracerProvider::builder().with_resource(resource.clone()).with_sampler(sampler);
    let spans = SpanExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(EXPORT_PATIENCE);
    let spans = Counted::new(spans.build().map_err(failed)?, &SPANS_EXPORTED);
    let records = LogExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(EXPORT_PATIENCE);
    let records = Counted::new(records.build().map_err(failed)?, &LOGS_EXPORTED);
    let logs = SdkLoggerProvider::builder().with_resource(resource).with_batch_exporter(records).build();
    Ok(Providers { traces: traces.with_batch_exporter(spans).build(), metrics, logs: Some(logs), scraped })
}

type Meters = (Option<SdkMeterProvider>, Option<(std::net::SocketAddr, Registry)>);

/// Metrics for whoever takes them: a collector, Prometheus, both or nobody.
fn meters(resource: &Resource, config: &TelemetryConfig) -> Result<Meters, TelemetryError> {
    if config.otlp_endpoint.is_none() && config.metrics_listen.is_none() {
        return Ok((None, None));
    }
    let mut meters = SdkMeterProvider::builder().with_resource(resource.clone());
    if let Some(endpoint) = &config.otlp_endpoint {
        let points =
            MetricExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(EXPORT_PATIENCE);
        let points = points.build().map_err(failed)?;
        meters =
            meters.with_reader(PeriodicReader::builder(points).with_interval(config.metrics_every).build());
    }
    let mut scraped = None;
    if let Some(listen) = config.metrics_listen {
        let (exporter, registry) = scrape::exporter()?;
        meters = meters.with_reader(exporter);
        scraped = Some((listen, registry));
    }
    Ok((Some(meters.build()), scraped))
}

fn failed(error: impl std::fmt::Display) -> TelemetryError {
    TelemetryError::Otlp(error.to_string())
}

/// Who speaks. In Kubernetes the host's name is the pod's, which tells replicas apart.
fn resource(service: &'static str) -> Resource {
    let host = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
    let instance = host.unwrap_or_else(|| std::process::id().to_string());
    let attributes = [
        KeyValue::new("service.namespace", "eduhub"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", instance),
    ];
    Resource::builder().with_service_name(service).with_attributes(attributes).build()
}
