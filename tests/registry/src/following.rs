//! A consumer's program: follows the feed and keeps a copy.
use crate::hub::Hub;
use eduhub_auth::testing::Persona;
use eduhub_proto::{
    common::v1::{ChangeOp, Checkpoint, KindCount, ScopeChange, WatchRequest},
    registry::v1::{Change, Record, WatchReply, feed_service_client::FeedServiceClient, watch_reply},
};
use eduhub_testkit::BearerChannel;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, time::Duration};
use tonic::{Status, Streaming};

/// An open stream.
pub struct Follower(pub Streaming<WatchReply>);

/// What a stream brings.
pub enum Got {
    Changes(Vec<Change>, Vec<u8>),
    Checkpoint(Checkpoint),
    Scope(ScopeChange),
}

pub async fn follow(
    mut client: FeedServiceClient<BearerChannel>,
    request: WatchRequest,
) -> Result<Follower, Status> {
    Ok(Follower(client.watch(request).await?.into_inner()))
}

impl Follower {
    pub async fn open(hub: &Hub, persona: &Persona, cursor: Vec<u8>) -> Self {
        let request = WatchRequest { cursor, ..Default::default() };
        follow(hub.feed(persona), request).await.unwrap()
    }

    pub async fn next(&mut self) -> Result<Got, Status> {
        let limit = Duration::from_secs(20);
        let reply =
            tokio::time::timeout(limit, self.0.message()).await.expect("a sign of life within 20 s")?;
        match reply.ok_or_else(|| Status::cancelled("the stream ended"))?.message.unwrap() {
            watch_reply::Message::Changes(b) => Ok(Got::Changes(b.changes, b.cursor)),
            watch_reply::Message::Checkpoint(c) => Ok(Got::Checkpoint(c)),
            watch_reply::Message::Scope(s) => Ok(Got::Scope(s)),
        }
    }

    /// Applies what comes until everything that was committed before the call is here; gives the cursor. A checkpoint may
    /// have been on the way already, and transactions of other tests hold changes back: so two checkpoints made after the
    /// call, with nothing held back and no change between them.
    pub async fn catch_up(&mut self, copy: &mut Mirror) -> Result<Vec<u8>, Status> {
        let now = time::OffsetDateTime::now_utc();
        let mut calm = 0;
        loop {
            match self.next().await? {
                Got::Changes(changes, _) => {
                    calm = 0;
                    changes.into_iter().for_each(|c| copy.apply(c));
                }
                Got::Scope(scope) => {
                    calm = 0;
                    copy.rescope(scope);
                }
                Got::Checkpoint(c) => {
                    let later = eduhub_ingest::from_proto(&c.server_time.unwrap()) > now;
                    calm = if c.live && c.lag_ms == 0 && later { calm + 1 } else { 0 };
                    if calm == 2 {
                        return Ok(c.cursor);
                    }
                }
            }
        }
    }

    /// The error that ends the stream.
    pub async fn end(&mut self) -> Status {
        loop {
            if let Err(status) = self.next().await {
                return status;
            }
        }
    }
}

/// What a copy holds of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    pub version: i64,
    pub digest: Vec<u8>,
    pub record: Option<Record>,
    pub withdrawn: bool,
}

/// A consumer's copy: applies by version, as the contract says.
#[derive(Debug, Default, Clone)]
pub struct Mirror {
    /// By school, kind and key.
    pub records: BTreeMap<(String, i32, String), Held>,
    /// Changes that came twice.
    pub repeated: usize,
    /// Changes that came.
    pub seen: usize,
    /// Changes of scope that came.
    pub scopes: Vec<ScopeChange>,
}

impl Mirror {
    pub fn apply(&mut self, change: Change) {
        let h = change.header.unwrap();
        let held = Held {
            version: h.version,
            digest: h.digest.clone(),
            record: change.record,
            withdrawn: h.op() == ChangeOp::Withdraw,
        };
        assert_eq!(
            held.withdrawn,
            held.record.is_none(),
            "an image with every upsert, none with a withdrawal"
        );
        self.seen += 1;
        let place = (h.school_code, h.kind, h.record_key);
        match self.records.get(&place) {
            Some(old) if old.version >= held.version => self.repeated += 1,
            _ => {
                self.records.insert(place, held);
            }
        }
    }

    /// Drops what left the scope.
    pub fn rescope(&mut self, change: ScopeChange) {
        let left = |(school, kind, _): &(String, i32, String)| {
            change.reset || change.removed_schools.contains(school) || change.removed_kinds.contains(kind)
        };
        self.records.retain(|place, _| !left(place));
        self.scopes.push(change);
    }

    /// Counts and digest of a school by the documented format, from the copy alone.
    pub fn digest(&self, school: &str) -> (Vec<KindCount>, Vec<u8>) {
        let mut hasher = Sha256::new();
        let mut counts: BTreeMap<i32, u64> = (1..=12).map(|k| (k, 0)).collect();
        for ((_, kind, key), held) in self.records.iter().filter(|((s, ..), h)| s == school && !h.withdrawn) {
            hasher.update(format!("{kind}\t{key}\t{}\t{}\n", held.version, hex::encode(&held.digest)));
            *counts.entry(*kind).or_default() += 1;
        }
        let counts = counts.into_iter().map(|(kind, count)| KindCount { kind, count }).collect();
        (counts, hasher.finalize().to_vec())
    }
}
