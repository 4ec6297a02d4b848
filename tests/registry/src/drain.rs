//! A process that is asked to stop ends its pushes politely: what was begun is answered, the rest goes on elsewhere.
use crate::{
    hub::{Hub, SCHOOL},
    make::{self, Wrap},
    pushing::{Pushing, batch, counted, end_of, patch},
};
use eduhub_auth::testing::Persona;
use eduhub_changelog::lock_school;
use eduhub_faults::{Reason, reason_of};
use eduhub_proto::{common::v1::PushOpen, registry::v1::PushBatch};
use eduhub_runtime::server::Drain;
use std::time::{Duration, Instant};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// A second of patience, and what a loaded machine adds.
const POLITE: Duration = Duration::from_secs(2);

fn batches() -> Vec<PushBatch> {
    let of = |b: u32| (0..40).map(move |i| make::pupil(b * 100 + i).wrap()).collect();
    (1..=4).map(|b| batch(b, of(b))).collect()
}

/// UNAVAILABLE, which every client's retry policy knows, with a hint to come again soon.
fn polite(status: &Status) {
    assert_eq!(
        (status.code(), reason_of(status)),
        (Code::Unavailable, Some(Reason::Unavailable)),
        "{status}"
    );
    let hint = status.get_details_retry_info().and_then(|info| info.retry_delay);
    assert!(hint.is_some_and(|pause| pause <= Duration::from_secs(1)), "{hint:?}");
}

#[tokio::test]
async fn a_push_ends_after_its_batch_and_goes_on_at_another_replica() {
    let hub = Hub::start().await;
    let other = hub.replica(None).await;
    let (vendor, open, all) = (Persona::vendor(SCHOOL), patch(SCHOOL), batches());
    let (mut stream, _) = Pushing::open(hub.ingest(&vendor), open.clone()).await.unwrap();
    let (mut idle, _) = Pushing::open(hub.ingest(&vendor), patch(SCHOOL)).await.unwrap();
    stream.batch(all[0].clone()).await.unwrap();

    // The school's lock keeps the second batch in work; the third is read ahead.
    let mut lock = hub.pool.begin().await.unwrap();
    lock_school(&mut lock, SCHOOL).await.unwrap();
    stream.send(all[1].clone()).await;
    stream.send(all[2].clone()).await;
    waits_for_the_lock(&hub).await;

    let Hub { running, pool, db, .. } = hub;
    let (asked, draining) = (Instant::now(), tokio::spawn(running.stop()));
    polite(&idle.reply().await.unwrap_err());
    assert!(asked.elapsed() < POLITE, "an idle push was ended after {:?}", asked.elapsed());
    lock.commit().await.unwrap();
    let released = Instant::now();
    assert_eq!(stream.reply().await.unwrap().number, 2, "what was begun is answered");
    polite(&stream.reply().await.unwrap_err());
    assert_eq!(draining.await.unwrap(), Drain::Clean);
    assert!(released.elapsed() < POLITE, "the drain took {:?}", released.elapsed());
    pool.close().await;

    let totals = resume(&other, &vendor, &open, &all, 2).await;
    assert_eq!(totals, [160, 0, 0, 0, 0, 0, 0, 0]);
    let log: (i64, i64) = sqlx::query_as("select count(*), count(distinct record_key) from change_log")
        .fetch_one(&other.pool)
        .await
        .unwrap();
    assert_eq!(log, (160, 160), "nothing lost, nothing doubled");
    drop(db);
}

/// Opens the session again, finds it at `last`, sends the rest; gives the receipt's totals.
async fn resume(hub: &Hub, vendor: &Persona, open: &PushOpen, all: &[PushBatch], last: u32) -> [u64; 8] {
    let (mut stream, welcome) = Pushing::open(hub.ingest(vendor), open.clone()).await.unwrap();
    assert_eq!(welcome.last_batch, last);
    for b in &all[last as usize..] {
        stream.batch(b.clone()).await.unwrap();
    }
    counted(&stream.end(end_of(all)).await.unwrap().totals)
}

async fn waits_for_the_lock(hub: &Hub) {
    let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted \
                   and database = (select oid from pg_database where datname = current_database())";
    eduhub_testkit::eventually(crate::hub::SOON, || async { (hub.count(waiting).await > 0).then_some(()) })
        .await;
}

#[tokio::test]
async fn a_push_that_has_not_said_what_it_is_holds_no_drain() {
    let hub = Hub::start().await;
    let client = hub.ingest(&Persona::vendor(SCHOOL));
    let mut mute = client.clone();
    let mut silent = std::pin::pin!(mute.push(futures::stream::pending()));
    assert!(futures::poll!(&mut silent).is_pending());
    // On the same connection and after it: the first has arrived when this one is welcomed.
    let (mut idle, _) = Pushing::open(client, patch(SCHOOL)).await.unwrap();

    let Hub { running, .. } = hub;
    let draining = tokio::spawn(running.stop());
    polite(&silent.await.unwrap_err());
    polite(&idle.reply().await.unwrap_err());
    assert_eq!(draining.await.unwrap(), Drain::Clean);
}
