//! A small gRPC service for the tests: `Wait` (unary) answers after the milliseconds it is sent, `Count` (server
//! stream) sends a number each 10 ms until it has sent as many, or until the drain begins.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use eduhub_runtime::config::ServerConfig;
use eduhub_runtime::server::{Bound, Server};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use http::uri::PathAndQuery;
use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, ServerStreamingService, UnaryService};
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::Service;

/// Milliseconds to wait, or numbers to count.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Amount {
    #[prost(uint64, tag = "1")]
    pub value: u64,
}

#[derive(Clone)]
pub struct Echo {
    pub draining: CancellationToken,
}

impl NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

/// What `Wait` returns: milliseconds that were left of the deadline when it began.
async fn wait(amount: Amount) -> Result<Response<Amount>, Status> {
    let left = eduhub_runtime::deadline::remaining().unwrap_or_default();
    tokio::time::sleep(Duration::from_millis(amount.value)).await;
    Ok(Response::new(Amount { value: left.as_millis() as u64 }))
}

fn count(amount: Amount, draining: CancellationToken) -> BoxStream<'static, Result<Amount, Status>> {
    let numbers = futures::stream::unfold((0, draining), move |(next, draining)| async move {
        if next == amount.value {
            return None;
        }
        tokio::select! {
            () = draining.cancelled() => None,
            () = tokio::time::sleep(Duration::from_millis(10)) => Some((Ok(Amount { value: next }), (next + 1, draining))),
        }
    });
    Box::pin(numbers)
}

struct Wait;
struct Count(CancellationToken);

impl UnaryService<Amount> for Wait {
    type Response = Amount;
    type Future = BoxFuture<'static, Result<Response<Amount>, Status>>;

    fn call(&mut self, request: Request<Amount>) -> Self::Future {
        Box::pin(wait(request.into_inner()))
    }
}

impl ServerStreamingService<Amount> for Count {
    type Response = Amount;
    type ResponseStream = BoxStream<'static, Result<Amount, Status>>;
    type Future = BoxFuture<'static, Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<Amount>) -> Self::Future {
        let stream = count(request.into_inner(), self.0.clone());
        Box::pin(std::future::ready(Ok(Response::new(stream))))
    }
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let draining = self.draining.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Amount, Amount>::default());
            Ok(match request.uri().path() {
                "/test.Echo/Wait" => grpc.unary(Wait, request).await,
                "/test.Echo/Count" => grpc.server_streaming(Count(draining), request).await,
                _ => Status::unimplemented("").into_http(),
            })
        })
    }
}

/// The descriptors of [`Echo`], as the proto compiler would give them.
pub fn descriptors() -> &'static [u8] {
    let method = |name: &str, stream: bool| MethodDescriptorProto {
        name: Some(name.into()),
        input_type: Some(".test.Amount".into()),
        output_type: Some(".test.Amount".into()),
        server_streaming: Some(stream),
        ..Default::default()
    };
    let message = prost_types::DescriptorProto { name: Some("Amount".into()), ..Default::default() };
    let service = ServiceDescriptorProto {
        name: Some("Echo".into()),
        method: vec![method("Wait", false), method("Count", true)],
        ..Default::default()
    };
    let file = FileDescriptorProto {
        name: Some("test.proto".into()),
        package: Some("test".into()),
        syntax: Some("proto3".into()),
        message_type: vec![message],
        service: vec![service],
        ..Default::default()
    };
    FileDescriptorSet { file: vec![file] }.encode_to_vec().leak()
}

/// A running server; dropping it does not stop it, cancelling `stop` does.
pub struct Running {
    pub url: String,
    pub stop: CancellationToken,
    pub ended:
        tokio::task::JoinHandle<Result<eduhub_runtime::server::Drain, eduhub_runtime::server::ServeError>>,
}

/// Starts [`Echo`] with `config`; `tune` may change the server before it binds.
pub async fn start(config: ServerConfig, tune: impl FnOnce(Server) -> Server) -> Running {
    let scheme = if config.tls.serves_tls() { "https" } else { "http" };
    let draining = CancellationToken::new();
    let routes = Routes::new(Echo { draining: draining.clone() });
    let server = Server::new("echo", config).descriptors(descriptors()).routes(routes).draining(draining);
    let bound: Bound = tune(server).bind().await.unwrap();
    let url = format!("{scheme}://localhost:{}", bound.local_addr().port());
    let stop = CancellationToken::new();
    let asked = stop.clone();
    let ended = tokio::spawn(bound.serve(async move { asked.cancelled().await }));
    Running { url, stop, ended }
}

/// A client over any channel.
pub struct Client<C>(tonic::client::Grpc<C>);

impl<C> Client<C>
where
    C: tonic::client::GrpcService<Body>,
    C::ResponseBody: http_body::Body<Data = tonic::codegen::Bytes> + Send + 'static,
    <C::ResponseBody as http_body::Body>::Error: Into<tonic::codegen::StdError> + Send,
    C::Error: std::fmt::Debug,
{
    pub fn new(channel: C) -> Self {
        Self(tonic::client::Grpc::new(channel))
    }

    pub async fn wait(&mut self, millis: u64) -> Result<u64, Status> {
        self.0.ready().await.map_err(|e| Status::unavailable(format!("{:?}", e)))?;
        let path = PathAndQuery::from_static("/test.Echo/Wait");
        let request = Request::new(Amount { value: millis });
        let codec = ProstCodec::<Amount, Amount>::default();
        Ok(self.0.unary(request, path, codec).await?.into_inner().value)
    }

    pub async fn count(&mut self, numbers: u64) -> Result<Streaming<Amount>, Status> {
        self.0.ready().await.map_err(|e| Status::unavailable(format!("{:?}", e)))?;
        let path = PathAndQuery::from_static("/test.Echo/Count");
        let request = Request::new(Amount { value: numbers });
        let codec = ProstCodec::<Amount, Amount>::default();
        Ok(self.0.server_streaming(request, path, codec).await?.into_inner())
    }
}
