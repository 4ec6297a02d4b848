//! Stands before all RPCs of a service.
use crate::access::{Answer, Question, Reading};
use crate::policy::{Access, Row, Table};
use crate::{Caller, Verifier};
use eduhub_faults::{Fault, Reason};
use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

/// Verifies the token of each call, applies the policy row of its RPC, and puts the [`crate::Caller`] into the request. Calls that
/// may read personal data are told in the access log.
///
/// A refusal is a gRPC answer of trailers only. A path without a row never reaches a handler. Use it with
/// `eduhub_runtime::server::layered(routes, AuthLayer::new(verifier, table))`.
#[derive(Clone)]
pub struct AuthLayer {
    verifier: Verifier,
    table: Arc<Table>,
}

impl AuthLayer {
    /// Checks calls by this verifier and these rows.
    pub fn new(verifier: Verifier, table: Table) -> Self {
        Self { verifier, table: Arc::new(table) }
    }

    /// Lets a call in; with what keeps the access log of it, when there is one to keep.
    async fn admit<B>(&self, request: &mut Request<B>) -> Result<Option<Reading>, Status> {
        let path = request.uri().path();
        let Some(row) = self.table.row(path) else {
            return Err(Status::unimplemented("no such method"));
        };
        // A caller that a peer might have planted never survives.
        request.extensions_mut().remove::<Arc<Caller>>();
        if row.access == Access::Public {
            return Ok(None);
        }
        let caller = self.caller(request.headers()).await?;
        // An unknown caller reads nothing, and could fill the log.
        let reading = Reading::begin(self.table.personal(row.method), &caller);
        self.permit(row, &caller, reading).inspect(|_| _ = request.extensions_mut().insert(caller))
    }

    async fn caller(&self, headers: &HeaderMap) -> Result<Arc<Caller>, Fault> {
        let token = bearer(headers).ok_or_else(|| Fault::new(Reason::Unauthenticated))?;
        self.verifier.verify(token).await
    }

    /// Applies the row; a refusal is told, too.
    fn permit(
        &self,
        row: &Row,
        caller: &Caller,
        mut reading: Option<Reading>,
    ) -> Result<Option<Reading>, Status> {
        self.table.check(row, Some(caller)).map_err(|fault| {
            let status = Status::from(fault);
            reading.iter_mut().for_each(|reading| reading.set(status.code()));
            status
        })?;
        Ok(reading)
    }
}

/// The token of `authorization: Bearer <token>`; nothing when the header is there twice, since then nobody can say which counts.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthService { inner, rule: self.clone() }
    }
}

/// See [`AuthLayer`].
#[derive(Clone)]
pub struct AuthService<S> {
    inner: S,
    rule: AuthLayer,
}

impl<S, B, R> Service<Request<B>> for AuthService<S>
where
    S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    B: http_body::Body<Data = <Body as http_body::Body>::Data> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    R: http_body::Body<Data = <Body as http_body::Body>::Data> + Send + 'static,
    R::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The instance that was polled ready must take the call; the clone waits for the next.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let rule = self.rule.clone();
        Box::pin(async move {
            let mut reading = match rule.admit(&mut request).await {
                Ok(reading) => reading,
                Err(status) => return Ok(status.into_http()),
            };
            let request = request.map(|body| question(Body::new(body), reading.as_ref()));
            let response = inner.call(request).await?.map(Body::new);
            if let Some(reading) = &mut reading {
                reading.see(response.headers());
                reading.opened();
            }
            Ok(match reading {
                Some(reading) => response.map(|body| Body::new(Answer::new(body, reading))),
                None => response,
            })
        })
    }
}

fn question(body: Body, reading: Option<&Reading>) -> Body {
    match reading.filter(|reading| reading.personal().asks()) {
        Some(reading) => Body::new(Question::new(body, reading)),
        None => body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_bearer_token() {
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, http::HeaderValue::from_static(value));
            }
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(read(&["Bearer abc"]), Some("abc".into()));
        assert_eq!(read(&["bearer abc"]), Some("abc".into()));
        assert_eq!(read(&["Basic abc"]), None);
        assert_eq!(read(&["Bearer"]), None);
        assert_eq!(read(&[]), None);
        assert_eq!(read(&["Bearer a", "Bearer b"]), None);
    }
}
