//! The feed client against a feed in memory that breaks, forgets cursors and sends twice.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use eduhub_cli::copy::{LocalCopy, Scope};
use eduhub_cli::hub::Registry;
use eduhub_cli::server::{Proof, Server, Session};
use eduhub_cli::watch::{Event, WatchError, follow};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{
    AcknowledgeRequest, ChangeHeader, ChangeOp, Checkpoint, CreateSubscriptionRequest,
    DeleteSubscriptionRequest, DeleteSubscriptionResponse, GetSubscriptionRequest, Kind,
    ListSubscriptionsRequest, Subscription, SubscriptionPage, WatchRequest,
};
use eduhub_proto::registry::v1::feed_service_server::{FeedService, FeedServiceServer};
use eduhub_proto::registry::v1::{Change, ChangeBatch, WatchReply, watch_reply};
use eduhub_runtime::client::{self, ClientTls};
use secrecy::SecretString;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

/// What one connection gives: changes by position, then how it ends (`None`: it stays open with checkpoints).
struct Script {
    refuse: Option<Reason>,
    changes: Vec<i64>,
    ends: Option<Status>,
}

#[derive(Clone)]
struct Feed {
    scripts: Arc<Mutex<VecDeque<Script>>>,
    asked: Arc<Mutex<Vec<Vec<u8>>>>,
}

fn change(position: i64) -> Change {
    let header = ChangeHeader {
        record_id: format!("r{}", position % 5),
        school_code: "S".into(),
        kind: Kind::Campus as i32,
        record_key: format!("k{}", position % 5),
        op: ChangeOp::Upsert as i32,
        version: position / 5 + 1,
        digest: vec![position as u8; 16],
        ..ChangeHeader::default()
    };
    Change { header: Some(header), record: None }
}

#[tonic::async_trait]
impl FeedService for Feed {
    type WatchStream = futures::stream::BoxStream<'static, Result<WatchReply, Status>>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        self.asked.lock().unwrap().push(request.into_inner().cursor);
        let script = self.scripts.lock().unwrap().pop_front();
        let script = script.unwrap_or(Script { refuse: None, changes: vec![], ends: None });
        if let Some(reason) = script.refuse {
            return Err(Fault::new(reason).into());
        }
        let reply = |message| Ok(WatchReply { message: Some(message) });
        let batch = move |p: i64| {
            reply(watch_reply::Message::Changes(ChangeBatch {
                changes: vec![change(p)],
                cursor: p.to_be_bytes().to_vec(),
            }))
        };
        let last = script.changes.last().copied();
        let mut replies: Vec<_> = script.changes.into_iter().map(batch).collect();
        let open = script.ends.is_none();
        match script.ends {
            Some(status) => replies.push(Err(status)),
            None => {
                let cursor = last.map_or(vec![], |p| p.to_be_bytes().to_vec());
                replies.push(reply(watch_reply::Message::Checkpoint(Checkpoint {
                    cursor,
                    live: true,
                    ..Checkpoint::default()
                })));
            }
        }
        let stream = futures::stream::iter(replies);
        use futures::StreamExt;
        Ok(Response::new(if open {
            stream.chain(futures::stream::pending()).boxed()
        } else {
            stream.boxed()
        }))
    }

    async fn create_subscription(
        &self,
        _: Request<CreateSubscriptionRequest>,
    ) -> Result<Response<Subscription>, Status> {
        Err(Status::unimplemented("create_subscription"))
    }

    async fn get_subscription(
        &self,
        _: Request<GetSubscriptionRequest>,
    ) -> Result<Response<Subscription>, Status> {
        Err(Status::unimplemented("get_subscription"))
    }

    async fn list_subscriptions(
        &self,
        _: Request<ListSubscriptionsRequest>,
    ) -> Result<Response<SubscriptionPage>, Status> {
        Err(Status::unimplemented("list_subscriptions"))
    }

    async fn acknowledge(&self, _: Request<AcknowledgeRequest>) -> Result<Response<Subscription>, Status> {
        Err(Status::unimplemented("acknowledge"))
    }

    async fn delete_subscription(
        &self,
        _: Request<DeleteSubscriptionRequest>,
    ) -> Result<Response<DeleteSubscriptionResponse>, Status> {
        Err(Status::unimplemented("delete_subscription"))
    }
}

async fn start(scripts: Vec<Script>) -> (Feed, Server) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let feed = Feed { scripts: Arc::new(Mutex::new(scripts.into())), asked: Arc::default() };
    let serving = tonic::transport::Server::builder().add_service(FeedServiceServer::new(feed.clone()));
    tokio::spawn(serving.serve_with_incoming(TcpListenerStream::new(listener)));
    let tls = ClientTls::default();
    let channel = client::channel(&url, &tls).unwrap();
    let session = Session::sign_in(channel, Proof::Token(SecretString::from("t"))).await.unwrap();
    (feed, Server::new(&url, tls, session))
}

fn script(changes: std::ops::Range<i64>, ends: Option<Status>) -> Script {
    Script { refuse: None, changes: changes.collect(), ends }
}

/// Follows until the first live checkpoint.
async fn follow_until_live(server: &Server, copy: &mut LocalCopy) -> Result<u32, WatchError> {
    let stop = CancellationToken::new();
    let mut restarts = 0;
    follow::<Registry>(server, copy, &stop.clone(), |event| match event {
        Event::Checkpoint(c) if c.live => stop.cancel(),
        Event::Restarted(_) => restarts += 1,
        _ => {}
    })
    .await?;
    Ok(restarts)
}

#[tokio::test]
async fn breaks_and_repetitions_leave_an_exact_copy() {
    let reset = || Some(Status::unknown("h2 protocol error: reset"));
    let slow: Status = Fault::new(Reason::ConsumerTooSlow).into();
    let scripts = vec![script(0..7, reset()), script(4..12, Some(slow)), script(10..20, None)];
    let (feed, server) = start(scripts).await;
    let dir = tempfile::tempdir().unwrap();
    let mut copy = LocalCopy::open(dir.path().join("copy"), &Scope::all("registry")).unwrap();
    assert_eq!(follow_until_live(&server, &mut copy).await.unwrap(), 0);
    let mut expected = LocalCopy::open(dir.path().join("expected"), &Scope::all("registry")).unwrap();
    let all = (0..20).map(|p| prost::Message::encode_to_vec(&change(p))).collect();
    expected.apply(all, vec![1]).unwrap();
    assert_eq!(copy.digest_of("S"), expected.digest_of("S"));
    assert_eq!(copy.len(), 5);
    // It asked from what it had on disk, each time.
    let asked = feed.asked.lock().unwrap().clone();
    assert_eq!(asked, vec![vec![], 6i64.to_be_bytes().to_vec(), 11i64.to_be_bytes().to_vec()]);
}

#[tokio::test]
async fn a_forgotten_cursor_means_a_new_snapshot() {
    let (_, server) = start(vec![script(0..20, None)]).await;
    let dir = tempfile::tempdir().unwrap();
    let mut copy = LocalCopy::open(dir.path().join("copy"), &Scope::all("registry")).unwrap();
    follow_until_live(&server, &mut copy).await.unwrap();
    // The next day the feed was restored from a backup: lower versions, fewer records.
    let forgotten = Script { refuse: Some(Reason::CursorForeign), changes: vec![], ends: None };
    let (feed, server) = start(vec![forgotten, script(0..3, None)]).await;
    assert_eq!(follow_until_live(&server, &mut copy).await.unwrap(), 1);
    assert_eq!((copy.len(), feed.asked.lock().unwrap().len()), (3, 2));
    assert!(feed.asked.lock().unwrap()[1].is_empty());
}

#[tokio::test]
async fn a_revoked_grant_ends_it_with_the_copy_intact() {
    let revoked: Status = Fault::new(Reason::GrantRevoked).into();
    let (_, server) = start(vec![script(0..3, Some(revoked))]).await;
    let dir = tempfile::tempdir().unwrap();
    let mut copy = LocalCopy::open(dir.path().join("copy"), &Scope::all("registry")).unwrap();
    let ended = follow_until_live(&server, &mut copy).await;
    assert!(
        matches!(&ended, Err(WatchError::Refused(s)) if eduhub_faults::reason_of(s) == Some(Reason::GrantRevoked))
    );
    assert_eq!(copy.len(), 3);
}
