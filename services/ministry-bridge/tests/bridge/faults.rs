use std::collections::BTreeSet;

use eduhub_ministry_bridge::config::WorkSettings;
use eduhub_proto::bridge::v1::{LedgerState, TransferState};
use eduhub_proto::common::v1::Dataset;
use serde_json::json;

use crate::data::school_with;
use crate::lab::{Lab, count, endpoint, quick};

fn small_batches() -> WorkSettings {
    WorkSettings { batch: 10, ..quick() }
}

/// After any trouble: everything is there, once, and nothing was given up.
async fn all_arrived(lab: &Lab, pupils: usize) {
    let transfer = lab.transferred(Dataset::Pupils, school_with(2, pupils)).await;
    let total = u64::try_from(pupils).unwrap() + 3;
    assert_eq!(count(&transfer, LedgerState::Accepted), total, "{:?}", transfer.counts);
    assert_eq!(lab.held(4).await, u64::try_from(pupils).unwrap());
    let state = lab.ministry().await;
    assert_eq!(state["records"]["accepted"].as_u64().unwrap(), total, "{state}");
}

#[tokio::test]
async fn server_errors_are_tried_again() {
    let lab = Lab::with(small_batches()).await;
    let script = ["http_503", "http_500", "http_502", "ok", "http_503", "http_503"];
    lab.faults(endpoint("tiep_nhan", json!({ "script": script }))).await;
    all_arrived(&lab, 30).await;
    assert_eq!(lab.ministry().await["faults"]["tiep_nhan"]["http_503"], 3);
}

#[tokio::test]
async fn everybody_waits_as_long_as_the_ministry_asks() {
    let lab = Lab::with(small_batches()).await;
    lab.faults(endpoint("tiep_nhan", json!({ "script": [{ "fault": "http_429", "seconds": 1 }] }))).await;
    let begun = std::time::Instant::now();
    all_arrived(&lab, 20).await;
    assert!(begun.elapsed() >= std::time::Duration::from_secs(1));
    // The school's batch was refused once; nobody else called before the time was over.
    assert_eq!(lab.ministry().await["faults"]["tiep_nhan"]["http_429"], 1);
}

#[tokio::test]
async fn a_lost_answer_doubles_nothing() {
    let lab = Lab::with(small_batches()).await;
    let script = json!(["reset_after_store", "reset", { "fault": "hang_after_store", "seconds": 3 }, "ok", "reset_after_store"]);
    lab.faults(endpoint("tiep_nhan", json!({ "script": script }))).await;
    all_arrived(&lab, 30).await;
    let state = lab.ministry().await;
    assert_eq!(state["duplicates_suppressed"], 3, "the same key came again: {state}");
    assert_eq!(state["records"]["stale"], 0);
}

#[tokio::test]
async fn a_batch_that_was_split_after_it_was_taken_is_recognised() {
    let lab = Lab::with(WorkSettings { batch: 10, ..quick() }).await;
    // School, class batch, then the first batch of pupils: taken, and its answer lost three times over, so that its halves come
    // under other keys.
    let lost = json!({ "fault": "hang_after_store", "seconds": 3 });
    lab.faults(endpoint("tiep_nhan", json!({ "script": ["ok", "ok", lost, lost, lost] }))).await;
    all_arrived(&lab, 10).await;
    assert!(lab.ministry().await["records"]["stale"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_dead_token_is_replaced_without_losing_an_attempt() {
    let lab = Lab::with(small_batches()).await;
    all_arrived(&lab, 5).await;
    lab.expire_tokens().await;
    let transfer = lab.transferred(Dataset::Staff, (0..12).map(crate::data::staff).collect()).await;
    assert_eq!(count(&transfer, LedgerState::Accepted), 12);
    assert!(lab.ledger(&transfer.transfer_id).await.iter().all(|e| e.attempts == 1));
    assert_eq!(lab.ministry().await["calls"]["oauth_token"], 2);
}

#[tokio::test]
async fn an_outage_opens_the_circuit_and_kills_no_record() {
    let lab = Lab::with(WorkSettings { batch: 5, max_attempts: 2, ..quick() }).await;
    lab.faults(endpoint("tiep_nhan", json!({ "probability": { "http_503": 1.0 } }))).await;
    let started =
        lab.start_transfer(lab.approved(Dataset::Staff, (0..50).map(crate::data::staff).collect())).await;
    let calls = || async {
        let calls = lab.ministry().await["calls"]["tiep_nhan"].as_u64().unwrap_or(0);
        (calls > 12).then_some(calls)
    };
    crate::lab::until("more calls than attempts are allowed", calls).await;
    assert!(lab.core.ministry.breaker().pass().is_err(), "the circuit is open");
    lab.faults(json!({})).await;
    let done = lab.in_state(&started.transfer_id, TransferState::Done).await;
    assert_eq!(count(&done, LedgerState::Accepted), 50);
}

#[tokio::test]
async fn through_all_of_it_at_random() {
    let lab = Lab::with(WorkSettings { batch: 7, max_attempts: 12, ..quick() }).await;
    let trouble = json!({
        "probability": {
            "http_500": 0.08, "http_503": 0.1, "http_502": 0.05, "reset": 0.08, "reset_after_store": 0.12,
            "hang_after_store": 0.03, "http_429": 0.03,
        },
        "hang_seconds": 3, "retry_after_seconds": 0,
    });
    let share = json!({ "probability": { "reject": 0.1 }, "loai": [4] });
    lab.faults(json!({ "seed": 11, "endpoints": { "tiep_nhan": trouble }, "records": share })).await;
    let transfer = lab.transferred(Dataset::Pupils, school_with(4, 150)).await;

    let state = lab.ministry().await;
    let refused: BTreeSet<String> = state["on_purpose"]["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|deed| deed["idbanghi"].as_str().unwrap().to_owned())
        .collect();
    let ledger = lab.ledger(&transfer.transfer_id).await;
    let rejected: BTreeSet<String> = ledger
        .iter()
        .filter(|e| e.state() == LedgerState::Rejected)
        .map(|e| {
            assert!(e.code == "E505" && !e.message.is_empty());
            e.record_id.clone()
        })
        .collect();
    assert!(!refused.is_empty());
    assert_eq!(rejected, refused, "the ledger says of each record what the Ministry did");
    let accepted = ledger.iter().filter(|e| e.state() == LedgerState::Accepted).count();
    assert_eq!(accepted + rejected.len(), 155);
    assert_eq!(lab.held(4).await, 150 - u64::try_from(rejected.len()).unwrap());
}
