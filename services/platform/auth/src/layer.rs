//! Stands before all RPCs of a service.
use crate::Verifier;
use crate::policy::{Access, Row, Table};
use eduhub_faults::{Fault, Reason};
use futures::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

/// Verifies the token of each call, applies the policy row of its RPC, and puts the [`crate::Caller`] into the request.
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

    async fn admit<B>(&self, request: &mut Request<B>) -> Result<(), Status> {
        let path = request.uri().path();
        let Some(row) = self.table.row(path) else {
            return Err(Status::unimplemented("no such method"));
        };
        // A caller that a peer might have planted never survives.
        request.extensions_mut().remove::<Arc<crate::Caller>>();
        self.check(row, request).await.map_err(Status::from)
    }

    async fn check<B>(&self, row: &Row, request: &mut Request<B>) -> Result<(), Fault> {
        if row.access == Access::Public {
            return Ok(());
        }
        let token = bearer(request.headers()).ok_or_else(|| Fault::new(Reason::Unauthenticated))?;
        let caller = self.verifier.verify(token).await?;
        self.table.check(row, Some(&caller))?;
        request.extensions_mut().insert(caller);
        Ok(())
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
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    B: Send + 'static,
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
            match rule.admit(&mut request).await {
                Ok(()) => Ok(inner.call(request).await?.map(Body::new)),
                Err(status) => Ok(status.into_http()),
            }
        })
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
