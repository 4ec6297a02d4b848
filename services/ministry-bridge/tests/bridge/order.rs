use eduhub_proto::bridge::v1::{LedgerState, RequeueDeadRequest, TransferState};
use eduhub_proto::common::v1::{Dataset, Kind};
use serde_json::json;

use crate::data::{pupil_key, school_with};
use crate::lab::{Lab, count};

#[tokio::test]
async fn a_refused_class_blocks_its_pupils_and_no_others() {
    let lab = Lab::start().await;
    lab.faults(json!({ "records": { "reject": [{ "khoa": "6A1", "times": 1 }] } })).await;
    let records = school_with(2, 20);
    let transfer = lab.transferred(Dataset::Pupils, records.clone()).await;
    assert_eq!(count(&transfer, LedgerState::Rejected), 1);
    assert_eq!(count(&transfer, LedgerState::Blocked), 10);
    assert_eq!(count(&transfer, LedgerState::Accepted), 12);
    let ledger = lab.ledger(&transfer.transfer_id).await;
    for entry in ledger.iter().filter(|e| e.state() == LedgerState::Blocked) {
        assert_eq!((entry.blocked_by_kind(), entry.blocked_by_key.as_str()), (Kind::Class, "2026/6A1"));
        assert_eq!(entry.attempts, 0, "it was never sent");
    }
    // The Ministry itself never had to refuse a pupil for want of its class.
    assert_eq!(lab.ministry().await["records"]["rejected"]["LOP_CHUA_CO"], json!(null));

    let next = lab.transferred(Dataset::Pupils, records).await;
    assert_eq!(count(&next, LedgerState::Accepted), 23);
    assert_eq!(lab.held(4).await, 20);
}

#[tokio::test]
async fn a_refused_change_of_a_class_that_the_ministry_has_blocks_nobody() {
    let lab = Lab::start().await;
    let mut records = school_with(1, 3);
    lab.transferred(Dataset::Pupils, records.clone()).await;
    lab.faults(json!({ "records": { "reject": [{ "khoa": "6A1" }] } })).await;
    for change in &mut records {
        use eduhub_proto::registry::v1::record::Record;
        if let Some(Record::Class(class)) = change.record.as_mut().and_then(|r| r.record.as_mut()) {
            class.two_sessions_per_day = Some(true);
        }
    }
    let records = crate::data::renamed(records, 1, "Nguyễn Thị Mai");
    let transfer = lab.transferred(Dataset::Pupils, records).await;
    assert_eq!((count(&transfer, LedgerState::Rejected), count(&transfer, LedgerState::Blocked)), (1, 0));
    let ledger = lab.ledger(&transfer.transfer_id).await;
    assert_eq!(ledger.iter().find(|e| e.record_key == pupil_key(1)).unwrap().state(), LedgerState::Accepted);
}

#[tokio::test]
async fn classes_are_cancelled_after_their_pupils() {
    let lab = Lab::start().await;
    lab.transferred(Dataset::Pupils, school_with(2, 6)).await;
    // Class 6A2 and its pupils are gone; the Ministry refuses to cancel a class that has pupils.
    let mut left = school_with(2, 6);
    left.retain(|c| {
        let key = &c.header.as_ref().unwrap().record_key;
        !(1..6).step_by(2).any(|n| key.contains(&pupil_key(n)) || *key == format!("2026/E{n}"))
            && key != "2026/6A2"
    });
    let transfer = lab.transferred(Dataset::Pupils, left).await;
    assert_eq!(count(&transfer, LedgerState::Rejected), 0, "{:?}", transfer.counts_by_kind);
    assert_eq!((lab.held(3).await, lab.held(4).await), (1, 3));
}

#[tokio::test]
async fn dead_records_go_again_on_request_with_what_they_blocked() {
    let stub = crate::stub::Stub::start().await;
    stub.poison("6A1", 500);
    let lab = Lab::at(crate::lab::quick(), &stub.url, std::time::Duration::from_secs(2)).await;
    let transfer = lab.transferred(Dataset::Pupils, school_with(2, 8)).await;
    assert_eq!((count(&transfer, LedgerState::Dead), count(&transfer, LedgerState::Blocked)), (1, 4));

    stub.seen.lock().unwrap().poison.clear();
    let request = || RequeueDeadRequest { transfer_id: transfer.transfer_id.clone() };
    let again = lab.transfers().requeue_dead(lab.by_school(request())).await.unwrap().into_inner();
    assert_eq!(again.state(), TransferState::Sending);
    let done = lab.in_state(&transfer.transfer_id, TransferState::Done).await;
    assert_eq!(count(&done, LedgerState::Accepted), 11);
    // Nothing is dead any more: nothing happens.
    let idle = lab.transfers().requeue_dead(lab.by_school(request())).await.unwrap().into_inner();
    assert_eq!(idle.state(), TransferState::Done);
    assert!(stub.seen.lock().unwrap().taken.values().all(|versions| versions.len() == 1));
}
