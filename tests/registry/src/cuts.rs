//! The connection cut at every kind of place: resumed each time, the end is the same as without a cut.
use crate::{
    hub::{Hub, SCHOOL, SOON},
    make::{self, Wrap},
    pushing::{Pushing, batch, counted, end_of, full, push},
};
use eduhub_auth::testing::Persona;
use eduhub_proto::{
    common::v1::{Kind, PushOpen, PushReceipt},
    registry::v1::{PushBatch, PushRequest},
};
use eduhub_testkit::until;

/// Where the client loses the stream.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cut {
    /// After `open` was sent, before its reply.
    BeforeWelcome,
    /// After the reply to this batch.
    After(usize),
    /// Right after this batch was sent: while the server applies it, or before.
    During(usize),
    /// This batch and all that follow are on the way.
    Ahead(usize),
    /// After `end` was sent, before the receipt.
    BeforeReceipt,
}

const BATCHES: u32 = 4;

fn batches() -> Vec<PushBatch> {
    let mut all = vec![batch(1, vec![make::campus().wrap(), make::class("6A1").wrap()])];
    for b in 2..=BATCHES {
        let pupils = (b * 100)..(b * 100 + 50);
        all.push(batch(
            b,
            pupils.flat_map(|n| [make::enrolment(n, "6A1").wrap(), make::pupil(n).wrap()]).collect(),
        ));
    }
    all
}

/// Pushes until a cut. Whatever fails after it is what a lost connection is.
async fn until_cut(hub: &Hub, vendor: &Persona, open: &PushOpen, all: &[PushBatch], cut: Cut) {
    if cut == Cut::BeforeWelcome {
        let mut client = hub.ingest(vendor);
        let first = PushRequest::from(open);
        let stream = futures::stream::iter([first]);
        let call = client.push(tokio_stream::StreamExt::chain(stream, futures::stream::pending()));
        // Dropped while the server opens the session.
        let _ = tokio::time::timeout(std::time::Duration::from_millis(3), call).await;
        return;
    }
    let (mut stream, welcome) = Pushing::open(hub.ingest(vendor), open.clone()).await.unwrap();
    for (i, b) in all.iter().enumerate().skip(welcome.last_batch as usize) {
        match cut {
            Cut::During(at) if at == i => {
                stream.send(b.clone()).await;
                tokio::task::yield_now().await;
                return;
            }
            Cut::Ahead(at) if at == i => {
                for rest in &all[i..] {
                    stream.send(rest.clone()).await;
                }
                stream.reply().await.unwrap();
                return;
            }
            _ => {
                stream.batch(b.clone()).await.unwrap();
            }
        }
        if cut == Cut::After(i) {
            return;
        }
    }
    stream.send_end(end_of(all)).await;
    tokio::task::yield_now().await;
}

fn comparable(receipt: &PushReceipt) -> PushReceipt {
    // Each hub has a key of its own.
    PushReceipt { session_id: String::new(), completed_at: None, signed: String::new(), ..receipt.clone() }
}

/// Log entries by kind, key and version: doubled ones would show.
async fn log_of(hub: &Hub) -> Vec<String> {
    let sql = "select format('%s %s %s', kind, record_key, version) from change_log order by 1";
    sqlx::query_scalar(sql).fetch_all(&hub.pool).await.unwrap()
}

/// A hub with something that FULL must withdraw, and only once; and a session of that kind.
async fn prepared() -> (Hub, PushOpen) {
    let hub = Hub::start().await;
    crate::pushing::push_one(&hub, SCHOOL, make::small_school(1..6)).await;
    (hub, full(SCHOOL, &[Kind::Pupil, Kind::Enrolment, Kind::Class, Kind::Campus]))
}

async fn compare(cuts: &[Cut]) {
    let (all, vendor) = (batches(), Persona::vendor(SCHOOL));
    let (uncut, open) = prepared().await;
    let (_, whole) = push(&uncut, &vendor, open, all.clone()).await.unwrap();
    // A class of so many is warned of with each batch that it grows by above 55.
    assert_eq!(counted(&whole.totals), [300, 0, 2, 0, 0, 0, 10, 2]);

    let (hub, open) = prepared().await;
    for cut in cuts {
        until_cut(&hub, &vendor, &open, &all, *cut).await;
    }
    let (_, resumed) = push(&hub, &vendor, open, all).await.unwrap();
    assert_eq!(comparable(&resumed), comparable(&whole), "{cuts:?}");
    assert_eq!(hub.rows().await, uncut.rows().await, "{cuts:?}");
    assert_eq!(log_of(&hub).await, log_of(&uncut).await, "{cuts:?}");
    assert_eq!(hub.count_of("held_record").await, 0);
}

#[tokio::test]
async fn before_the_welcome() {
    compare(&[Cut::BeforeWelcome]).await;
}

#[tokio::test]
async fn between_batches() {
    compare(&[Cut::After(0)]).await;
    compare(&[Cut::After(1), Cut::After(2)]).await;
}

#[tokio::test]
async fn while_a_batch_is_applied() {
    compare(&[Cut::During(0)]).await;
    compare(&[Cut::During(2), Cut::During(2), Cut::During(3)]).await;
}

#[tokio::test]
async fn with_batches_on_the_way() {
    compare(&[Cut::Ahead(0)]).await;
    compare(&[Cut::Ahead(1), Cut::Ahead(2)]).await;
}

#[tokio::test]
async fn after_the_last_batch_before_the_end() {
    compare(&[Cut::After(BATCHES as usize - 1)]).await;
}

#[tokio::test]
async fn after_the_end_before_the_receipt() {
    compare(&[Cut::BeforeReceipt]).await;
}

#[tokio::test]
async fn at_all_of_them() {
    let last = BATCHES as usize - 1;
    let cuts = [
        Cut::BeforeWelcome,
        Cut::During(0),
        Cut::After(1),
        Cut::Ahead(2),
        Cut::After(last),
        Cut::BeforeReceipt,
    ];
    compare(&cuts).await;
}

#[tokio::test]
async fn a_connection_that_goes_away_leaves_nothing_running() {
    let hub = Hub::start().await;
    for _ in 0..10 {
        let stream = Pushing::open(hub.ingest(&Persona::vendor(SCHOOL)), crate::pushing::patch(SCHOOL))
            .await
            .unwrap()
            .0;
        stream.send(batch(1, (0..500).map(|n| make::pupil(n).wrap()).collect())).await;
    }
    let busy = "select count(*) from pg_stat_activity where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()
        and query not like '%change_log%'";
    until(SOON, || async { hub.count(busy).await == 0 }).await;
    // The school's lock is free again.
    crate::pushing::push_one(&hub, SCHOOL, vec![make::staff(1).wrap()]).await;
}
