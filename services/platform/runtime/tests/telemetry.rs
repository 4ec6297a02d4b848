//! Traces and metrics as a collector receives them, in a process of its own (telemetry is process-wide).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod echo;

use std::sync::{Arc, Mutex};

use echo::{Client, start};
use eduhub_runtime::client::{ClientTls, channel};
use eduhub_runtime::config::ServerConfig;
use eduhub_runtime::propagation::{current_traceparent, span_from_traceparent};
use eduhub_runtime::telemetry::{TelemetryConfig, TelemetryError, init_with};
use opentelemetry_proto::tonic::collector::logs::v1 as logs;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server as logs_server;
use opentelemetry_proto::tonic::collector::metrics::v1 as metrics;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server as metrics_server;
use opentelemetry_proto::tonic::collector::trace::v1 as traces;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server as trace_server;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use tonic::{Request, Response, Status};
use tracing::Instrument;

#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    metrics: Arc<Mutex<String>>,
    logs: Arc<Mutex<Vec<LogRecord>>>,
}

#[tonic::async_trait]
impl logs_server::LogsService for Collector {
    async fn export(
        &self,
        request: Request<logs::ExportLogsServiceRequest>,
    ) -> Result<Response<logs::ExportLogsServiceResponse>, Status> {
        let resources = request.into_inner().resource_logs.into_iter();
        let records = resources.flat_map(|r| r.scope_logs).flat_map(|s| s.log_records);
        self.logs.lock().unwrap().extend(records);
        Ok(Response::new(logs::ExportLogsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl trace_server::TraceService for Collector {
    async fn export(
        &self,
        request: Request<traces::ExportTraceServiceRequest>,
    ) -> Result<Response<traces::ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans.into_iter();
        let spans = resources.flat_map(|r| r.scope_spans).flat_map(|s| s.spans);
        self.spans.lock().unwrap().extend(spans);
        Ok(Response::new(traces::ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl metrics_server::MetricsService for Collector {
    async fn export(
        &self,
        request: Request<metrics::ExportMetricsServiceRequest>,
    ) -> Result<Response<metrics::ExportMetricsServiceResponse>, Status> {
        self.metrics.lock().unwrap().push_str(&format!("{:?}", request.into_inner()));
        Ok(Response::new(metrics::ExportMetricsServiceResponse::default()))
    }
}

async fn collector() -> (Collector, String) {
    let collector = Collector::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tonic::transport::Server::builder()
        .add_service(trace_server::TraceServiceServer::new(collector.clone()))
        .add_service(logs_server::LogsServiceServer::new(collector.clone()))
        .add_service(metrics_server::MetricsServiceServer::new(collector.clone()));
    tokio::spawn(server.serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener)));
    (collector, url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_from_the_caller_through_the_server_to_later_work() {
    let (collector, url) = collector().await;
    let log = "off,telemetry=info".into();
    let config = TelemetryConfig { log, otlp_endpoint: Some(url), ..TelemetryConfig::default() };
    let telemetry = init_with("echo", config.clone()).unwrap();
    assert!(matches!(init_with("echo", config), Err(TelemetryError::Started)));
    let running = start(ServerConfig::for_tests(), |s| s).await;
    let mut client = Client::new(channel(&running.url, &ClientTls::default()).unwrap());

    let stored = async {
        client.wait(1).await.unwrap();
        let mut numbers = client.count(3).await.unwrap();
        while numbers.message().await.unwrap().is_some() {}
        tracing::info!(rows = 3, "counted");
        tracing::debug!("below the filter");
        current_traceparent().unwrap()
    }
    .instrument(tracing::info_span!("caller"))
    .await;
    span_from_traceparent("ledger.send", &stored).in_scope(|| ());
    span_from_traceparent("ledger.rubbish", "00-rubbish").in_scope(|| ());
    telemetry.shutdown().await;

    let spans = collector.spans.lock().unwrap().clone();
    let named = |name: &str| {
        let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
        assert_eq!(found.len(), 1, "{name} in {:?}", spans.iter().map(|s| &s.name).collect::<Vec<_>>());
        found[0].clone()
    };
    let caller = named("caller");
    for name in ["test.Echo/Wait", "test.Echo/Count", "ledger.send"] {
        let span = named(name);
        assert_eq!(span.trace_id, caller.trace_id, "{name}");
        assert_eq!(span.parent_span_id, caller.span_id, "{name}");
    }
    assert!(stored.contains(&hex(&caller.trace_id)));
    assert_ne!(named("ledger.rubbish").trace_id, caller.trace_id);
    assert_eq!(
        spans.len(),
        5,
        "the exporter traced itself: {:?}",
        spans.iter().map(|s| &s.name).collect::<Vec<_>>()
    );
    let status =
        |span: &Span| format!("{:?}", span.attributes.iter().find(|a| a.key == "rpc.grpc.status_code"));
    assert!(
        status(&named("test.Echo/Count")).contains("IntValue(0)"),
        "{}",
        status(&named("test.Echo/Count"))
    );

    let points = collector.metrics.lock().unwrap().clone();
    for part in ["rpc.server.call.duration", "eduhub.rpc.server.open", "\"test.Echo/Wait\"", "\"OK\""] {
        assert!(points.contains(part), "{part} is missing");
    }
    let records = collector.logs.lock().unwrap().clone();
    let [line] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((&line.trace_id, &line.span_id), (&caller.trace_id, &caller.span_id));
    assert!(format!("{line:?}").contains("counted"), "{line:?}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
