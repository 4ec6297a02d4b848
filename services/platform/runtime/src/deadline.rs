//! The caller's deadline: enforced for unary calls, and passed on to the calls made while answering.
//!
//! tonic's own timeout reports CANCELLED and knows nothing of the calls behind; this one reports
//! DEADLINE_EXCEEDED and travels. Streaming calls have no deadline of their own: their handlers bound each step.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use tokio::time::Instant;
use tonic::body::Body;
use tower::{Layer, Service};

use crate::server::Methods;

const HEADER: &str = "grpc-timeout";

tokio::task_local! {
    static DEADLINE: Instant;
}

/// What is left until the deadline of the request being answered; `None` outside of one. Zero when it has passed.
///
/// A task made by `tokio::spawn` has none: hand it over with [`within`].
pub fn remaining() -> Option<Duration> {
    DEADLINE.try_with(|at| at.saturating_duration_since(Instant::now())).ok()
}

/// Runs `work` under a deadline of `limit` from now (or the current one, when that is sooner), so that calls made
/// in it carry it. `None` when it passes; `work` is then dropped.
pub async fn within<F: Future>(limit: Duration, work: F) -> Option<F::Output> {
    let limit = remaining().map_or(limit, |left| left.min(limit));
    let at = Instant::now() + limit;
    tokio::time::timeout_at(at, DEADLINE.scope(at, work)).await.ok()
}

/// Enforces `grpc-timeout`, or the default when there is none, on unary calls.
#[derive(Clone)]
pub struct DeadlineLayer {
    methods: Arc<Methods>,
    limit: Duration,
}

impl DeadlineLayer {
    /// `limit` is the default and the maximum; `methods` says which calls are streams.
    pub fn new(methods: Arc<Methods>, limit: Duration) -> Self {
        Self { methods, limit }
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService { inner, rule: self.clone() }
    }
}

/// See [`DeadlineLayer`].
#[derive(Clone)]
pub struct DeadlineService<S> {
    inner: S,
    rule: DeadlineLayer,
}

impl<S> Service<Request<Body>> for DeadlineService<S>
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
        if self.rule.methods.is_stream(request.uri().path()) {
            return Box::pin(self.inner.call(request));
        }
        let asked = timeout_of(request.headers()).unwrap_or(self.rule.limit).min(self.rule.limit);
        let answer = self.inner.call(request);
        Box::pin(async move {
            match within(ahead_of_tonic(asked), answer).await {
                Some(answer) => answer,
                None => {
                    Ok(tonic::Status::deadline_exceeded("the deadline of the request has passed").into_http())
                }
            }
        })
    }
}

/// tonic starts its own timer for the same header just before ours and answers CANCELLED, so ours ends first.
fn ahead_of_tonic(asked: Duration) -> Duration {
    asked.saturating_sub((asked / 20).clamp(Duration::from_millis(2), Duration::from_millis(20)))
}

/// Parses `grpc-timeout`: up to eight digits and a unit (gRPC over HTTP/2, "Timeout"). Anything else is ignored.
pub(crate) fn timeout_of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_units_of_grpc_and_ignores_the_rest() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, text.parse().unwrap());
            timeout_of(&headers)
        };
        assert_eq!(read("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(read("150m"), Some(Duration::from_millis(150)));
        assert_eq!(read("99999999n"), Some(Duration::from_nanos(99_999_999)));
        for odd in ["", "5", "S", "123456789S", "-1S", "+1S", "1x", "1.5S"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }

    #[tokio::test]
    async fn an_inner_limit_never_outlives_the_outer_one() {
        let two = Duration::from_secs(2);
        let seen = within(two, async {
            within(Duration::from_secs(60), async { remaining().unwrap() }).await.unwrap()
        });
        assert!(seen.await.unwrap() <= two);
        assert_eq!(within(Duration::from_millis(5), std::future::pending::<()>()).await, None);
        assert_eq!(remaining(), None);
    }
}
