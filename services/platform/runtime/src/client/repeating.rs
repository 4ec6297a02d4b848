//! A channel that asks again where the service config allows it, and wherever a request never left.

use std::error::Error;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::request::Parts;
use http::{HeaderValue, Request, Response};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, ConnectError, TimeoutExpired};
use tower::{Service, ServiceExt};

use super::repeats::{Policy, Repeats};
use super::unsent::{at_hand, never_left};
use crate::deadline;

/// How often a request that never left is sent anew: each time on another connection.
const UNSENT: u32 = 3;
const STATUS: &str = "grpc-status";
const TIMEOUT: &str = "grpc-timeout";

/// Calls `inner`, and again where [`Repeats`] says so. An answer that has begun is never asked for again.
///
/// A request that was still waiting when its connection took its leave (GOAWAY) never left; it goes out on the next
/// connection whatever its method is, as gRPC's transparent retry. A stream that is still being written is not sent anew.
#[derive(Clone, Debug)]
pub struct Repeating<S> {
    inner: S,
    repeats: Option<Arc<Repeats>>,
}

impl<S> Repeating<S> {
    pub(super) fn new(inner: S, repeats: Option<Arc<Repeats>>) -> Self {
        Self { inner, repeats }
    }
}

impl<S> Service<Request<Body>> for Repeating<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Error + Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let policy =
            self.repeats.as_ref().and_then(|r| Some((r.clone(), r.of(request.uri().path())?.clone())));
        let other = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, other);
        Box::pin(asked(ready, request, policy))
    }
}

async fn asked<S>(
    mut inner: S,
    request: Request<Body>,
    policy: Option<(Arc<Repeats>, Policy)>,
) -> Result<Response<Body>, S::Error>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Error: Error + 'static,
{
    let until = deadline::timeout_of(request.headers()).map(|limit| Instant::now() + limit);
    let (parts, body) = request.into_parts();
    let body = match at_hand(body) {
        Ok(body) => body,
        Err(body) => return inner.ready().await?.call(Request::from_parts(parts, body)).await,
    };
    let (mut attempt, mut unsent) = (1, 0);
    loop {
        let copy = again(&parts, until, Body::new(axum::body::Body::from(body.clone())));
        let answer = inner.ready().await?.call(copy).await;
        if unsent < UNSENT && answer.as_ref().is_err_and(|error| never_left(error)) {
            unsent += 1;
            continue;
        }
        let Some((repeats, policy)) = &policy else { return answer };
        let failed = match &answer {
            Ok(response) => refused(response).is_some_and(|code| policy.repeats(code)),
            Err(error) => policy.repeats(Code::Unavailable as i32) && is_lost(error),
        };
        let may = repeats.note(failed);
        let pause = policy.pause(attempt, chance());
        let in_time = until.is_none_or(|until| Instant::now() + pause < until);
        if !failed || !may || !in_time || attempt >= policy.attempts {
            return answer;
        }
        tokio::time::sleep(pause).await;
        attempt += 1;
    }
}

/// The request once more, with what is left of its time.
fn again(parts: &Parts, until: Option<Instant>, body: Body) -> Request<Body> {
    let mut request = Request::from_parts(parts.clone(), body);
    let left = until.map(|until| until.saturating_duration_since(Instant::now()));
    if let Some(value) =
        left.and_then(|left| HeaderValue::from_str(&format!("{}m", left.as_millis().min(99_999_999))).ok())
    {
        request.headers_mut().insert(TIMEOUT, value);
    }
    request
}

/// The code of an answer that is a refusal and nothing else.
fn refused(response: &Response<Body>) -> Option<i32> {
    response.headers().get(STATUS)?.to_str().ok()?.parse().ok()
}

/// The connection was not there or broke; a deadline that passed is something else.
fn is_lost(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.is::<ConnectError>() {
            return true;
        }
        if cause.is::<TimeoutExpired>() {
            return false;
        }
        next = cause.source();
    }
    true
}

fn chance() -> f64 {
    let drawn = std::hash::RandomState::new().build_hasher().finish() % 1_000;
    Duration::from_millis(drawn).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::super::repeats::EXAMPLE;
    use super::*;
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use tonic::Status;

    /// What the server sees of an attempt: its bytes and its time.
    type Seen = Arc<Mutex<Vec<(Vec<u8>, Duration)>>>;

    /// Answers with these codes, one after the other, then with success; `None` breaks the connection.
    async fn call(
        path: &str,
        codes: &[Option<Code>],
    ) -> (Result<Option<i32>, String>, Vec<(Vec<u8>, Duration)>) {
        let seen = Seen::default();
        let (noted, mut left) = (seen.clone(), VecDeque::from(codes.to_vec()));
        let next = Arc::new(Mutex::new(move || left.pop_front()));
        let server = tower::service_fn(move |request: Request<Body>| {
            let (noted, next) = (noted.clone(), next.clone());
            async move {
                let limit = deadline::timeout_of(request.headers()).unwrap();
                let body =
                    axum::body::to_bytes(axum::body::Body::new(request.into_body()), 1 << 20).await.unwrap();
                noted.lock().unwrap().push((body.to_vec(), limit));
                let answer = next.lock().unwrap()();
                match answer {
                    Some(Some(code)) => Ok(Status::new(code, "").into_http()),
                    Some(None) => Err(std::io::Error::other("connection reset")),
                    None => Ok(Response::new(Body::empty())),
                }
            }
        });
        let repeats = Arc::new(Repeats::parse(EXAMPLE).unwrap());
        let request = Request::builder().uri(format!("http://x{path}")).header(TIMEOUT, "2S");
        let request = request.body(Body::new(axum::body::Body::from("pupil"))).unwrap();
        let answer = Repeating::new(server, Some(repeats)).oneshot(request).await;
        let seen = seen.lock().unwrap().clone();
        (answer.map(|response| refused(&response)).map_err(|e| e.to_string()), seen)
    }

    #[tokio::test]
    async fn the_same_request_is_sent_again_until_somebody_answers() {
        let (answer, seen) = call("/a.B/C", &[Some(Code::Unavailable), None]).await;
        assert_eq!(answer, Ok(None));
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|(body, _)| body == b"pupil"));
        assert!(seen[0].1 > seen[2].1, "its time goes on: {seen:?}");
    }

    #[tokio::test]
    async fn it_ends_by_itself_and_asks_only_where_that_may_help() {
        let always = [Some(Code::Unavailable); 5];
        let (answer, seen) = call("/a.B/C", &always).await;
        assert_eq!((answer, seen.len()), (Ok(Some(14)), 3));
        for code in [Code::NotFound, Code::Internal, Code::ResourceExhausted, Code::DeadlineExceeded] {
            assert_eq!(call("/a.B/C", &[Some(code)]).await.1.len(), 1, "{code:?}");
        }
        // Not idempotent, or unknown.
        for path in ["/a.B/D", "/x.Y/Z"] {
            assert_eq!(call(path, &always).await.1.len(), 1, "{path}");
        }
        let timeout: Box<dyn Error> = Box::new(TimeoutExpired(()));
        assert!(!is_lost(timeout.as_ref()));
    }
}
