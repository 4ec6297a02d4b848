//! An OpenTelemetry collector inside the test: keeps what the services export, and knows how to ask it.
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
    logs_service_server::{LogsService, LogsServiceServer},
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
    metrics_service_server::{MetricsService, MetricsServiceServer},
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// Who exports, and what.
#[derive(Clone, Default)]
pub struct Collector {
    spans: Arc<Mutex<Vec<Seen>>>,
    /// Log records by the trace that they belong to; those of none belong to the empty one.
    records: Arc<Mutex<BTreeMap<Vec<u8>, usize>>>,
    /// Every message as it came, for what must not be in any of them.
    raw: Arc<Mutex<Vec<u8>>>,
}

/// A span with the `service.name` of its resource.
#[derive(Clone)]
pub struct Seen {
    pub service: String,
    pub span: Span,
}

impl Collector {
    /// Listens on a free loopback port; gives the endpoint for `EDUHUB_OTLP_ENDPOINT`.
    pub async fn start() -> (Self, String) {
        let collector = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .add_service(LogsServiceServer::new(collector.clone()))
            .add_service(MetricsServiceServer::new(collector.clone()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        (collector, url)
    }

    /// The trace that a service's spans of this name belong to; there must be one.
    pub fn trace_of(&self, service: &str, span: &str) -> Trace {
        let spans = self.spans.lock().unwrap();
        let named = spans.iter().filter(|s| s.service == service && s.span.name == span);
        let ids: BTreeSet<Vec<u8>> = named.map(|s| s.span.trace_id.clone()).collect();
        assert_eq!(ids.len(), 1, "traces of {service} {span}; it exported {:?}", names(&spans, service));
        let id = ids.into_iter().next().unwrap();
        Trace(spans.iter().filter(|s| s.span.trace_id == id).cloned().collect())
    }

    /// How many spans each service exported.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for seen in self.spans.lock().unwrap().iter() {
            *counts.entry(seen.service.clone()).or_default() += 1;
        }
        counts
    }

    /// How many log records came: all, and those inside of a trace.
    pub fn records(&self) -> (usize, usize) {
        let records = self.records.lock().unwrap();
        let inside = records.iter().filter(|(trace, _)| trace.iter().any(|byte| *byte != 0));
        (records.values().sum(), inside.map(|(_, count)| count).sum())
    }

    /// All that was exported, as text: names, attributes, events, states, metrics, resources.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.raw.lock().unwrap()).into_owned()
    }

    fn keep(&self, message: &impl Message) {
        message.encode(&mut *self.raw.lock().unwrap()).unwrap();
    }
}

fn names<'a>(spans: &'a [Seen], service: &str) -> BTreeSet<&'a str> {
    spans.iter().filter(|s| s.service == service).map(|s| s.span.name.as_str()).collect()
}

/// All spans of one trace.
pub struct Trace(pub Vec<Seen>);

impl Trace {
    pub fn services(&self) -> BTreeSet<&str> {
        self.0.iter().map(|s| s.service.as_str()).collect()
    }

    /// One line per span, for messages of failed tests.
    pub fn story(&self) -> String {
        self.0.iter().map(|s| format!("\n  {} {}", s.service, s.span.name)).collect()
    }

    /// Names of a service's spans.
    pub fn names_of(&self, service: &str) -> BTreeSet<&str> {
        names(&self.0, service)
    }

    /// Spans of calls that a service made to somebody outside.
    pub fn calls_of(&self, service: &str) -> Vec<&Span> {
        let client = |s: &&Seen| s.service == service && s.span.kind == SpanKind::Client as i32;
        self.0.iter().filter(client).map(|s| &s.span).collect()
    }

    /// Spans whose parent nobody exported: the chain is broken there. The first span has none.
    pub fn orphans(&self) -> Vec<String> {
        let ids: BTreeSet<&[u8]> = self.0.iter().map(|s| s.span.span_id.as_slice()).collect();
        let orphan =
            |s: &&Seen| !s.span.parent_span_id.is_empty() && !ids.contains(s.span.parent_span_id.as_slice());
        self.0.iter().filter(orphan).map(|s| format!("{} {}", s.service, s.span.name)).collect()
    }

    /// Spans that begin the trace.
    pub fn roots(&self) -> Vec<String> {
        let root = |s: &&Seen| s.span.parent_span_id.is_empty();
        self.0.iter().filter(root).map(|s| format!("{} {}", s.service, s.span.name)).collect()
    }
}

fn service_name(attributes: &[KeyValue]) -> String {
    let name = attributes.iter().find(|a| a.key == "service.name");
    match name.and_then(|a| a.value.as_ref()).and_then(|v| v.value.as_ref()) {
        Some(Value::StringValue(name)) => name.clone(),
        other => panic!("a resource without service.name: {other:?}"),
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let request = request.into_inner();
        self.keep(&request);
        let mut spans = self.spans.lock().unwrap();
        for resource in request.resource_spans {
            let service = service_name(&resource.resource.unwrap_or_default().attributes);
            let of = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.extend(of.map(|span| Seen { service: service.clone(), span }));
        }
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let request = request.into_inner();
        self.keep(&request);
        let scopes = request.resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
        let mut records = self.records.lock().unwrap();
        for record in scopes.flat_map(|scope| scope.log_records) {
            *records.entry(record.trace_id).or_default() += 1;
        }
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.keep(&request.into_inner());
        Ok(Response::new(Default::default()))
    }
}
