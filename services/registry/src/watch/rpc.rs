//! FeedService.
use crate::{record::rpc::change, records::RegistryRecords, school::store};
use eduhub_auth::{Caller, caller};
use eduhub_changelog::RecordSet;
use eduhub_faults::{Fault, Reason};
use eduhub_feed::{Feed, Item, View};
use eduhub_pg::{DbError, PgPool};
use eduhub_proto::{
    common::v1::WatchRequest,
    registry::v1::{ChangeBatch, Record, WatchReply, feed_service_server::FeedService, watch_reply},
};
use futures::{StreamExt, stream::BoxStream};
use std::{collections::HashSet, sync::Arc};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

/// The service.
pub struct Watching {
    /// The feed.
    pub feed: Arc<Feed<RegistryRecords>>,
    /// Database.
    pub pool: PgPool,
    /// Cancelled when the server drains.
    pub draining: CancellationToken,
}

impl Watching {
    /// The request narrowed by the caller's grant.
    async fn view(&self, caller: &Caller, request: &WatchRequest) -> Result<View, Fault> {
        let domains: Vec<i32> = caller.domains.iter().map(|d| *d as i32).collect();
        let held = |kind: i32| RegistryRecords::table(kind).filter(|t| domains.contains(&t.meta.domain));
        for kind in &request.kinds {
            held(*kind).ok_or_else(|| Fault::new(Reason::Forbidden).meta("kind", kind))?;
        }
        let kinds = RegistryRecords::tables()
            .iter()
            .map(|t| t.meta.kind)
            .filter(|k| held(*k).is_some() && (request.kinds.is_empty() || request.kinds.contains(k)))
            .collect();
        let schools = self.schools(caller, &request.school_codes).await?;
        Ok(View { kinds, schools, max_class: caller.max_class })
    }

    async fn schools(&self, caller: &Caller, asked: &[String]) -> Result<Option<HashSet<String>>, Fault> {
        let asked: HashSet<String> = asked.iter().cloned().collect();
        if caller.scope.province {
            return Ok((!asked.is_empty()).then_some(asked));
        }
        let communes: Vec<String> = caller.scope.communes.iter().cloned().collect();
        let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
        let mut reach: HashSet<String> = store::in_communes(&mut conn, &communes).await?.into_iter().collect();
        reach.extend(caller.scope.schools.iter().cloned());
        if asked.is_empty() {
            return Ok(Some(reach));
        }
        if asked.is_subset(&reach) { Ok(Some(asked)) } else { Err(Fault::new(Reason::SchoolNotFound)) }
    }
}

#[tonic::async_trait]
impl FeedService for Watching {
    type WatchStream = BoxStream<'static, Result<WatchReply, Status>>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let view = self.view(&caller, &request).await?;
        let max_batch = match request.max_batch {
            0 => 1_000,
            n => n.min(5_000) as usize,
        };
        let (revoked, draining) = (caller.revoked(), self.draining.clone());
        let ended = async move {
            tokio::select! {
                fault = revoked => fault,
                () = draining.cancelled() => Fault::new(Reason::Unavailable).detail("server is stopping"),
            }
        };
        let stream = self.feed.watch(view, request.cursor, max_batch, ended);
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
