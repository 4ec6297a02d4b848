use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::{Request, Response};
use tonic::Code;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::body::{Call, Observed};
use super::metrics::CallMetrics;
use super::{Incoming, continue_from};
use crate::server::Methods;

/// Opens the span `grpc.server` around each call, under the caller's trace when it sends one, and records its
/// status and duration on the span and as metrics. Build it after telemetry is started.
///
/// Health checks leave no span and no metric: they come every few seconds and say nothing new.
#[derive(Clone)]
pub struct TraceLayer {
    methods: Arc<Methods>,
    metrics: CallMetrics,
}

impl TraceLayer {
    /// `methods` gives the names that spans and metrics may use.
    pub fn new(methods: Arc<Methods>) -> Self {
        let metrics = CallMetrics::new(&methods);
        Self { methods, metrics }
    }

    fn open(&self, request: &Request<Body>) -> Call {
        let method = self.methods.at(request.uri().path());
        let span = tracing::info_span!(
            "grpc.server",
            otel.name = method.full.as_str(),
            otel.kind = "server",
            otel.status_code = Empty,
            rpc.system = "grpc",
            rpc.service = method.service(),
            rpc.method = method.name(),
            rpc.grpc.status_code = Empty,
        );
        continue_from(&span, &Incoming(request.headers()));
        Call::begin(span, self.metrics.clone(), method.number)
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = TraceService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TraceService { inner, rule: self.clone() }
    }
}

/// See [`TraceLayer`].
#[derive(Clone)]
pub struct TraceService<S> {
    inner: S,
    rule: TraceLayer,
}

impl<S> Service<Request<Body>> for TraceService<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if request.uri().path().starts_with("/grpc.health.v1.Health/") {
            return Box::pin(self.inner.call(request));
        }
        let mut call = self.rule.open(&request);
        let span: Span = call.span().clone();
        // Entering a span costs more than most of what is done in it: not here, where the work is only put together.
        let answer = self.inner.call(request);
        Box::pin(
            async move {
                match answer.await {
                    Ok(response) => {
                        // An answer of headers alone (most errors) has its status there.
                        call.see(response.headers());
                        Ok(response.map(|inner| Body::new(Observed::new(inner, call))))
                    }
                    Err(error) => {
                        call.set(Code::Unknown);
                        Err(error)
                    }
                }
            }
            .instrument(span),
        )
    }
}
