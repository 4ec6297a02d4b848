//! How far the feeds are behind: by the feed's own word for a consumer, by its consumers' subscriptions for the Department.
use super::service::words;
use super::{Finding, Level};
use crate::hub::{Facility, Followed, Registry, Watched};
use crate::server::Server;
use eduhub_auth::AuthedChannel;
use eduhub_proto::common::v1::{Kind, ListSubscriptionsRequest, Subscription, WatchRequest};
use eduhub_proto::{facility, registry};
use std::time::Duration;
use tokio::time::timeout;
use tonic::{Code, Status};

/// The first checkpoint comes within seconds.
const PATIENCE: Duration = Duration::from_secs(15);
/// A transaction that is open for longer holds all feeds of the database server back.
const OLDEST: u64 = 30_000;
/// A consumer that is further behind has stopped.
const BEHIND: i64 = 3_600;

/// One feed.
pub async fn look(name: &'static str, server: &Server) -> Finding {
    let place = format!("feed of {name}");
    let Ok(channel) = server.channel() else {
        return Finding::new(Level::Skipped, &place, "BAD_ADDRESS", "the address is not usable");
    };
    let facility = name == "facility";
    let lag = if facility {
        lag::<Facility>(channel.clone(), Kind::Room)
    } else {
        lag::<Registry>(channel.clone(), Kind::Campus)
    };
    match timeout(PATIENCE, lag).await {
        Ok(Ok(ms)) => judged(&place, ms),
        Ok(Err(status)) if status.code() == Code::PermissionDenied => {
            consumers(&place, channel, facility).await
        }
        Ok(Err(status)) => Finding::new(Level::Broken, &place, "FEED_BROKEN", words(&status)),
        Err(_) => Finding::new(Level::Warning, &place, "FEED_SLOW", "no checkpoint came within 15 s"),
    }
}

/// A boxed future: the two services' streams have nothing in common.
fn lag<H: Followed>(
    channel: AuthedChannel,
    kind: Kind,
) -> futures::future::BoxFuture<'static, Result<u64, Status>> {
    Box::pin(async move {
        let request = WatchRequest { kinds: vec![kind as i32], ..WatchRequest::default() };
        let mut stream = H::watch(channel, request).await?;
        while let Some(reply) = stream.message().await? {
            if let Watched::Checkpoint(checkpoint) = H::watched(reply) {
                return Ok(checkpoint.lag_ms);
            }
        }
        Err(Status::unavailable("the feed ended"))
    })
}

fn judged(place: &str, lag_ms: u64) -> Finding {
    if lag_ms > OLDEST {
        let text = format!(
            "a transaction has been open for {} s and holds the feed back: look for the oldest xact_start in pg_stat_activity, in all databases of the server",
            lag_ms / 1_000
        );
        return Finding::new(Level::Warning, place, "FEED_HELD_BACK", text);
    }
    Finding::new(Level::Well, place, "FEED", format!("it gives checkpoints; held back by {lag_ms} ms"))
}

async fn consumers(place: &str, channel: AuthedChannel, facility: bool) -> Finding {
    let request = ListSubscriptionsRequest { everybody: true, page_size: 500, ..Default::default() };
    let listed = if facility {
        facility::v1::feed_service_client::FeedServiceClient::new(channel).list_subscriptions(request).await
    } else {
        registry::v1::feed_service_client::FeedServiceClient::new(channel).list_subscriptions(request).await
    };
    match listed {
        Ok(page) => behind(place, &page.into_inner().subscriptions),
        Err(status) if status.code() == Code::PermissionDenied => {
            let text = "only consumers and the Department may look at it";
            Finding::new(Level::Skipped, place, "FEED_NOT_SEEN", text)
        }
        Err(status) => Finding::new(Level::Broken, place, "FEED_BROKEN", words(&status)),
    }
}

fn behind(place: &str, subscriptions: &[Subscription]) -> Finding {
    let late = |s: &&Subscription| s.expired || s.behind.as_ref().is_some_and(|b| b.seconds > BEHIND);
    let names: Vec<_> = subscriptions.iter().filter(late).map(|s| s.name.as_str()).collect();
    if names.is_empty() {
        let text = format!("{} stored subscriptions, none more than an hour behind", subscriptions.len());
        return Finding::new(Level::Well, place, "CONSUMERS", text);
    }
    let text =
        format!("consumers that have stopped (more than an hour behind, or expired): {}", names.join(", "));
    Finding::new(Level::Warning, place, "CONSUMERS_BEHIND", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_consumers_are_named() {
        let named = |name: &str, seconds| Subscription {
            name: name.into(),
            behind: Some(prost_types::Duration { seconds, nanos: 0 }),
            ..Subscription::default()
        };
        assert_eq!(behind("feed", &[named("ioc", 10)]).level, Level::Well);
        let found = behind("feed", &[named("ioc", 10), named("cũ", 90_000)]);
        assert!(found.level == Level::Warning && found.text.ends_with(": cũ"), "{}", found.text);
        assert_eq!(judged("feed", 90_000).code, "FEED_HELD_BACK");
    }
}
