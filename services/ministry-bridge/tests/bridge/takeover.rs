use std::time::Duration;

use eduhub_ministry_bridge::app;
use eduhub_ministry_bridge::config::WorkSettings;
use eduhub_proto::bridge::v1::{LedgerState, TransferState};
use eduhub_proto::common::v1::Dataset;
use tokio_util::sync::CancellationToken;

use crate::data::staff;
use crate::lab::{Lab, count, quick, until};
use crate::stub::Stub;

/// The call of a worker hangs at the Ministry; then all workers of the process die.
async fn killed_in_the_middle(lease: Duration) -> (Stub, Lab, String) {
    let stub = Stub::start().await;
    stub.open.send_replace(false);
    let lab = Lab::at(WorkSettings { lease, ..quick() }, &stub.url, Duration::from_secs(60)).await;
    let started = lab.start_transfer(lab.approved(Dataset::Staff, (0..30).map(staff).collect())).await;
    let on_the_wire = || async { (!stub.seen.lock().unwrap().calls.is_empty()).then_some(()) };
    until("a call", on_the_wire).await;
    (stub, lab, started.transfer_id)
}

#[tokio::test]
async fn a_dead_workers_batch_is_taken_over_and_sent_as_it_was() {
    let (stub, mut lab, transfer) = killed_in_the_middle(Duration::from_millis(600)).await;
    lab.workers.shutdown().await;
    // The dead worker's request still reaches the Ministry, and is taken.
    stub.open.send_replace(true);
    lab.workers = app::workers(&lab.core, &CancellationToken::new());
    let done = lab.in_state(&transfer, TransferState::Done).await;
    assert_eq!(count(&done, LedgerState::Accepted), 30);
    {
        let seen = stub.seen.lock().unwrap();
        let [first, second] = &seen.calls[..] else { panic!("{} calls", seen.calls.len()) };
        assert_eq!(first, second, "the same key and the same bytes");
        assert!(seen.taken.values().all(|versions| versions.len() == 1));
    }
    assert!(lab.ledger(&transfer).await.iter().all(|e| e.attempts == 2));
}

#[tokio::test]
async fn nobody_takes_over_from_a_worker_that_lives() {
    let (stub, lab, transfer) = killed_in_the_middle(Duration::from_millis(300)).await;
    // Three leases long its call hangs; the heartbeat keeps the batch its own.
    let beats = || async {
        let lease: Option<bool> = sqlx::query_scalar("select lease_until > now() from job")
            .fetch_optional(&lab.pool)
            .await
            .unwrap();
        assert_eq!(lease, Some(true));
        None::<()>
    };
    let watched = tokio::time::timeout(Duration::from_millis(900), until("never", beats)).await;
    assert!(watched.is_err());
    assert_eq!(stub.seen.lock().unwrap().calls.len(), 1);
    stub.open.send_replace(true);
    lab.in_state(&transfer, TransferState::Done).await;
    assert_eq!(stub.seen.lock().unwrap().calls.len(), 1);
}

#[tokio::test]
async fn a_drain_lets_a_worker_finish_its_batch() {
    let stub = Stub::start().await;
    stub.open.send_replace(false);
    let mut lab = Lab::at(quick(), &stub.url, Duration::from_secs(60)).await;
    lab.workers.shutdown().await;
    let stop = CancellationToken::new();
    lab.workers = app::workers(&lab.core, &stop);
    let started = lab.start_transfer(lab.approved(Dataset::Staff, (0..5).map(staff).collect())).await;
    until("a call", || async { (!stub.seen.lock().unwrap().calls.is_empty()).then_some(()) }).await;
    stop.cancel();
    stub.open.send_replace(true);
    until("the workers' end", || {
        let done = lab.workers.try_join_next().is_some() && lab.workers.is_empty();
        async move { done.then_some(()) }
    })
    .await;
    let done = lab.get(&started.transfer_id).await;
    assert_eq!(count(&done, LedgerState::Accepted), 5);
}
