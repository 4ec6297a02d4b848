//! `RecordService` of a service: the generated server would build and encode each answer to `GetRecord` anew, so that one
//! method is answered here from the bytes that are kept; the rest goes to the generated server.
use crate::{
    encode,
    reads::{Named, Reads},
};
use bytes::{BufMut, Bytes};
use eduhub_auth::shared;
use eduhub_changelog::RecordSet;
use eduhub_proto::common::v1::ReadPoint;
use futures::future::BoxFuture;
use std::{
    convert::Infallible,
    task::{Context, Poll},
};
use tonic::{
    Request, Response, Status,
    body::Body,
    codec::{Codec, EncodeBuf, Encoder},
    server::{Grpc, NamedService},
};
use tonic_prost::ProstDecoder;

/// `GetRecordRequest`, which has the same numbers in both services.
#[derive(Clone, PartialEq, prost::Message)]
struct Ask {
    #[prost(string, tag = "1")]
    school_code: String,
    #[prost(int32, tag = "2")]
    kind: i32,
    #[prost(string, tag = "3")]
    record_key: String,
    #[prost(message, optional, tag = "4")]
    as_of: Option<ReadPoint>,
}

/// The server; `N` is the generated one.
pub struct RecordServer<S, N> {
    reads: Reads<S>,
    generated: N,
}

impl<S, N: Clone> Clone for RecordServer<S, N> {
    fn clone(&self) -> Self {
        Self { reads: self.reads.clone(), generated: self.generated.clone() }
    }
}

impl<S, N: NamedService> NamedService for RecordServer<S, N> {
    const NAME: &'static str = N::NAME;
}

impl<S: RecordSet, N> RecordServer<S, N> {
    /// Answers `GetRecord` from these records and leaves the rest to the generated server.
    pub fn new(reads: Reads<S>, generated: N) -> Self {
        Self { reads, generated }
    }
}

async fn answer<S: RecordSet>(reads: Reads<S>, request: Request<Ask>) -> Result<Response<Bytes>, Status> {
    let caller = &*shared(request.extensions())?;
    let Ask { school_code, kind, record_key, as_of } = request.get_ref();
    let what = Named { school_code, kind: *kind, record_key };
    let bytes = match as_of {
        Some(point) => encode::change(&reads.get_as_of(caller, what, point).await?),
        None => reads.get(caller, what).await?,
    };
    Ok(Response::new(bytes))
}

/// Passes encoded answers on.
#[derive(Clone, Default)]
struct Encoded;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = Ask;
    type Encoder = Self;
    type Decoder = ProstDecoder<Ask>;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::default()
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, answer: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(answer);
        Ok(())
    }
}

impl<S, N> tower::Service<http::Request<Body>> for RecordServer<S, N>
where
    S: RecordSet,
    N: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>,
    N::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.generated.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if !request.uri().path().ends_with("/GetRecord") {
            return Box::pin(self.generated.call(request));
        }
        let reads = self.reads.clone();
        Box::pin(async move {
            let get = tower::service_fn(move |request| answer(reads.clone(), request));
            Ok(Grpc::new(Encoded).unary(get, request).await)
        })
    }
}
