//! Records out: the feed, and the digest that a copy is compared by.
use super::{Facility, Registry};
use eduhub_auth::AuthedChannel;
use eduhub_proto::common::v1::{
    AcknowledgeRequest, Checkpoint, CreateSubscriptionRequest, SchoolDigest, SchoolDigestRequest,
    ScopeChange, Subscription, WatchRequest,
};
use eduhub_proto::{facility::v1 as facility, registry::v1 as registry};
use prost::Message;
use std::future::Future;
use tonic::{Status, Streaming};

/// Largest message that is taken from a feed: 5,000 changes of a few hundred bytes.
const LARGEST: usize = 32 << 20;

/// A message of a feed.
pub enum Watched<C> {
    /// Changes with the cursor that covers them.
    Changes(Vec<C>, Vec<u8>),
    /// Sign of life.
    Checkpoint(Checkpoint),
    /// What may be seen has changed.
    Scope(ScopeChange),
    /// A message of a later version of the API.
    Unknown,
}

/// A service that records are followed from.
pub trait Followed: Send + Sync + 'static {
    /// A change of the feed.
    type Change: Message + Default + Clone + Send + 'static;
    /// Server's message of the feed.
    type WatchReply: Send + 'static;

    /// Opens a feed.
    fn watch(
        channel: AuthedChannel,
        request: WatchRequest,
    ) -> impl Future<Output = Result<Streaming<Self::WatchReply>, Status>> + Send;
    /// Takes a feed's message apart.
    fn watched(reply: Self::WatchReply) -> Watched<Self::Change>;
    /// Makes a stored subscription.
    fn subscribe(
        channel: AuthedChannel,
        request: CreateSubscriptionRequest,
    ) -> impl Future<Output = Result<Subscription, Status>> + Send;
    /// Stores a cursor in one.
    fn acknowledge(
        channel: AuthedChannel,
        request: AcknowledgeRequest,
    ) -> impl Future<Output = Result<Subscription, Status>> + Send;
    /// Digest of a school's live records.
    fn school_digest(
        channel: AuthedChannel,
        school_code: &str,
    ) -> impl Future<Output = Result<SchoolDigest, Status>> + Send;
}

macro_rules! followed {
    ($service:ident, $api:ident) => {
        impl Followed for $service {
            type Change = $api::Change;
            type WatchReply = $api::WatchReply;

            async fn watch(
                channel: AuthedChannel,
                request: WatchRequest,
            ) -> Result<Streaming<Self::WatchReply>, Status> {
                let client = $api::feed_service_client::FeedServiceClient::new(channel);
                Ok(client.max_decoding_message_size(LARGEST).watch(request).await?.into_inner())
            }

            fn watched(reply: Self::WatchReply) -> Watched<Self::Change> {
                match reply.message {
                    Some($api::watch_reply::Message::Changes(batch)) => {
                        Watched::Changes(batch.changes, batch.cursor)
                    }
                    Some($api::watch_reply::Message::Checkpoint(checkpoint)) => {
                        Watched::Checkpoint(checkpoint)
                    }
                    Some($api::watch_reply::Message::Scope(change)) => Watched::Scope(change),
                    None => Watched::Unknown,
                }
            }

            async fn subscribe(
                channel: AuthedChannel,
                request: CreateSubscriptionRequest,
            ) -> Result<Subscription, Status> {
                let mut client = $api::feed_service_client::FeedServiceClient::new(channel);
                Ok(client.create_subscription(request).await?.into_inner())
            }

            async fn acknowledge(
                channel: AuthedChannel,
                request: AcknowledgeRequest,
            ) -> Result<Subscription, Status> {
                let mut client = $api::feed_service_client::FeedServiceClient::new(channel);
                Ok(client.acknowledge(request).await?.into_inner())
            }

            async fn school_digest(
                channel: AuthedChannel,
                school_code: &str,
            ) -> Result<SchoolDigest, Status> {
                let mut client = $api::seal_service_client::SealServiceClient::new(channel);
                let request = SchoolDigestRequest { school_code: school_code.to_owned() };
                Ok(client.get_school_digest(request).await?.into_inner())
            }
        }
    };
}

followed!(Registry, registry);
followed!(Facility, facility);
