//! Exporters that count what became of what they were given. Queues count what they drop by themselves.
use std::time::Duration;

use opentelemetry::metrics::Counter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::meter::{KeyValue, Metric};

/// An exporter that counts.
#[derive(Debug)]
pub(super) struct Counted<E> {
    inner: E,
    exported: Counter<u64>,
}

impl<E> Counted<E> {
    pub(super) fn new(inner: E, metric: &Metric) -> Self {
        Self { inner, exported: metric.counter() }
    }

    fn count(&self, items: usize, outcome: &OTelSdkResult) {
        let failed = [KeyValue::new("error.type", "export_failed")];
        self.exported.add(items as u64, if outcome.is_ok() { &[] } else { &failed });
    }
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let outcome = self.inner.export(batch).await;
        self.count(spans, &outcome);
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<E: LogExporter> LogExporter for Counted<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let records = batch.iter().count();
        let outcome = self.inner.export(batch).await;
        self.count(records, &outcome);
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
