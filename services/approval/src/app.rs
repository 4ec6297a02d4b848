//! Puts the service together: stores, peers, routes, access.

use eduhub_auth::policy::{Gaps, Table};
use eduhub_auth::{AuthLayer, AuthedChannel, Verifier};
use eduhub_cache::Cache;
use eduhub_pg::PgPool;
use eduhub_proto::approval::v1::route_service_server::RouteServiceServer;
use eduhub_proto::approval::v1::submission_service_server::SubmissionServiceServer;
use eduhub_runtime::config::ServerConfig;
use eduhub_runtime::server::{Server, layered};
use tonic::service::Routes as GrpcRoutes;

use crate::peers::{Schools, Seals};
use crate::policy;
use crate::route::{RouteBook, Routes};
use crate::submission::Submissions;

/// Name of the service, as in its ready line and in traces.
pub const NAME: &str = "eduhub-approval";

/// What the service is built of.
pub struct Parts {
    /// Its database.
    pub pool: PgPool,
    /// Its cache.
    pub cache: Cache,
    /// Checks callers.
    pub verifier: Verifier,
    /// Registry, as this service.
    pub registry: AuthedChannel,
    /// Facility, as this service.
    pub facility: AuthedChannel,
}

/// The server, not yet bound.
///
/// # Errors
/// [`Gaps`] when an RPC has no policy row.
pub fn server(config: ServerConfig, parts: Parts) -> Result<Server, Gaps> {
    let table = Table::complete(policy::ROWS, policy::PACKAGE)?;
    let limit = config.limits.max_message_bytes;
    let Parts { pool, cache, verifier, registry, facility } = parts;
    let book = RouteBook::new(pool.clone(), cache.clone());
    let schools = Schools::new(registry.clone(), cache);
    let submissions = Submissions::new(pool.clone(), schools, Seals::new(registry, facility), book.clone());
    let submissions = SubmissionServiceServer::new(submissions)
        .max_decoding_message_size(limit)
        .max_encoding_message_size(limit);
    let routes = RouteServiceServer::new(Routes::new(pool.clone(), book))
        .max_decoding_message_size(limit)
        .max_encoding_message_size(limit);
    let all = GrpcRoutes::new(submissions).add_service(routes);
    Ok(Server::new(NAME, config)
        .routes(layered(all, AuthLayer::new(verifier, table)))
        .descriptors(eduhub_proto::DESCRIPTORS)
        .ready_when(move || {
            let pool = pool.clone();
            async move { eduhub_pg::is_up(&pool).await }
        }))
}
