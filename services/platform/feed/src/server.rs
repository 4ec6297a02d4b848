//! `FeedService` of a service: the generated server would encode each change again for each consumer, so this one takes its
//! place, for every service that has a feed alike.
use crate::{
    head::Feed, outbox::Replies, reach::Reach, scope::Asked, stream::Following, subscription::Named,
    wire::Reply,
};
use bytes::BufMut;
use eduhub_auth::{Caller, Gate, caller};
use eduhub_changelog::RecordSet;
use eduhub_faults::Fault;
use eduhub_proto::common::v1::WatchRequest;
use futures::future::BoxFuture;
use std::{
    convert::Infallible,
    future::Future,
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll},
};
use tokio_util::sync::CancellationToken;
use tonic::{
    Request, Response, Status,
    body::Body,
    codec::{Codec, EncodeBuf, Encoder},
    server::{Grpc, NamedService},
};
use tonic_prost::{ProstCodec, ProstDecoder};

/// Changes in one batch when the consumer names no number.
const DEFAULT_BATCH: u32 = 1_000;
/// Changes in one batch at most.
const LARGEST_BATCH: u32 = 5_000;

/// The server; `N` is the generated one, whose name it takes.
pub struct FeedServer<S, N> {
    inner: Arc<Inner<S>>,
    name: PhantomData<fn() -> N>,
}

struct Inner<S> {
    feed: Arc<Feed<S>>,
    gate: Gate,
    draining: CancellationToken,
}

impl<S, N> Clone for FeedServer<S, N> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), name: PhantomData }
    }
}

impl<S, N: NamedService> NamedService for FeedServer<S, N> {
    const NAME: &'static str = N::NAME;
}

impl<S: RecordSet, N> FeedServer<S, N> {
    /// Serves a feed to callers that the gate lets in; streams end when `draining` is cancelled.
    pub fn new(feed: Arc<Feed<S>>, gate: Gate, draining: CancellationToken) -> Self {
        Self { inner: Arc::new(Inner { feed, gate, draining }), name: PhantomData }
    }
}

impl<S: RecordSet> Inner<S> {
    async fn watch(&self, caller: Caller, request: WatchRequest) -> Result<Replies, Fault> {
        let (asked, cursor) = self.question(&caller, &request).await?;
        let max_batch = match request.max_batch {
            0 => DEFAULT_BATCH,
            asked => asked.min(LARGEST_BATCH),
        };
        let (revoked, draining) = (caller.revoked(), self.draining.clone());
        let ended = async move {
            tokio::select! {
                fault = revoked => fault,
                () = draining.cancelled() => Fault::stopping(),
            }
        };
        let reach = Reach { gate: self.gate.clone(), caller };
        let view = reach.open::<S>(&asked).await?;
        let following = Following { asked, reach, cursor, max_batch: max_batch as usize };
        Ok(self.feed.watch(view, following, ended))
    }

    /// What is asked for and from where: as the request says, or as the subscription that it names.
    async fn question(&self, caller: &Caller, request: &WatchRequest) -> Result<(Asked, Vec<u8>), Fault> {
        if request.subscription.is_empty() {
            let asked = Asked::new(request.kinds.clone(), request.school_codes.clone());
            return Ok((asked, request.cursor.clone()));
        }
        if !request.kinds.is_empty() || !request.school_codes.is_empty() {
            let text = "a subscription names its kinds and schools itself";
            return Err(Fault::invalid("subscription", text));
        }
        let (asked, stored) = self.feed.subscribed(&Named::own(caller, &request.subscription)).await?;
        let cursor = if request.cursor.is_empty() { stored } else { request.cursor.clone() };
        Ok((asked, cursor))
    }
}

/// Passes encoded replies on.
#[derive(Clone, Default)]
struct Encoded;

impl Codec for Encoded {
    type Encode = Reply;
    type Decode = WatchRequest;
    type Encoder = Self;
    type Decoder = ProstDecoder<WatchRequest>;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::default()
    }
}

impl Encoder for Encoded {
    type Item = Reply;
    type Error = Status;

    fn encode(&mut self, reply: Reply, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(reply.0);
        Ok(())
    }
}

/// A call of the service as a tower service.
macro_rules! handler {
    ($inner:expr, |$it:ident, $caller:ident, $request:ident| $work:expr) => {{
        let inner = $inner;
        tower::service_fn(move |request: Request<_>| {
            let $it = inner.clone();
            Box::pin(async move {
                let $caller = caller(&request)?;
                let $request = request.into_inner();
                Ok::<_, Status>(Response::new($work))
            }) as BoxFuture<'static, Result<Response<_>, Status>>
        })
    }};
}

async fn unary<M, F, Q, R>(method: M, request: http::Request<Body>) -> http::Response<Body>
where
    M: tower::Service<Request<Q>, Response = Response<R>, Error = Status, Future = F>,
    F: Future<Output = Result<Response<R>, Status>>,
    Q: prost::Message + Default + Send + 'static,
    R: prost::Message + Send + 'static,
{
    Grpc::new(ProstCodec::<R, Q>::default()).unary(method, request).await
}

impl<S: RecordSet, N> tower::Service<http::Request<Body>> for FeedServer<S, N> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let inner = self.inner.clone();
        Box::pin(async move { Ok(inner.answer(request).await) })
    }
}

impl<S: RecordSet> Inner<S> {
    async fn answer(self: Arc<Self>, request: http::Request<Body>) -> http::Response<Body> {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        match method.as_str() {
            "Watch" => {
                let watch = handler!(self, |it, caller, r| it.watch(caller, r).await?);
                Grpc::new(Encoded).server_streaming(watch, request).await
            }
            "CreateSubscription" => {
                let create =
                    handler!(self, |it, caller, r| it.feed.create_subscription(&it.gate, &caller, r).await?);
                unary(create, request).await
            }
            "GetSubscription" => {
                unary(handler!(self, |it, caller, r| it.feed.get_subscription(&caller, r).await?), request)
                    .await
            }
            "ListSubscriptions" => {
                unary(handler!(self, |it, caller, r| it.feed.list_subscriptions(&caller, r).await?), request)
                    .await
            }
            "Acknowledge" => {
                unary(handler!(self, |it, caller, r| it.feed.acknowledge(&caller, r).await?), request).await
            }
            "DeleteSubscription" => {
                unary(handler!(self, |it, caller, r| it.feed.delete_subscription(&caller, r).await?), request)
                    .await
            }
            _ => Status::unimplemented("").into_http(),
        }
    }
}
