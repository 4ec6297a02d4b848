use eduhub_proto::bridge::v1::{
    LedgerEvent, LedgerState, ListTransfersRequest, Reconciled, TransferMode, TransferState,
};
use eduhub_proto::common::v1::{Dataset, Kind};
use sqlx::Row;

use crate::data::{SCHOOL, personal_id, pupil_key, renamed, result, school_with, staff};
use crate::lab::{Lab, count};

#[tokio::test]
async fn every_sealed_record_reaches_the_ministry_once_and_approval_is_told() {
    let lab = Lab::start().await;
    let records = school_with(3, 60);
    let transfer = lab.transferred(Dataset::Pupils, records).await;
    assert_eq!(count(&transfer, LedgerState::Accepted), 64);
    assert_eq!((transfer.counts.len(), transfer.mode()), (1, TransferMode::Api));
    assert!(transfer.finished_at.is_some());
    assert_eq!((lab.held(1).await, lab.held(3).await, lab.held(4).await), (1, 3, 60));

    let ledger = lab.ledger(&transfer.transfer_id).await;
    assert_eq!(ledger.len(), 64);
    assert!(ledger.iter().all(|e| e.event() == LedgerEvent::New && e.attempts == 1 && e.digest.len() == 16));
    assert!(ledger.iter().all(|e| e.reconciled() == Reconciled::Unspecified));
    // A pupil's version covers its three parts.
    assert!(ledger.iter().filter(|e| e.kind() == Kind::Pupil).all(|e| e.version == 3));
    let temporary = ledger.iter().find(|e| e.record_key == pupil_key(3)).unwrap();
    assert!(temporary.record_key.starts_with("TAM-") && temporary.ministry_code.len() == 10);

    let seen = || async { lab.get(&transfer.transfer_id).await.reported.then_some(()) };
    crate::lab::until("the report", seen).await;
    let told = lab.approval.state().told.clone();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].submission_id.as_str(), told[0].note.as_str()),
        (transfer.submission_id.as_str(), "64 accepted")
    );
}

#[tokio::test]
async fn the_database_never_holds_a_personal_id_in_the_clear() {
    let lab = Lab::start().await;
    // The Ministry is away: everything waits in the ledger, payloads included.
    lab.faults(crate::lab::endpoint(
        "oauth_token",
        serde_json::json!({ "probability": { "http_503": 1.0 } }),
    ))
    .await;
    let started = lab.start_transfer(lab.approved(Dataset::Pupils, school_with(1, 8))).await;
    lab.in_state(&started.transfer_id, TransferState::Sending).await;
    let payloads: i64 =
        sqlx::query_scalar("select count(payload) from ledger").fetch_one(&lab.pool).await.unwrap();
    assert_eq!(payloads, 10);
    assert_eq!(dump(&lab).await.matches(&personal_id(4)).count(), 0);
    let digits = hex::encode(personal_id(4));
    assert_eq!(dump(&lab).await.matches(&digits).count(), 0);

    lab.faults(serde_json::json!({})).await;
    lab.in_state(&started.transfer_id, TransferState::Done).await;
    let payloads: i64 =
        sqlx::query_scalar("select count(payload) from ledger").fetch_one(&lab.pool).await.unwrap();
    assert_eq!(payloads, 0, "what is settled is wiped");
}

/// Every row of the tables that records pass through, as text (bytea in hex).
async fn dump(lab: &Lab) -> String {
    let mut out = String::new();
    for sql in ["select l::text from ledger l", "select r::text from record r", "select j::text from job j"] {
        for row in sqlx::query(sql).fetch_all(&lab.pool).await.unwrap() {
            out.push_str(&row.get::<String, _>(0));
        }
    }
    out
}

#[tokio::test]
async fn the_next_transfer_sends_only_what_changed_and_cancels_what_is_gone() {
    let lab = Lab::start().await;
    let records = school_with(2, 10);
    lab.transferred(Dataset::Pupils, records.clone()).await;
    let calls = lab.ministry().await["calls"]["tiep_nhan"].as_u64().unwrap();

    let same = lab.transferred(Dataset::Pupils, records.clone()).await;
    assert_eq!(count(&same, LedgerState::Accepted), 13);
    assert!(lab.ledger(&same.transfer_id).await.iter().all(|e| e.code == "UNCHANGED" && e.attempts == 0));
    assert_eq!(lab.ministry().await["calls"]["tiep_nhan"].as_u64().unwrap(), calls);

    let mut changed = renamed(records, 4, "Nguyễn Thị Bích Hợp");
    changed.retain(|c| c.header.as_ref().unwrap().record_key != pupil_key(7));
    let third = lab.transferred(Dataset::Pupils, changed).await;
    let ledger = lab.ledger(&third.transfer_id).await;
    let of = |key: &str| ledger.iter().find(|e| e.record_key == key).unwrap();
    assert_eq!((of(&pupil_key(4)).event(), of(&pupil_key(4)).version), (LedgerEvent::Update, 4));
    assert_eq!((of(&pupil_key(7)).event(), of(&pupil_key(7)).version), (LedgerEvent::Cancel, 4));
    assert_eq!(ledger.iter().filter(|e| e.code == "UNCHANGED").count(), 11);
    assert_eq!(count(&third, LedgerState::Accepted), 13);
    assert_eq!(lab.held(4).await, 9);
}

#[tokio::test]
async fn staff_and_results_go_with_their_own_types() {
    let lab = Lab::start().await;
    lab.transferred(Dataset::Pupils, school_with(1, 4)).await;
    let people = lab.transferred(Dataset::Staff, (0..5).map(staff).collect()).await;
    let results = lab.transferred(Dataset::Results, (0..4).map(result).collect()).await;
    assert_eq!((count(&people, LedgerState::Accepted), count(&results, LedgerState::Accepted)), (5, 4));
    assert_eq!((lab.held(2).await, lab.held(51).await), (5, 4));

    let mut seen = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListTransfersRequest { school_code: SCHOOL.to_owned(), page_size: 2, page_token };
        let page = lab.transfers().list_transfers(lab.by_school(request)).await.unwrap().into_inner();
        seen.extend(page.transfers.into_iter().map(|t| t.dataset()));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, [Dataset::Results, Dataset::Staff, Dataset::Pupils]);
}
