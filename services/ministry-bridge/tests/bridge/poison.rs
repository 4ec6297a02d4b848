use std::time::Duration;

use eduhub_proto::bridge::v1::LedgerState;
use eduhub_proto::common::v1::Dataset;

use crate::data::staff;
use crate::lab::{Lab, count, quick};
use crate::stub::Stub;

async fn poisoned(status: u16) -> (Stub, Lab, eduhub_proto::bridge::v1::Transfer) {
    let stub = Stub::start().await;
    stub.poison("CB000037", status);
    let lab = Lab::at(quick(), &stub.url, Duration::from_secs(2)).await;
    let transfer = lab.transferred(Dataset::Staff, (0..100).map(staff).collect()).await;
    (stub, lab, transfer)
}

#[tokio::test]
async fn one_record_that_chokes_the_ministry_dies_alone() {
    let (stub, lab, transfer) = poisoned(500).await;
    assert_eq!((count(&transfer, LedgerState::Accepted), count(&transfer, LedgerState::Dead)), (99, 1));
    let ledger = lab.ledger(&transfer.transfer_id).await;
    let dead = ledger.iter().find(|e| e.state() == LedgerState::Dead).unwrap();
    assert_eq!((dead.record_key.as_str(), dead.code.as_str()), ("CB000037", "HTTP-500"));
    assert!(stub.seen.lock().unwrap().taken.values().all(|versions| versions.len() == 1));
}

#[tokio::test]
async fn one_record_that_makes_a_batch_invalid_is_rejected_alone_with_the_reason() {
    let (_, lab, transfer) = poisoned(422).await;
    assert_eq!((count(&transfer, LedgerState::Accepted), count(&transfer, LedgerState::Rejected)), (99, 1));
    let ledger = lab.ledger(&transfer.transfer_id).await;
    let rejected = ledger.iter().find(|e| e.state() == LedgerState::Rejected).unwrap();
    assert_eq!((rejected.code.as_str(), rejected.message.as_str()), ("BOM", "Không đọc được gói tin"));
    assert!(rejected.attempts <= 8, "halving takes log2(100) steps, not a walk");
}
