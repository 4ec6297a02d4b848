use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use http::HeaderMap;
use http_body::{Frame, SizeHint};
use tonic::Code;
use tonic::body::Body;
use tracing::Span;

use super::metrics::CallMetrics;

/// One call from its first to its last byte. Ends when it is dropped; a call that is dropped before any status was
/// sent was cancelled by its caller.
pub(super) struct Call {
    span: Span,
    metrics: CallMetrics,
    /// Number of the method.
    method: usize,
    began: Instant,
    code: Option<Code>,
}

impl Call {
    pub(super) fn begin(span: Span, metrics: CallMetrics, method: usize) -> Self {
        metrics.begin(method);
        Self { span, metrics, method, began: Instant::now(), code: None }
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// Takes the status out of headers or trailers, if it is there.
    pub(super) fn see(&mut self, headers: &HeaderMap) {
        if let Some(value) = headers.get("grpc-status") {
            self.code = Some(Code::from_bytes(value.as_bytes()));
        }
    }

    pub(super) fn set(&mut self, code: Code) {
        self.code = Some(code);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let code = self.code.unwrap_or(Code::Cancelled);
        self.span.record("rpc.grpc.status_code", code as i32);
        if is_server_fault(code) {
            self.span.record("otel.status_code", "ERROR");
        }
        self.metrics.end(self.method, code, self.began.elapsed());
    }
}

/// The codes that are the server's fault (OpenTelemetry semantic conventions for RPC servers).
fn is_server_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// A body that reports to its call and runs inside the call's span, so that what a stream does belongs to it.
pub(super) struct Observed {
    inner: Body,
    call: Call,
}

impl Observed {
    pub(super) fn new(inner: Body, call: Call) -> Self {
        Self { inner, call }
    }
}

impl http_body::Body for Observed {
    type Data = <Body as http_body::Body>::Data;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        let polled = this.call.span.in_scope(|| Pin::new(&mut this.inner).poll_frame(cx));
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.call.see(trailers);
                }
            }
            Poll::Ready(Some(Err(status))) => this.call.set(status.code()),
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
