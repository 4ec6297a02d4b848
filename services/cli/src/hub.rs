//! The two services that take and give records, as one shape.
use eduhub_auth::AuthedChannel;
use eduhub_proto::common::v1::{
    Checkpoint, PushEnd, PushOpen, PushReply, SchoolDigest, SchoolDigestRequest, WatchRequest,
};
use eduhub_proto::{facility::v1 as facility, registry::v1 as registry};
use futures::Stream;
use prost::Message;
use sha2::{Digest, Sha256};
use std::future::Future;
use tonic::{Status, Streaming};

/// Largest message that is taken from a feed: 5,000 changes of a few hundred bytes.
const LARGEST: usize = 32 << 20;

/// A batch as sent, with the digest that the end of the push is computed from.
pub struct SentBatch<M> {
    /// Message for the stream.
    pub request: M,
    /// SHA-256 of the serialised `PushBatch`.
    pub digest: [u8; 32],
}

/// A message of a feed.
pub enum Watched<C> {
    /// Changes with the cursor that covers them.
    Changes(Vec<C>, Vec<u8>),
    /// Sign of life.
    Checkpoint(Checkpoint),
    /// A message of a later version of the API.
    Unknown,
}

/// A service that records are pushed to and followed from.
pub trait Hub: Send + Sync + 'static {
    /// Short name: `registry` or `facility`.
    const NAME: &'static str;
    /// Full name of its record message.
    const RECORD: &'static str;
    /// A record of any kind.
    type Record: Message + Default + Clone + Send + Sync + 'static;
    /// Client's message of a push.
    type PushRequest: Send + 'static;
    /// A change of the feed.
    type Change: Message + Default + Clone + Send + 'static;
    /// Server's message of the feed.
    type WatchReply: Send + 'static;

    /// First message of a push.
    fn open(open: PushOpen) -> Self::PushRequest;
    /// A batch.
    fn batch(number: u32, records: Vec<Self::Record>) -> SentBatch<Self::PushRequest>;
    /// Last message of a push.
    fn end(end: PushEnd) -> Self::PushRequest;
    /// Opens a push stream.
    fn push(
        channel: AuthedChannel,
        requests: impl Stream<Item = Self::PushRequest> + Send + 'static,
    ) -> impl Future<Output = Result<Streaming<PushReply>, Status>> + Send;
    /// Opens a feed.
    fn watch(
        channel: AuthedChannel,
        request: WatchRequest,
    ) -> impl Future<Output = Result<Streaming<Self::WatchReply>, Status>> + Send;
    /// Takes a feed's message apart.
    fn watched(reply: Self::WatchReply) -> Watched<Self::Change>;
    /// Digest of a school's live records.
    fn school_digest(
        channel: AuthedChannel,
        school_code: &str,
    ) -> impl Future<Output = Result<SchoolDigest, Status>> + Send;
}

macro_rules! hub {
    ($(#[$doc:meta])* $name:ident, $text:literal, $api:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Hub for $name {
            const NAME: &'static str = $text;
            const RECORD: &'static str = concat!("eduhub.", $text, ".v1.Record");
            type Record = $api::Record;
            type PushRequest = $api::PushRequest;
            type Change = $api::Change;
            type WatchReply = $api::WatchReply;

            fn open(open: PushOpen) -> Self::PushRequest {
                $api::PushRequest { message: Some($api::push_request::Message::Open(open)) }
            }

            fn batch(number: u32, records: Vec<Self::Record>) -> SentBatch<Self::PushRequest> {
                let batch = $api::PushBatch { number, records, withdrawals: vec![] };
                let digest = Sha256::digest(batch.encode_to_vec()).into();
                let request = $api::PushRequest { message: Some($api::push_request::Message::Batch(batch)) };
                SentBatch { request, digest }
            }

            fn end(end: PushEnd) -> Self::PushRequest {
                $api::PushRequest { message: Some($api::push_request::Message::End(end)) }
            }

            async fn push(
                channel: AuthedChannel,
                requests: impl Stream<Item = Self::PushRequest> + Send + 'static,
            ) -> Result<Streaming<PushReply>, Status> {
                let mut client = $api::ingest_service_client::IngestServiceClient::new(channel);
                Ok(client.push(requests).await?.into_inner())
            }

            async fn watch(
                channel: AuthedChannel,
                request: WatchRequest,
            ) -> Result<Streaming<Self::WatchReply>, Status> {
                let client = $api::feed_service_client::FeedServiceClient::new(channel);
                Ok(client.max_decoding_message_size(LARGEST).watch(request).await?.into_inner())
            }

            fn watched(reply: Self::WatchReply) -> Watched<Self::Change> {
                match reply.message {
                    Some($api::watch_reply::Message::Changes(batch)) => Watched::Changes(batch.changes, batch.cursor),
                    Some($api::watch_reply::Message::Checkpoint(checkpoint)) => Watched::Checkpoint(checkpoint),
                    None => Watched::Unknown,
                }
            }

            async fn school_digest(channel: AuthedChannel, school_code: &str) -> Result<SchoolDigest, Status> {
                let mut client = $api::seal_service_client::SealServiceClient::new(channel);
                let request = SchoolDigestRequest { school_code: school_code.to_owned() };
                Ok(client.get_school_digest(request).await?.into_inner())
            }
        }
    };
}

hub!(
    /// Schools, classes, pupils, staff, enrolments, results, health.
    Registry, "registry", registry
);
hub!(
    /// Rooms.
    Facility, "facility", facility
);
