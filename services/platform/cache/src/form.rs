//! The three ways to Redis, each by the client library's own means.
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, FromRedisValue, RedisResult,
    TlsCertificates, TlsMode,
};
use tokio::sync::Mutex;

use crate::address::{Address, Kind, Watched};

/// To one server: name look-up, TLS and signing in. Nobody waits for it but the task that opens.
const CONNECT: Duration = Duration::from_secs(2);
/// For answers that the library itself needs, such as the slots of a cluster. What callers wait stands in `remote`.
const ANSWER: Duration = Duration::from_millis(500);

/// How a connection is made.
#[derive(Clone)]
pub(crate) enum Form {
    One(Box<Client>),
    /// It keeps its connections to the Sentinels: a failover is no time to make new ones.
    Sentinel(Arc<Mutex<SentinelClient>>),
    Cluster(Box<ClusterClient>),
}

/// A connection; clones share it.
#[derive(Clone)]
pub(crate) enum Wire {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Form {
    pub(crate) fn of(address: Address, certificates: Option<TlsCertificates>) -> RedisResult<Self> {
        let Some(first) = address.nodes.first() else {
            return Err((ErrorKind::InvalidClientConfig, "no host").into());
        };
        Ok(match address.kind {
            Kind::One => Self::One(Box::new(match certificates {
                Some(certificates) => Client::build_with_tls(first.clone(), certificates)?,
                None => Client::open(first.clone())?,
            })),
            Kind::Sentinel(watched) => {
                let client = sentinel(first, &address.nodes, watched, address.tls, certificates)?;
                Self::Sentinel(Arc::new(Mutex::new(client)))
            }
            Kind::Cluster => Self::Cluster(Box::new(cluster(&address.nodes, certificates)?)),
        })
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::One(_) => "one address",
            Self::Sentinel(_) => "sentinel",
            Self::Cluster(_) => "cluster",
        }
    }

    /// Connects: to the server, to the primary of the moment, or to the nodes of the cluster.
    pub(crate) async fn open(&self) -> RedisResult<Wire> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        match self {
            Self::One(client) => {
                client.get_multiplexed_async_connection_with_config(&config).await.map(Wire::One)
            }
            Self::Sentinel(client) => {
                client.lock().await.get_async_connection_with_config(&config).await.map(Wire::One)
            }
            Self::Cluster(client) => client.get_async_connection().await.map(Wire::Cluster),
        }
    }
}

impl Wire {
    pub(crate) async fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        match self {
            Self::One(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }
}

/// `first` has what the URL says of Redis itself, `watched` what it says of the Sentinels.
fn sentinel(
    first: &ConnectionInfo,
    nodes: &[ConnectionInfo],
    watched: Watched,
    tls: bool,
    certificates: Option<TlsCertificates>,
) -> RedisResult<SentinelClient> {
    let places = nodes.iter().map(|node| node.addr().clone());
    let mut client = SentinelClientBuilder::new(places, &watched.name, SentinelServerType::Master)?;
    let redis = first.redis_settings();
    client = client.set_client_to_redis_db(redis.db());
    if let Some(user) = redis.username() {
        client = client.set_client_to_redis_username(user);
    }
    if let Some(password) = redis.password() {
        client = client.set_client_to_redis_password(password);
    }
    if let Some(user) = watched.user {
        client = client.set_client_to_sentinel_username(user);
    }
    if let Some(password) = watched.password {
        client = client.set_client_to_sentinel_password(password);
    }
    if tls {
        client = client.set_client_to_redis_tls_mode(TlsMode::Secure);
    }
    if let Some(certificates) = certificates {
        client = client
            .set_client_to_redis_certificates(certificates.clone())
            .set_client_to_sentinel_certificates(certificates);
    }
    client.build()
}

fn cluster(nodes: &[ConnectionInfo], certificates: Option<TlsCertificates>) -> RedisResult<ClusterClient> {
    // Enough to follow a slot that moved. A caller is gone long before more could help.
    let client = ClusterClient::builder(nodes.iter().cloned())
        .retries(3)
        .min_retry_wait(10)
        .max_retry_wait(50)
        .connection_timeout(CONNECT)
        .response_timeout(ANSWER);
    match certificates {
        Some(certificates) => client.certs(certificates).build(),
        None => client.build(),
    }
}
