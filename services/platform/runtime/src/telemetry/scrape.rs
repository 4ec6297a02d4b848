//! Metrics for Prometheus to fetch.
use std::collections::HashSet;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::routing::get;
use opentelemetry::Key;
use opentelemetry_prometheus::{PrometheusExporter, ResourceSelector};
use prometheus::{Registry, TextEncoder};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::TelemetryError;

/// A reader of all metrics, and the registry that it fills. Every series names its service, so that a scrape and a collector give the
/// same series.
pub(super) fn exporter() -> Result<(PrometheusExporter, Registry), TelemetryError> {
    let registry = Registry::new();
    let named = HashSet::from([Key::from_static_str("service.name")]);
    let exporter = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .with_resource_selector(ResourceSelector::KeyAllowList(named))
        .scope_info_enabled(false)
        .build()
        .map_err(|error| TelemetryError::Scrape(error.to_string()))?;
    Ok((exporter, registry))
}

/// Answers `GET /metrics` until the set is dropped; gives the address that it is bound to.
pub(super) async fn serve(
    listen: SocketAddr,
    registry: Registry,
    tasks: &mut JoinSet<()>,
) -> Result<SocketAddr, TelemetryError> {
    let failed =
        |error: std::io::Error| TelemetryError::Scrape(format!("cannot listen on {listen}: {error}"));
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let router = Router::new().route("/metrics", get(page)).with_state(registry);
    tasks.spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::warn!(%error, "metrics are no longer served");
        }
    });
    Ok(address)
}

async fn page(State(registry): State<Registry>) -> Result<impl axum::response::IntoResponse, StatusCode> {
    // A few hundred series: well below a millisecond.
    let text = TextEncoder::new().encode_to_string(&registry.gather());
    let text = text.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text))
}
