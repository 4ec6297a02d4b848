//! A revoked grant ends within a minute everywhere: open streams, tokens in use, new sign-ins.
use crate::cast::Department;
use crate::ground::{Actor, Data, Ground, wait_for};
use anyhow::Result;
use eduhub_cli::generate::School;
use eduhub_cli::hub::{Facility, Followed, Hub, Pushed, Registry, Watched};
use eduhub_cli::lines::Lines;
use eduhub_faults::{Reason, reason_of};
use eduhub_proto::common::v1::{PushMode, PushOpen, PushReply, WatchRequest, push_reply};
use eduhub_proto::identity::v1::{RevokeGrantRequest, grant_service_client::GrantServiceClient};
use eduhub_proto::registry::v1::{PushRequest, Record};
use eduhub_stack::Program;
use std::io::BufReader;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};
use uuid::Uuid;

/// What `RevokeGrant` promises.
const PROMISE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoked_grants_end_open_streams_and_new_calls_within_a_minute() {
    let dir = tempfile::tempdir().unwrap();
    let data = Data::generate(dir.path().join("data"));
    let ground = Ground::start(dir.path(), data, |config| config).await;
    let department = Department::open(&ground).await.unwrap();
    let mut vendors = Vec::new();
    for n in 0..2 {
        let officer = department.officer_of(ground.school(n)).await.unwrap();
        vendors.push(department.vendor_of(&officer, ground.school(n)).await.unwrap());
    }
    let centre = department.consumer().await.unwrap();
    let vendor = ground.sign_in(vendors[0].proof()).await.unwrap();
    let other = ground.sign_in(vendors[1].proof()).await.unwrap();
    let consumer = ground.sign_in(centre.proof()).await.unwrap();

    let mut push = OpenPush::start(&ground, &vendor, ground.school(0)).await;
    let mut spared = OpenPush::start(&ground, &other, ground.school(1)).await;
    let mut watch = Registry::watch(consumer.at(Program::Registry), WatchRequest::default()).await.unwrap();
    assert_eq!(push.batch(1).await.unwrap(), 1);
    assert_eq!(spared.batch(1).await.unwrap(), 1);
    until_live(&mut watch).await;

    let revoked = Instant::now();
    let mut grants = GrantServiceClient::new(department.admin.at(Program::Identity));
    for grant_id in [&vendors[0].grant_id, &centre.grant_id] {
        let reason = "Hợp đồng chấm dứt".to_owned();
        grants.revoke_grant(RevokeGrantRequest { grant_id: grant_id.clone(), reason }).await.unwrap();
    }
    let (pushing, watching) = tokio::join!(ending(&mut push.replies), ending(&mut watch));
    for (what, status) in [("push", pushing), ("watch", watching)] {
        refused(what, &status);
    }
    println!("both streams ended {:.1} s after the revocation", revoked.elapsed().as_secs_f64());

    // Whoever still has a token gets nowhere with it, in any service, and gets no new one.
    refused(
        "a new push",
        &Registry::push(vendor.at(Program::Registry), opening(&ground, 0)).await.unwrap_err(),
    );
    refused("a new watch", &watch_again(&consumer).await.unwrap_err());
    let elsewhere = || async {
        let watched = Facility::watch(consumer.at(Program::Facility), WatchRequest::default()).await;
        Ok(watched.err())
    };
    refused("facility", &wait_for("facility to refuse", PROMISE - revoked.elapsed(), elsewhere).await);
    for client in [&vendors[0], &centre] {
        let error = ground.sign_in(client.proof()).await.err().expect("signed in");
        refused("a sign-in", error.downcast_ref().expect("a status"));
    }
    assert!(revoked.elapsed() < PROMISE, "it took {:?}", revoked.elapsed());

    // It was the grant that ended, not the service.
    assert_eq!(spared.batch(2).await.unwrap(), 2);
    ground.stop().await;
}

fn refused(what: &str, status: &Status) {
    assert_eq!(status.code(), Code::PermissionDenied, "{what}: {status}");
    assert_eq!(reason_of(status), Some(Reason::GrantRevoked), "{what}: {status}");
}

/// The status that a stream ends with, not later than promised.
async fn ending<M>(stream: &mut Streaming<M>) -> Status {
    let end = async {
        loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the stream ended without a word"),
                Err(status) => return status,
            }
        }
    };
    tokio::time::timeout(PROMISE, end).await.expect("the stream is still open after 60 s")
}

async fn watch_again(consumer: &Actor) -> Result<(), Status> {
    Registry::watch(consumer.at(Program::Registry), WatchRequest::default()).await.map(drop)
}

/// Reads up to where the feed follows live.
async fn until_live(watch: &mut Streaming<<Registry as Followed>::WatchReply>) {
    loop {
        let reply = watch.message().await.unwrap().expect("the feed ended");
        if let Watched::Checkpoint(checkpoint) = Registry::watched(reply)
            && checkpoint.live
        {
            return;
        }
    }
}

fn open_of(ground: &Ground, school: &School) -> PushRequest {
    Registry::open(PushOpen {
        session_id: Uuid::now_v7().to_string(),
        school_code: school.school_code.clone(),
        school_year: ground.year(),
        mode: PushMode::Patch as i32,
        full_kinds: vec![],
        ..PushOpen::default()
    })
}

fn opening(ground: &Ground, n: usize) -> impl futures::Stream<Item = PushRequest> + Send + 'static {
    tokio_stream::once(open_of(ground, ground.school(n)))
}

/// A push that its vendor leaves open between two batches.
struct OpenPush {
    requests: mpsc::Sender<PushRequest>,
    replies: Streaming<PushReply>,
    records: Vec<Record>,
}

impl OpenPush {
    async fn start(ground: &Ground, vendor: &Actor, school: &School) -> Self {
        let file = std::fs::File::open(ground.data.file(school, "registry.jsonl")).unwrap();
        let lines = Lines::<Record>::new(Registry::RECORD).unwrap();
        let records = lines.read(BufReader::new(file)).collect::<Result<_, _>>().unwrap();
        let (requests, sent) = mpsc::channel(2);
        requests.send(open_of(ground, school)).await.unwrap();
        let replies = Registry::push(vendor.at(Program::Registry), ReceiverStream::new(sent)).await.unwrap();
        let mut push = Self { requests, replies, records };
        let welcome = push.replies.message().await.unwrap().unwrap().message;
        assert!(matches!(welcome, Some(push_reply::Message::Welcome(_))), "{welcome:?}");
        push
    }

    /// Sends the next ten records; gives the number of the batch that was made durable.
    async fn batch(&mut self, number: u32) -> Result<u32, Status> {
        let records = self.records.drain(..10).collect();
        let request = Registry::batch(number, records, vec![]).request;
        self.requests.send(request).await.map_err(|_| Status::aborted("the stream is closed"))?;
        match self.replies.message().await?.and_then(|reply| reply.message) {
            Some(push_reply::Message::Batch(reply)) => Ok(reply.number),
            other => panic!("no reply to a batch: {other:?}"),
        }
    }
}
