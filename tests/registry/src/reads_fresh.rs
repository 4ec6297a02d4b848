//! The cache of single records under writers: never behind an acknowledgement of its own process, a second at most behind
//! one of another.
use crate::{
    hub::{Hub, SCHOOL},
    make::{self, Wrap, code},
    pushing::{Pushing, batch, patch, push_one, refusal, withdraw_one},
    reads::get,
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{Kind, Sensitivity},
    registry::v1::Pupil,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use tonic::Code;

/// As documented in `read.proto`.
const BEHIND: Duration = Duration::from_secs(1);
/// For a busy machine.
const SLACK: Duration = Duration::from_millis(1_500);

/// Acknowledged versions with their times, the newest last.
#[derive(Clone, Default)]
struct Acknowledged {
    newest: Arc<AtomicI64>,
    all: Arc<Mutex<Vec<(i64, Instant)>>>,
    over: Arc<AtomicBool>,
}

impl Acknowledged {
    fn add(&self, version: i64) {
        self.newest.store(version, Ordering::SeqCst);
        self.all.lock().unwrap().push((version, Instant::now()));
    }

    /// Newest version that had been acknowledged at a time.
    fn before(&self, at: Instant) -> i64 {
        let all = self.all.lock().unwrap();
        all.iter().rev().find(|(_, time)| *time <= at).map_or(0, |(version, _)| *version)
    }
}

async fn version(hub: &Hub, persona: &Persona) -> i64 {
    let got = hub.records(persona).get_record(get(Kind::Pupil, &code(1))).await.unwrap().into_inner();
    got.header.unwrap().version
}

/// Writes versions of one pupil, one batch each, and notes when each is acknowledged.
async fn write(hub: &Hub, versions: std::ops::RangeInclusive<u32>, acknowledged: &Acknowledged) {
    let persona = Persona::vendor(SCHOOL);
    let (mut pushing, _) = Pushing::open(hub.ingest(&persona), patch(SCHOOL)).await.unwrap();
    for (number, version) in (1..).zip(versions) {
        let one = Pupil { contact_phone: Some(format!("09123{version:05}")), ..make::pupil(1) };
        pushing.batch(batch(number, vec![one.wrap()])).await.unwrap();
        acknowledged.add(i64::from(version));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_answer_is_older_than_an_acknowledgement_that_came_before_the_question() {
    let hub = Arc::new(Hub::start().await);
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    let acknowledged = Acknowledged::default();
    let mut readers = JoinSet::new();
    for reader in 0..6 {
        let (hub, acknowledged) = (hub.clone(), acknowledged.clone());
        readers.spawn(async move {
            let class = if reader % 2 == 0 { Sensitivity::Secret } else { Sensitivity::Basic };
            let mut client = hub.records(&Persona::school_officer(SCHOOL).max_class(class));
            let mut answers = 0;
            while !acknowledged.over.load(Ordering::SeqCst) {
                let floor = acknowledged.newest.load(Ordering::SeqCst);
                let got = client.get_record(get(Kind::Pupil, &code(1))).await.unwrap().into_inner();
                let version = got.header.unwrap().version;
                assert!(version >= floor, "version {version} after {floor} was acknowledged");
                answers += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            answers
        });
    }
    write(&hub, 2..=120, &acknowledged).await;
    acknowledged.over.store(true, Ordering::SeqCst);
    let answers: u32 = readers.join_all().await.iter().sum();
    assert!(answers > 200, "only {answers} answers beside the writer");
    assert_eq!(version(&hub, &Persona::vendor(SCHOOL)).await, 120);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_process_is_a_second_behind_at_most() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    let replica = Arc::new(hub.replica(None).await);
    let acknowledged = Acknowledged::default();
    let reader = {
        let (replica, acknowledged) = (replica.clone(), acknowledged.clone());
        tokio::spawn(async move {
            let mut client = replica.records(&Persona::school_officer(SCHOOL));
            let mut behind = 0;
            while !acknowledged.over.load(Ordering::SeqCst) {
                let floor = acknowledged.before(Instant::now().checked_sub(BEHIND + SLACK).unwrap());
                let got = client.get_record(get(Kind::Pupil, &code(1))).await.unwrap().into_inner();
                let version = got.header.unwrap().version;
                assert!(version >= floor, "version {version} long after {floor} was acknowledged");
                behind += i32::from(version < acknowledged.newest.load(Ordering::SeqCst));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            behind
        })
    };
    // Bursts with a pause that lets the log look quiet in between.
    for burst in 0..3 {
        write(&hub, burst * 20 + 2..=burst * 20 + 21, &acknowledged).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    tokio::time::sleep(BEHIND + SLACK).await;
    assert_eq!(version(&replica, &Persona::vendor(SCHOOL)).await, 61);
    acknowledged.over.store(true, Ordering::SeqCst);
    reader.await.unwrap();
}

#[tokio::test]
async fn what_was_withdrawn_or_was_not_there_is_told_as_it_is_now() {
    let hub = Hub::start().await;
    let mut client = hub.records(&Persona::vendor(SCHOOL));
    let absent = (Code::NotFound, Reason::NotFound);
    let ask = || get(Kind::Pupil, &code(1));
    assert_eq!(refusal(client.get_record(ask()).await), absent);
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    for _ in 0..2 {
        assert!(client.get_record(ask()).await.is_ok());
    }
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Pupil, &code(1))]).await;
    assert_eq!(refusal(client.get_record(ask()).await), absent);
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    assert_eq!(client.get_record(ask()).await.unwrap().into_inner().header.unwrap().version, 3);
}

#[tokio::test]
async fn an_answer_is_kept_while_nobody_writes() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![make::pupil(1).wrap()]).await;
    let vendor = Persona::vendor(SCHOOL);
    // Until the feed's reader has seen the push and looked again.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(version(&hub, &vendor).await, 1);
    // Past the log, which nobody but this test does.
    sqlx::query("update pupil_record set version = 7").execute(&hub.pool).await.unwrap();
    tokio::time::sleep(BEHIND + Duration::from_millis(300)).await;
    assert_eq!(version(&hub, &vendor).await, 1, "kept for longer than a second");
    // Another school's push makes the log move: what is older than a second is read again.
    push_one(&hub, crate::hub::OTHER, vec![make::pupil(2).wrap()]).await;
    tokio::time::sleep(BEHIND + Duration::from_millis(300)).await;
    assert_eq!(version(&hub, &vendor).await, 7);
}
