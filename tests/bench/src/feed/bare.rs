//! The yardstick of catching up: a bare tonic server with TLS that streams messages which it has in memory.
use crate::feed::consumer::LARGEST;
use crate::ground::Ground;
use crate::plan::Plan;
use crate::record::load;
use anyhow::{Context, Result};
use eduhub_proto::common::v1::{
    AcknowledgeRequest, CreateSubscriptionRequest, DeleteSubscriptionRequest, DeleteSubscriptionResponse,
    GetSubscriptionRequest, ListSubscriptionsRequest, Subscription, SubscriptionPage, WatchRequest,
};
use eduhub_proto::registry::v1::{
    WatchReply,
    feed_service_client::FeedServiceClient,
    feed_service_server::{FeedService, FeedServiceServer},
    watch_reply,
};
use eduhub_runtime::client::{ClientTls, channel};
use eduhub_stack::{Launch, Process, Warden};
use futures::stream::{self, BoxStream, StreamExt};
use prost::Message;
use prost::bytes::Buf;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

/// First argument of this program when it is to be the server.
pub const ARGUMENT: &str = "bare-stream";
const NAME: &str = "eduhub-bench-stream";

struct Bare(Arc<Vec<WatchReply>>);

fn none<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("a bare stream has no subscriptions"))
}

#[tonic::async_trait]
impl FeedService for Bare {
    type WatchStream = BoxStream<'static, Result<WatchReply, Status>>;

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let messages = self.0.clone();
        let all = (0..messages.len()).map(move |i| Ok(messages[i].clone()));
        Ok(Response::new(stream::iter(all).boxed()))
    }

    async fn create_subscription(
        &self,
        _: Request<CreateSubscriptionRequest>,
    ) -> Result<Response<Subscription>, Status> {
        none()
    }

    async fn get_subscription(
        &self,
        _: Request<GetSubscriptionRequest>,
    ) -> Result<Response<Subscription>, Status> {
        none()
    }

    async fn list_subscriptions(
        &self,
        _: Request<ListSubscriptionsRequest>,
    ) -> Result<Response<SubscriptionPage>, Status> {
        none()
    }

    async fn acknowledge(&self, _: Request<AcknowledgeRequest>) -> Result<Response<Subscription>, Status> {
        none()
    }

    async fn delete_subscription(
        &self,
        _: Request<DeleteSubscriptionRequest>,
    ) -> Result<Response<DeleteSubscriptionResponse>, Status> {
        none()
    }
}

/// Serves until killed: arguments are certificate, key and the file of messages.
///
/// # Errors
/// When it can't listen.
pub async fn serve(cert: &Path, key: &Path, messages: &Path) -> Result<()> {
    let bytes = std::fs::read(messages)?;
    let (mut rest, mut replies) = (bytes.as_slice(), Vec::new());
    while rest.has_remaining() {
        replies.push(WatchReply::decode_length_delimited(&mut rest)?);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut out = std::io::stdout();
    writeln!(out, "{NAME} ready grpc={address} load={}", load().replace(' ', "/"))?;
    out.flush()?;
    let identity = Identity::from_pem(std::fs::read(cert)?, std::fs::read(key)?);
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder()
        .tls_config(ServerTlsConfig::new().identity(identity))?
        .add_service(FeedServiceServer::new(Bare(Arc::new(replies))))
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}

/// The server as a process of its own. Ends with this value.
pub struct Running {
    _process: Process,
    _warden: Arc<Warden>,
    url: String,
}

impl Running {
    /// Starts it with the messages that it is to stream.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(plan: &Plan, ground: &Ground, messages: &Path) -> Result<Self> {
        let (certs, warden) = (ground.stack.certs(), Arc::new(Warden::start()?));
        let launch = Launch {
            name: NAME.to_owned(),
            program: std::env::current_exe()?,
            args: vec![
                ARGUMENT.into(),
                certs.cert.clone().into(),
                certs.key.clone().into(),
                messages.to_owned().into(),
            ],
            env: vec![],
            log: plan.dir.join("stream.log"),
        };
        let process = Process::start(launch, Duration::from_secs(30), &warden).await?;
        let address = process.announced().get("grpc").context("the stream said no address")?;
        let port = address.rsplit(':').next().context("no port")?;
        let url = format!("https://localhost:{port}");
        Ok(Self { _process: process, _warden: warden, url })
    }

    /// Reads all that it has; gives the number of events.
    ///
    /// # Errors
    /// The stream's.
    pub async fn read(&self, tls: &ClientTls) -> Result<usize> {
        let mut client = FeedServiceClient::new(channel(&self.url, tls)?).max_decoding_message_size(LARGEST);
        let mut stream = client.watch(WatchRequest::default()).await?.into_inner();
        let mut events = 0;
        while let Some(reply) = stream.message().await? {
            if let Some(watch_reply::Message::Changes(batch)) = reply.message {
                events += batch.changes.len();
            }
        }
        Ok(events)
    }
}
