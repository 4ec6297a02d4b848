use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::body::Body;
use tonic_types::{ErrorDetails, StatusExt};
use tower::{Layer, Service};

use super::Methods;
use crate::meter::{BoundCounter, KeyValue};
use crate::metrics::REFUSED_CALLS;

/// Sheds what a server can't take: above the limit the answer is RESOURCE_EXHAUSTED with a retry hint, at once.
///
/// Unary calls and streams have separate places, so bulk pushes never take those of officers' requests. A stream
/// holds its place until its last byte is sent. Health checks always pass.
#[derive(Clone)]
pub(super) struct AdmissionLayer {
    methods: Arc<Methods>,
    unary: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    /// By kind of place, unary first.
    refused: [BoundCounter<u64>; 2],
}

impl AdmissionLayer {
    pub(super) fn new(methods: Arc<Methods>, unary: usize, streams: usize) -> Self {
        let refused = REFUSED_CALLS.counter();
        let refused = ["unary", "streams"].map(|place| refused.bind(&[KeyValue::new("place", place)]));
        let (unary, streams) = (Arc::new(Semaphore::new(unary)), Arc::new(Semaphore::new(streams)));
        Self { methods, unary, streams, refused }
    }

    fn admit(&self, path: &str) -> Result<Option<OwnedSemaphorePermit>, tonic::Status> {
        if path.starts_with("/grpc.health.v1.Health/") {
            return Ok(None);
        }
        let [unary, streams] = &self.refused;
        let (places, what, refused) = if self.methods.is_stream(path) {
            (&self.streams, "streams", streams)
        } else {
            (&self.unary, "requests", unary)
        };
        let permit = places.clone().try_acquire_owned();
        permit.map(Some).map_err(|_| {
            refused.add(1);
            let mut details = ErrorDetails::new();
            details.set_retry_info(Some(Duration::from_secs(1)));
            let text = format!("the server is at its limit of open {what}; try again");
            tonic::Status::with_error_details(tonic::Code::ResourceExhausted, text, details)
        })
    }
}

impl<S> Layer<S> for AdmissionLayer {
    type Service = Admission<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Admission { inner, rule: self.clone() }
    }
}

#[derive(Clone)]
pub(super) struct Admission<S> {
    inner: S,
    rule: AdmissionLayer,
}

impl<S> Service<Request<Body>> for Admission<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let permit = match self.rule.admit(request.uri().path()) {
            Ok(permit) => permit,
            Err(status) => return Box::pin(std::future::ready(Ok(status.into_http()))),
        };
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await?;
            Ok(response.map(|inner| Body::new(Held { inner, _permit: permit })))
        })
    }
}

/// A body that keeps its call's place until it has been sent or dropped.
struct Held {
    inner: Body,
    _permit: Option<OwnedSemaphorePermit>,
}

impl http_body::Body for Held {
    type Data = <Body as http_body::Body>::Data;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
