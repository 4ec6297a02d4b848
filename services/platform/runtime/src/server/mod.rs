//! A gRPC server as every service runs it.
//!
//! Outermost first, a request passes: TLS, HTTP/2 limits, trace span and metrics, admission, deadline, then the
//! service's own routes (to which it has added its access layer, see [`layered`]). Health and reflection stand
//! beside those routes and need no access.

mod admission;
mod gather;
mod health;
mod methods;
mod serve;
mod signal;

use std::future::Future;
use std::sync::Arc;

use http::{Request, Response};
use tonic::body::Body;
use tonic::service::Routes;
use tower::{Layer, Service};

pub use methods::Methods;
pub use serve::{Bound, Drain, ServeError};
pub use signal::stop_signal;
/// The token of [`Server::draining`].
pub use tokio_util::sync::CancellationToken;

use crate::config::ServerConfig;
use health::Check;

/// A server being put together. [`Server::run`] is what a main calls; tests call [`Server::bind`] and
/// [`Bound::serve`] with their own end.
pub struct Server {
    name: &'static str,
    config: ServerConfig,
    routes: Routes,
    descriptors: Vec<&'static [u8]>,
    check: Check,
    draining: CancellationToken,
}

impl Server {
    /// `name` is the service's, as in `eduhub-registry`.
    pub fn new(name: &'static str, config: ServerConfig) -> Self {
        Self {
            name,
            config,
            routes: Routes::default(),
            descriptors: Vec::new(),
            check: Arc::new(|| Box::pin(std::future::ready(true))),
            draining: CancellationToken::new(),
        }
    }

    /// The services, with their access layer. Replaces what was given before.
    pub fn routes(mut self, routes: Routes) -> Self {
        self.routes = routes;
        self
    }

    /// The encoded `FileDescriptorSet` of the API. It says which calls are streams (no deadline, places of their
    /// own), which names metrics may use, and what reflection shows when it is enabled.
    pub fn descriptors(mut self, set: &'static [u8]) -> Self {
        self.descriptors.push(set);
        self
    }

    /// The readiness check, asked every 2 s and given 1.5 s: whether the service can answer (its database can).
    /// Without one it is ready once it is bound.
    pub fn ready_when<F, Fut>(mut self, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        self.check = Arc::new(move || Box::pin(check()));
        self
    }

    /// The token that is cancelled when the drain begins. Streams that end late or never wait for it and close with UNAVAILABLE:
    /// a watch at its cursor, a push after the batch in work; otherwise each drain takes its full time.
    pub fn draining(mut self, token: CancellationToken) -> Self {
        self.draining = token;
        self
    }
}

/// `routes` behind `layer`: how a service puts its access check before all of its own RPCs, and not before health.
pub fn layered<L>(routes: Routes, layer: L) -> Routes
where
    L: Layer<axum::routing::Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request<axum::body::Body>, Response = Response<Body>, Error = std::convert::Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    <L::Service as Service<Request<axum::body::Body>>>::Future: Send + 'static,
{
    Routes::from(routes.into_axum_router().layer(layer))
}
