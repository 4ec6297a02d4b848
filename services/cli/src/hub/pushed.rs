//! Records in: the messages and the call of a push.
use super::{Facility, Registry};
use eduhub_auth::AuthedChannel;
use eduhub_proto::common::v1::{GetReceiptKeysRequest, PushEnd, PushOpen, PushReply, Withdrawal};
use eduhub_proto::{facility::v1 as facility, registry::v1 as registry};
use eduhub_runtime::client::GrpcChannel;
use futures::Stream;
use prost::{Message, bytes::Bytes};
use sha2::{Digest, Sha256};
use std::future::Future;
use tonic::{Status, Streaming};

/// A batch as sent, with the digest that the end of the push is computed from.
pub struct SentBatch<M> {
    /// Message for the stream.
    pub request: M,
    /// SHA-256 of the serialised `PushBatch`.
    pub digest: [u8; 32],
}

/// A service that records are pushed to.
pub trait Pushed: Send + Sync + 'static {
    /// A record of any kind.
    type Record: Message + Default + Clone + Send + Sync + 'static;
    /// Client's message of a push.
    type PushRequest: Send + 'static;

    /// First message of a push.
    fn open(open: PushOpen) -> Self::PushRequest;
    /// A batch.
    fn batch(
        number: u32,
        records: Vec<Self::Record>,
        withdrawals: Vec<Withdrawal>,
    ) -> SentBatch<Self::PushRequest>;
    /// Last message of a push.
    fn end(end: PushEnd) -> Self::PushRequest;
    /// The keys that its receipts verify with, as a JWK set.
    fn receipt_keys(channel: GrpcChannel) -> impl Future<Output = Result<String, Status>> + Send;
    /// Opens a push stream.
    fn push(
        channel: AuthedChannel,
        requests: impl Stream<Item = Self::PushRequest> + Send + 'static,
    ) -> impl Future<Output = Result<Streaming<PushReply>, Status>> + Send;
}

macro_rules! pushed {
    ($service:ident, $api:ident) => {
        impl Pushed for $service {
            type Record = $api::Record;
            type PushRequest = $api::PushRequest;

            fn open(open: PushOpen) -> Self::PushRequest {
                $api::PushRequest::from(&open)
            }

            fn batch(
                number: u32,
                records: Vec<Self::Record>,
                withdrawals: Vec<Withdrawal>,
            ) -> SentBatch<Self::PushRequest> {
                let batch = $api::PushBatch { number, records, withdrawals };
                let bytes = Bytes::from(batch.encode_to_vec());
                let digest = Sha256::digest(&bytes).into();
                let request = $api::PushRequest { message: Some($api::push_request::Message::Batch(bytes)) };
                SentBatch { request, digest }
            }

            fn end(end: PushEnd) -> Self::PushRequest {
                $api::PushRequest { message: Some($api::push_request::Message::End(end)) }
            }

            async fn receipt_keys(channel: GrpcChannel) -> Result<String, Status> {
                let mut client = $api::ingest_service_client::IngestServiceClient::new(channel);
                Ok(client.get_receipt_keys(GetReceiptKeysRequest {}).await?.into_inner().jwk_set)
            }

            async fn push(
                channel: AuthedChannel,
                requests: impl Stream<Item = Self::PushRequest> + Send + 'static,
            ) -> Result<Streaming<PushReply>, Status> {
                let mut client = $api::ingest_service_client::IngestServiceClient::new(channel);
                Ok(client.push(requests).await?.into_inner())
            }
        }
    };
}

pushed!(Registry, registry);
pushed!(Facility, facility);
