use std::time::Duration;

use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

use super::{TelemetryConfig, TelemetryError};

/// A collector next door answers in milliseconds; one that takes longer is dead.
const EXPORT_PATIENCE: Duration = Duration::from_secs(2);

/// The providers. Traces exist without a collector too, so that trace ids reach logs and peers; they are just not
/// sent.
pub(super) fn providers(
    service: &'static str,
    config: &TelemetryConfig,
) -> Result<(SdkTracerProvider, Option<SdkMeterProvider>), TelemetryError> {
    let resource = Resource::builder().with_service_name(service).build();
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.trace_ratio)));
    let traces = SdkTracerProvider::builder().with_resource(resource.clone()).with_sampler(sampler);
    let Some(endpoint) = &config.otlp_endpoint else {
        return Ok((traces.build(), None));
    };
    crate::install_crypto_provider();
    let failed = |error: &dyn std::fmt::Display| TelemetryError::Otlp(error.to_string());
    let spans = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(EXPORT_PATIENCE)
        .build()
        .map_err(|error| failed(&error))?;
    let points = MetricExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(EXPORT_PATIENCE)
        .build()
        .map_err(|error| failed(&error))?;
    let metrics = SdkMeterProvider::builder().with_resource(resource).with_periodic_exporter(points).build();
    Ok((traces.with_batch_exporter(spans).build(), Some(metrics)))
}
