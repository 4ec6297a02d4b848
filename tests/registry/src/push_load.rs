//! Many pushes at once: turns in the order of asking, hints to slow down, a share of streams for each client.
use crate::{
    hub::{Hub, OTHER, SCHOOL, SOON, Setup},
    make::{self, Wrap},
    pushing::{Pushing, batch, end_of, patch, refusal},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_ingest::Limits;
use eduhub_testkit::eventually;
use sqlx::{Connection, PgConnection};
use std::time::Duration;
use tonic::Code;

async fn narrow(limits: Limits) -> Hub {
    Hub::with(Setup { push: limits, ..Setup::default() }).await
}

#[tokio::test]
async fn who_had_to_wait_is_asked_to_slow_down_and_loses_nothing() {
    let hub = narrow(Limits { applying: 1, keeps_up: Duration::from_millis(1), ..Limits::default() }).await;
    let (mut slow, _) = Pushing::open(hub.ingest(&Persona::vendor(SCHOOL)), patch(SCHOOL)).await.unwrap();
    let (mut other, _) = Pushing::open(hub.ingest(&Persona::vendor(OTHER)), patch(OTHER)).await.unwrap();
    // Somebody holds the first school's lock, so its batch keeps the only turn.
    let mut outside = PgConnection::connect(hub.db.url()).await.unwrap();
    let mut holding = outside.begin().await.unwrap();
    eduhub_changelog::lock_school(&mut holding, SCHOOL).await.unwrap();
    let batches = [batch(1, vec![make::pupil(1).wrap()])];
    slow.send(batches[0].clone()).await;
    let blocked = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    eventually(SOON, || async { (hub.count(blocked).await == 1).then_some(()) }).await;
    other.send(batches[0].clone()).await;
    // The other one is in the queue when nothing more comes of it, and nothing may come before the lock is gone.
    let early = tokio::time::timeout(Duration::from_millis(300), other.reply()).await;
    assert!(early.is_err(), "two turns at once: {early:?}");
    holding.rollback().await.unwrap();
    assert_eq!(slow.reply().await.unwrap().hint, None, "it did not wait for a turn");
    let hint = other.reply().await.unwrap().hint.unwrap();
    let pause = hint.pause.unwrap();
    assert!(hint.window == 1 && (pause.seconds > 0 || pause.nanos > 0), "{hint:?}");
    for stream in [&mut slow, &mut other] {
        assert_eq!(stream.end(end_of(&batches)).await.unwrap().record_count, 1);
    }
}

#[tokio::test]
async fn a_client_has_a_share_of_the_streams() {
    let hub = narrow(Limits { streams_per_caller: 2, ..Limits::default() }).await;
    let vendor = Persona::vendor(SCHOOL);
    let open = async || Pushing::open(hub.ingest(&vendor), patch(SCHOOL)).await;
    let (first, _second) = (open().await.unwrap(), open().await.unwrap());
    let refused = open().await.map(drop);
    assert_eq!(refusal(refused), (Code::ResourceExhausted, Reason::Overloaded));
    let other = Persona::vendor(OTHER);
    Pushing::open(hub.ingest(&other), patch(OTHER)).await.unwrap();
    drop(first);
    eventually(SOON, || async { open().await.ok().map(drop) }).await;
}
