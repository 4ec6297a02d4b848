use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};
use tonic_health::pb::health_server::HealthServer;

use super::admission::AdmissionLayer;
use super::gather::Gathering;
use super::health::{Check, Health};
use super::{Methods, Server, stop_signal};
use crate::config::{ServerConfig, ServerLimits, TlsConfig};
use crate::deadline::DeadlineLayer;
use crate::propagation::TraceLayer;

/// How long a peer may take to answer a keep-alive ping before it is cut.
const PING_PATIENCE: Duration = Duration::from_secs(10);

/// Why a server could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address can't be listened on.
    #[error("cannot listen on {0}: {1}")]
    Bind(SocketAddr, std::io::Error),
    /// Certificate or key are not usable.
    #[error("TLS: {0}")]
    Tls(tonic::transport::Error),
    /// A descriptor set does not decode, or reflection can't be built of it.
    #[error("API descriptors: {0}")]
    Descriptors(String),
    /// The accept loop ended by itself.
    #[error("the server stopped by itself: {0}")]
    Stopped(String),
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drain {
    /// Every call that was open got its answer.
    Clean,
    /// The time was up and open calls were left; ending the process ends them.
    Forced,
}

/// A server that listens: connections queue from here on, and are answered once [`Bound::serve`] runs.
pub struct Bound {
    name: &'static str,
    address: SocketAddr,
    incoming: TcpIncoming,
    config: ServerConfig,
    routes: Routes,
    methods: Arc<Methods>,
    health: Health,
    check: Check,
    draining: CancellationToken,
}

impl Server {
    /// Binds, serves until SIGTERM or SIGINT, drains. When it is first ready it prints one line on stdout:
    /// `<name> ready grpc=<address>`.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn run(self) -> Result<Drain, ServeError> {
        let stop = stop_signal();
        let bound = self.bind().await?;
        let line = format!("{} ready grpc={}\n", bound.name, bound.address);
        let announce = move || {
            let mut out = std::io::stdout().lock();
            // Nobody reads stdout: no reason to stop.
            let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
        };
        bound.serve_and(stop, announce).await
    }

    /// Binds the address without answering yet.
    ///
    /// # Errors
    /// [`ServeError::Bind`], [`ServeError::Descriptors`].
    pub async fn bind(self) -> Result<Bound, ServeError> {
        let listen = self.config.listen;
        let listener = TcpListener::bind(listen).await.map_err(|e| ServeError::Bind(listen, e))?;
        self.on(listener).await
    }

    /// As [`Server::bind`] on a listener that the caller has bound.
    ///
    /// # Errors
    /// [`ServeError::Bind`], [`ServeError::Descriptors`].
    pub async fn on(self, listener: TcpListener) -> Result<Bound, ServeError> {
        let address = listener.local_addr().map_err(|e| ServeError::Bind(self.config.listen, e))?;
        let descriptors = |error: &dyn std::fmt::Display| ServeError::Descriptors(error.to_string());
        let methods = Methods::from_descriptors(&self.descriptors).map_err(|e| descriptors(&e))?;
        let health = Health::new().await;
        let mut routes = self.routes.add_service(HealthServer::new(health.service()));
        if self.config.reflection {
            let mut builder = tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
            for set in &self.descriptors {
                builder = builder.register_encoded_file_descriptor_set(set);
            }
            routes = routes.add_service(builder.build_v1().map_err(|e| descriptors(&e))?);
        }
        Ok(Bound {
            name: self.name,
            address,
            // Without nodelay the first answer on a connection waits 20 ms; the builder's own setting is ignored
            // for a listener that is handed in.
            incoming: TcpIncoming::from(listener)
                .with_nodelay(Some(true))
                .with_keepalive(Some(PING_PATIENCE * 6)),
            config: self.config,
            routes,
            methods: Arc::new(methods),
            health,
            check: self.check,
            draining: self.draining,
        })
    }
}

impl Bound {
    /// The address that callers reach, with the port that was chosen.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`, then: not ready, drain, and after the configured time stop waiting.
    ///
    /// # Errors
    /// [`ServeError::Tls`], [`ServeError::Stopped`].
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send) -> Result<Drain, ServeError> {
        self.serve_and(shutdown, || ()).await
    }

    async fn serve_and(
        self,
        shutdown: impl Future<Output = ()> + Send,
        announce: impl FnOnce() + Send + 'static,
    ) -> Result<Drain, ServeError> {
        let mut builder = http2(&self.config.limits);
        if let Some(tls) = server_tls(&self.config.tls, self.config.limits.handshake) {
            crate::install_crypto_provider();
            builder = builder.tls_config(tls).map_err(ServeError::Tls)?;
        }
        let limits = &self.config.limits;
        let router = builder
            .layer(TraceLayer::new(self.methods.clone()))
            .layer(AdmissionLayer::new(self.methods.clone(), limits.max_in_flight, limits.max_open_streams))
            .layer(DeadlineLayer::new(self.methods.clone(), limits.request))
            .add_routes(self.routes);
        let draining = self.draining;
        let stop = draining.clone();
        let incoming = self.incoming.map_ok(Gathering::new);
        let serving = router.serve_with_incoming_shutdown(incoming, async move { stop.cancelled().await });
        let mut serving = tokio::spawn(serving);
        let readiness = tokio::spawn(self.health.follow(self.check, draining.clone(), announce));
        tracing::info!(service = self.name, address = %self.address, "listening");

        let ended = tokio::select! {
            ended = &mut serving => Some(ended),
            () = shutdown => None,
        };
        draining.cancel();
        // Not ready comes before the last connection closes, so that a balancer hears it on an open one.
        let _ = readiness.await;
        if let Some(ended) = ended {
            return Err(ServeError::Stopped(why(ended)));
        }
        match tokio::time::timeout(self.config.drain, &mut serving).await {
            Ok(Ok(Ok(()))) => Ok(Drain::Clean),
            Ok(ended) => Err(ServeError::Stopped(why(ended))),
            Err(_) => {
                serving.abort();
                tracing::warn!(
                    seconds = self.config.drain.as_secs(),
                    "calls were still open after the drain"
                );
                Ok(Drain::Forced)
            }
        }
    }
}

fn why(ended: Result<Result<(), tonic::transport::Error>, tokio::task::JoinError>) -> String {
    match ended {
        Ok(Ok(())) => "the listener closed".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    }
}

/// Everything that tonic and hyper leave open by default. `max_connection_age_grace` stays unset: it would cut streams that
/// live for hours, and with it tonic 0.14 never asks a connection to end by itself.
fn http2(limits: &ServerLimits) -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .max_concurrent_streams(limits.max_concurrent_streams)
        .http2_max_header_list_size(limits.max_header_bytes)
        .http2_keepalive_interval(Some(limits.keepalive))
        .http2_keepalive_timeout(Some(PING_PATIENCE))
        .max_connection_age(limits.connection)
        .initial_stream_window_size(Some(crate::STREAM_WINDOW))
        .initial_connection_window_size(Some(crate::CONNECTION_WINDOW))
        .http2_max_pending_accept_reset_streams(Some(64))
}

fn server_tls(tls: &TlsConfig, handshake: Duration) -> Option<ServerTlsConfig> {
    let (cert, key) = (tls.cert_pem.as_ref()?, tls.key_pem.as_ref()?);
    let config =
        ServerTlsConfig::new().identity(Identity::from_pem(cert, key.expose_secret())).timeout(handshake);
    Some(match &tls.client_ca_pem {
        Some(ca) => config.client_ca_root(Certificate::from_pem(ca)).client_auth_optional(true),
        None => config,
    })
}
