//! A client with many requests on the way.
use anyhow::Result;
use eduhub_cli::server::Session;
use eduhub_proto::{
    common::v1::GetRecordRequest,
    registry::v1::{Change, record_service_client::RecordServiceClient},
};
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codegen::{Bytes, InterceptedService, StdError};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

/// Requests on the way at once, over all connections.
pub const IN_FLIGHT: usize = 64;
/// Connections.
pub const CONNECTIONS: usize = 4;

/// Times of single requests.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// The time that so many of a hundred requests stay below.
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        sorted
            .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    }

    /// Requests.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True without requests.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// `p50 1.2 ms, p99 4.8 ms`.
    pub fn line(&self) -> String {
        let ms = |percent| self.percentile(percent).as_secs_f64() * 1e3;
        format!("p50 {:.2} ms, p99 {:.2} ms", ms(50), ms(99))
    }
}

/// Connections, each with a token if there is one: a plain channel of tonic's with nothing around it, for the yardstick and for
/// the service alike.
///
/// # Errors
/// When one can't be opened.
pub async fn clients_of(
    url: &str,
    ca: &[u8],
    session: Option<&Session>,
) -> Result<Vec<RecordServiceClient<InterceptedService<Channel, Bearer>>>> {
    let bearer = match session {
        Some(session) => {
            let token = session.first_token().token.expose_secret();
            Bearer(Some(MetadataValue::try_from(format!("Bearer {token}"))?))
        }
        None => Bearer(None),
    };
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let endpoint = Endpoint::from_shared(url.to_owned())?.tcp_nodelay(true);
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca));
        let channel = endpoint.tls_config(tls)?.connect().await?;
        clients.push(RecordServiceClient::with_interceptor(channel, bearer.clone()));
    }
    Ok(clients)
}

/// Sends a token.
#[derive(Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// Asks for all these records over the clients, each of which is one connection.
///
/// # Errors
/// The first refusal.
pub async fn ask<T>(
    clients: &[RecordServiceClient<T>],
    requests: &Arc<Vec<GetRecordRequest>>,
) -> Result<Times>
where
    T: GrpcService<Body> + Clone + Send + Sync + 'static,
    T::Error: Into<StdError>,
    T::Future: Send,
    T::ResponseBody: tonic::transport::Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as tonic::transport::Body>::Error: Into<StdError> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..IN_FLIGHT {
        let (mut client, requests, next) =
            (clients[n % clients.len()].clone(), requests.clone(), next.clone());
        tasks.spawn(async move {
            let mut times = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(at) else { return Ok::<_, anyhow::Error>(times) };
                let started = Instant::now();
                let answer: Change = client.get_record(request.clone()).await?.into_inner();
                times.push(started.elapsed());
                anyhow::ensure!(answer.header.is_some(), "an empty answer");
            }
        });
    }
    let mut all = Times::default();
    while let Some(done) = tasks.join_next().await {
        all.0.extend(done??);
    }
    Ok(all)
}
