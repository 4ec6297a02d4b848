//! Traces and metrics as a collector receives them, in a process of its own (telemetry is process-wide).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod echo;

use std::sync::{Arc, Mutex};

use echo::{Client, start};
use eduhub_runtime::client::{ClientTls, channel};
use eduhub_runtime::config::ServerConfig;
use eduhub_runtime::propagation::{CALLS, current_traceparent, span_from_traceparent};
use eduhub_runtime::telemetry::{TelemetryConfig, TelemetryError, init_with};
use opentelemetry_proto::tonic::collector::metrics::v1 as metrics;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server as metrics_server;
use opentelemetry_proto::tonic::collector::trace::v1 as traces;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server as trace_server;
use opentelemetry_proto::tonic::trace::v1::Span;
use tonic::{Request, Response, Status};
use tracing::Instrument;

#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    metrics: Arc<Mutex<String>>,
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
        .add_service(metrics_server::MetricsServiceServer::new(collector.clone()));
    tokio::spawn(server.serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener)));
    (collector, url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_from_the_caller_through_the_server_to_later_work() {
    let (collector, url) = collector().await;
    let config = TelemetryConfig { log: "off".into(), otlp_endpoint: Some(url), trace_ratio: 1.0 };
    let telemetry = init_with("echo", config.clone()).unwrap();
    assert!(matches!(init_with("echo", config), Err(TelemetryError::Started)));
    let running = start(ServerConfig::for_tests(), |s| s).await;
    let mut client = Client::new(channel(&running.url, &ClientTls::default()).unwrap());

    let stored = async {
        client.wait(1).await.unwrap();
        let mut numbers = client.count(3).await.unwrap();
        while numbers.message().await.unwrap().is_some() {}
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
    for part in [CALLS, "eduhub.rpc.server.duration", "\"Wait\"", "\"test.Echo\""] {
        assert!(points.contains(part), "{part} is missing");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
