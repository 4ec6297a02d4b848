//! The feed: snapshot, tail, scope, revocation.
use crate::lab::{COMMUNE, ELSEWHERE, Lab, SCHOOL, SOON, refusal};
use crate::pushing::{batch, open, room};
use eduhub_auth::Role;
use eduhub_auth::testing::Persona;
use eduhub_cli::{
    copy::{Place, PostgresCopy, Scope},
    hub::Facility,
    server::{Proof, Server, Session},
    watch::Event,
};
use eduhub_faults::Reason;
use eduhub_proto::common::v1::{
    AcknowledgeRequest, ChangeOp, CreateSubscriptionRequest, DataDomain, GetSubscriptionRequest, Kind,
    PushOpen, SchoolDigestRequest, WatchRequest,
};
use eduhub_proto::facility::v1::{Change, Room, WatchReply, watch_reply};
use eduhub_runtime::client::{self, ClientTls};
use eduhub_testkit::Database;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, Streaming};

/// A consumer's copy of the stream.
struct Follower {
    stream: Streaming<WatchReply>,
    cursor: Vec<u8>,
}

impl Follower {
    async fn start(lab: &Lab, who: &Persona, request: WatchRequest) -> Result<Self, Status> {
        let cursor = request.cursor.clone();
        let stream = lab.feed(who).watch(request).await?.into_inner();
        Ok(Self { stream, cursor })
    }

    /// The next reply; `None` for a checkpoint.
    async fn next(&mut self) -> Result<Option<Vec<Change>>, Status> {
        let next = tokio::time::timeout(SOON, self.stream.message()).await.expect("a reply in time");
        let reply = next?.expect("the stream goes on").message.unwrap();
        Ok(match reply {
            watch_reply::Message::Changes(batch) => {
                self.cursor = batch.cursor;
                Some(batch.changes)
            }
            watch_reply::Message::Checkpoint(checkpoint) => {
                assert!(checkpoint.live);
                self.cursor = checkpoint.cursor;
                None
            }
            watch_reply::Message::Scope(change) => panic!("the scope stays: {change:?}"),
        })
    }

    /// School, key, operation and version of all changes until `count` of them came.
    async fn take(&mut self, count: usize) -> Vec<String> {
        let mut seen = Vec::new();
        let end = Instant::now() + SOON;
        while seen.len() < count {
            assert!(Instant::now() < end, "only {seen:?} came");
            for change in self.next().await.unwrap().unwrap_or_default() {
                let h = change.header.unwrap();
                assert_eq!(change.record.is_some(), h.op() == ChangeOp::Upsert);
                seen.push(format!("{} {} {}", h.school_code, h.record_key, h.version));
            }
        }
        seen
    }

    /// What comes until the next checkpoint: nothing may be under way any more.
    async fn rest(&mut self) -> usize {
        let mut count = 0;
        while let Some(changes) = self.next().await.unwrap() {
            count += changes.len();
        }
        count
    }
}

async fn push_elsewhere(lab: &Lab, code: &str) {
    let open = PushOpen { school_code: ELSEWHERE.to_owned(), ..open() };
    let room = Room { campus_code: ELSEWHERE.to_owned(), ..room(code) };
    let done = lab.push(&Persona::vendor(ELSEWHERE), open, vec![batch(1, vec![room])]).await.unwrap();
    assert_eq!(done.counts().created, 1);
}

#[tokio::test]
async fn a_snapshot_then_the_tail_then_on_from_the_cursor() {
    let lab = Lab::start().await;
    lab.pushed(vec![room("P1"), room("P2")]).await;
    let consumer = Persona::consumer();
    let mut follower = Follower::start(&lab, &consumer, WatchRequest::default()).await.unwrap();
    assert_eq!(follower.take(2).await, [format!("{SCHOOL} 2026/P1 1"), format!("{SCHOOL} 2026/P2 1")]);
    lab.pushed(vec![Room { area_m2: 50.0, ..room("P1") }]).await;
    assert_eq!(follower.take(1).await, [format!("{SCHOOL} 2026/P1 2")]);
    let cursor = follower.cursor.clone();
    drop(follower);

    push_elsewhere(&lab, "K1").await;
    let request = WatchRequest { cursor, ..WatchRequest::default() };
    let mut follower = Follower::start(&lab, &consumer, request).await.unwrap();
    assert_eq!(follower.take(1).await, [format!("{ELSEWHERE} 2026/K1 1")]);
    assert_eq!(follower.rest().await, 0);
}

#[tokio::test]
async fn a_communes_scope_is_its_schools() {
    let lab = Lab::start().await;
    // Three schools: more than one page of the double.
    for n in 2..=3 {
        lab.registry.put_school(&format!("3714329000{n}"), COMMUNE);
    }
    lab.pushed(vec![room("P1")]).await;
    push_elsewhere(&lab, "K1").await;
    let third = "37143290003";
    let open = PushOpen { school_code: third.to_owned(), ..open() };
    let far = Room { campus_code: third.to_owned(), ..room("X1") };
    lab.push(&Persona::vendor(third), open, vec![batch(1, vec![far])]).await.unwrap();

    let ward = Persona::new(Role::Consumer, eduhub_auth::Scope::commune(COMMUNE));
    let mut follower = Follower::start(&lab, &ward, WatchRequest::default()).await.unwrap();
    assert_eq!(follower.take(2).await, [format!("{SCHOOL} 2026/P1 1"), format!("{third} 2026/X1 1")]);
    assert_eq!(follower.rest().await, 0);

    let only =
        |school: &str| WatchRequest { school_codes: vec![school.to_owned()], ..WatchRequest::default() };
    let mut follower = Follower::start(&lab, &ward, only(third)).await.unwrap();
    assert_eq!(follower.take(1).await, [format!("{third} 2026/X1 1")]);
    assert_eq!(follower.rest().await, 0);
    let outcome = Follower::start(&lab, &ward, only(ELSEWHERE)).await.map(drop);
    assert_eq!(refusal(outcome), (Code::NotFound, Reason::SchoolNotFound));
    lab.registry.door.set_down(true);
    let outcome = Follower::start(&lab, &ward, only(third)).await.map(drop);
    assert_eq!(refusal(outcome), (Code::Unavailable, Reason::Unavailable));
}

#[tokio::test]
async fn kinds_are_those_of_the_grant() {
    let lab = Lab::start().await;
    let rooms = WatchRequest { kinds: vec![Kind::Room as i32], ..WatchRequest::default() };
    let pupils = WatchRequest { kinds: vec![Kind::Pupil as i32], ..WatchRequest::default() };
    let blind = Persona::consumer().domains(&[DataDomain::Pupil]);
    for (who, request) in [(&blind, rooms), (&Persona::consumer(), pupils)] {
        let outcome = Follower::start(&lab, who, request).await.map(drop);
        assert_eq!(refusal(outcome), (Code::PermissionDenied, Reason::Forbidden));
    }
}

#[tokio::test]
async fn a_revoked_grant_ends_its_streams() {
    let lab = Lab::start().await;
    let consumer = Persona::consumer();
    let mut follower = Follower::start(&lab, &consumer, WatchRequest::default()).await.unwrap();
    follower.rest().await;
    lab.mint.revoke_grant(consumer.0.grant.unwrap()).await.unwrap();
    let ended = loop {
        if let Err(status) = follower.next().await {
            break status;
        }
    };
    assert_eq!(refusal(Err::<(), _>(ended)), (Code::PermissionDenied, Reason::GrantRevoked));
}

#[tokio::test]
async fn a_cursor_of_nobody_is_refused() {
    let lab = Lab::start().await;
    let request = WatchRequest { cursor: b"rubbish".to_vec(), ..WatchRequest::default() };
    let mut follower = Follower::start(&lab, &Persona::consumer(), request).await.unwrap();
    assert_eq!(refusal(follower.next().await), (Code::InvalidArgument, Reason::CursorMalformed));
}

#[tokio::test]
async fn a_stored_subscription_resumes_where_it_was_acknowledged() {
    let lab = Lab::start().await;
    lab.pushed(vec![room("P1")]).await;
    let consumer = Persona::consumer();
    let request = CreateSubscriptionRequest { name: "rooms".into(), ..Default::default() };
    lab.feed(&consumer).create_subscription(request).await.unwrap();
    let named = || WatchRequest { subscription: "rooms".into(), ..WatchRequest::default() };
    let mut follower = Follower::start(&lab, &consumer, named()).await.unwrap();
    assert_eq!(follower.take(1).await, [format!("{SCHOOL} 2026/P1 1")]);
    let request = AcknowledgeRequest { name: "rooms".into(), cursor: follower.cursor.clone() };
    lab.feed(&consumer).acknowledge(request).await.unwrap();
    lab.pushed(vec![room("P2")]).await;
    let request = GetSubscriptionRequest { name: "rooms".into(), ..Default::default() };
    let stored = lab.feed(&consumer).get_subscription(request.clone()).await.unwrap().into_inner();
    assert_eq!((stored.pending_changes, stored.expired), (1, false));
    let mut follower = Follower::start(&lab, &consumer, named()).await.unwrap();
    assert_eq!(follower.take(1).await, [format!("{SCHOOL} 2026/P2 1")]);
    let stranger = lab.feed(&Persona::consumer()).get_subscription(request).await;
    assert_eq!(refusal(stranger), (Code::NotFound, Reason::NotFound));
}

#[tokio::test]
async fn a_copy_in_tables_is_exact() {
    let (lab, db) = (Lab::start().await, Database::create("copy").await);
    lab.pushed(vec![room("P1"), room("P2")]).await;
    let tls = ClientTls::default();
    let channel = client::channel(&lab.running.url(), &tls).unwrap();
    let consumer = Persona::consumer();
    let token = Proof::Token(lab.mint.token(&consumer).unwrap().into());
    let server = Server::new(lab.running.url(), tls, Session::sign_in(channel, token).await.unwrap());
    let mut copy = PostgresCopy::open(db.url(), "copy", &Scope::all("facility")).await.unwrap();
    let stop = CancellationToken::new();
    eduhub_cli::watch::follow::<Facility>(&server, &mut copy, &stop.clone(), |event| match event {
        Event::Checkpoint(c) if c.live => stop.cancel(),
        _ => {}
    })
    .await
    .unwrap();
    let request = SchoolDigestRequest { school_code: SCHOOL.to_owned() };
    let theirs = lab.seals(&consumer).get_school_digest(request).await.unwrap().into_inner();
    assert_eq!((copy.digest_of(SCHOOL).await.unwrap().digest, copy.records()), (theirs.digest, 2));
    let rooms: Vec<(String, f64)> = sqlx::query_as("select room_code, area_m2 from copy.room order by 1")
        .fetch_all(&db.pool().await)
        .await
        .unwrap();
    assert_eq!(rooms, ["P1", "P2"].map(|code| (code.to_owned(), room(code).area_m2)));
}
