//! What every EduHub process needs to run, and nothing of the school domain.
//!
//! - [`config`]: settings from the environment and a file, every mistake reported at once;
//! - [`telemetry`]: JSON logs that carry the trace id, OTLP traces and metrics;
//! - [`meter`], [`metrics`]: metrics as tables of rows, and the rows of every service;
//! - [`propagation`]: the W3C trace context in and out of calls, and across stored work;
//! - [`deadline`]: the caller's deadline, enforced and passed on;
//! - [`server`]: a gRPC server with TLS, limits, health, and a drain that ends;
//! - [`client`]: channels to peers that carry context and deadline;
//! - [`probe`]: the question the `healthcheck` subcommand asks.
//!
//! A service's main reads: telemetry, configuration, pool, schema, [`server::Server::run`], telemetry down
//! (design section 9).

pub mod client;
pub mod config;
mod crypto;
pub mod deadline;
pub mod meter;
pub mod metrics;
pub mod probe;
pub mod program;
pub mod propagation;
pub mod server;
pub mod telemetry;

pub use crypto::install_crypto_provider;

/// Bytes that a peer may send on one stream before it is read: more than the largest usual batch of a push. A fixed window, since
/// the adaptive one sends a ping for nearly every small message.
pub(crate) const STREAM_WINDOW: u32 = 1 << 20;
/// Bytes on all streams of a connection.
pub(crate) const CONNECTION_WINDOW: u32 = 4 << 20;

/// A service takes apart and builds messages of many small texts: a third of its time went to the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
