//! FeedService.
use crate::{record::rpc::change, records::FacilityRecords};
use eduhub_auth::{Gate, caller};
use eduhub_feed::{Feed, Item};
use eduhub_proto::{
    common::v1::WatchRequest,
    facility::v1::{ChangeBatch, Record, WatchReply, feed_service_server::FeedService, watch_reply},
};
use futures::{StreamExt, stream::BoxStream};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

/// The service.
pub struct Watching {
    /// The feed.
    pub feed: Arc<Feed<FacilityRecords>>,
    /// Access checks.
    pub gate: Gate,
    /// Cancelled when the server drains.
    pub draining: CancellationToken,
}

#[tonic::async_trait]
impl FeedService for Watching {
    type WatchStream = BoxStream<'static, Result<WatchReply, Status>>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let caller = caller(&request)?;
        let stream =
            self.feed.follow(&self.gate, &caller, request.into_inner(), self.draining.clone()).await?;
        Ok(Response::new(stream.map(|item| item.map(reply)).boxed()))
    }
}

fn reply(item: Item<Record>) -> WatchReply {
    let message = match item {
        Item::Changes(changes, cursor) => {
            let changes = changes.into_iter().map(change).collect();
            watch_reply::Message::Changes(ChangeBatch { changes, cursor })
        }
        Item::Checkpoint(checkpoint) => watch_reply::Message::Checkpoint(checkpoint),
    };
    WatchReply { message: Some(message) }
}
