use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::bridge::v1 as pb;
use eduhub_proto::common::v1::{Dataset, Kind, Sensitivity};
use pb::{DifferenceType, LedgerState, Reconciled, ReconciliationState};
use serde_json::json;
use tonic::Code;
use uuid::Uuid;

use crate::data::{SCHOOL, YEAR, pupil_key, school_with};
use crate::lab::{Lab, count, refused, until};

async fn reconciled(lab: &Lab, transfer_id: &str) -> pb::Reconciliation {
    let id = Uuid::now_v7().to_string();
    let request = pb::ReconcileRequest { reconciliation_id: id.clone(), transfer_id: transfer_id.to_owned() };
    lab.reconciliations().reconcile(lab.by_school(request)).await.unwrap();
    until("the reconciliation", || async {
        let request = pb::GetReconciliationRequest { reconciliation_id: id.clone() };
        let found =
            lab.reconciliations().get_reconciliation(lab.by_school(request)).await.unwrap().into_inner();
        (found.state() != ReconciliationState::Running).then_some(found)
    })
    .await
}

async fn differences(lab: &Lab, by: &Persona, id: &str) -> Vec<pb::Difference> {
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let request =
            pb::ListDifferencesRequest { reconciliation_id: id.to_owned(), page_size: 2, page_token };
        let page = lab.reconciliations().list_differences(lab.by(by, request)).await.unwrap().into_inner();
        all.extend(page.differences);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

fn wrongs() -> serde_json::Value {
    json!({ "records": {
        "alter": [
            { "khoa": pupil_key(1), "symbol": "MA_DAN_TOC", "value": "02" },
            { "khoa": pupil_key(2), "symbol": "MA_CONG_DAN_ID", "value": "037212099999" },
            { "khoa": "6A1", "symbol": "TEN", "value": "6A" },
        ],
        "forget": [{ "khoa": pupil_key(4) }],
        "ghosts": [{ "ma_truong": SCHOOL, "loai": 4, "nam_hoc": YEAR, "khoa": "GHOST-1" }],
    }})
}

#[tokio::test]
async fn wrong_missing_and_extra_records_are_found_by_field() {
    let lab = Lab::start().await;
    lab.faults(wrongs()).await;
    let transfer = lab.transferred(Dataset::Pupils, school_with(1, 12)).await;
    assert_eq!(count(&transfer, LedgerState::Accepted), 14, "the Ministry said yes to all");
    let found = reconciled(&lab, &transfer.transfer_id).await;
    assert_eq!((found.state(), found.problem.as_str()), (ReconciliationState::Done, ""));
    let pupils = found.kinds.iter().find(|k| k.kind() == Kind::Pupil).unwrap();
    let counts =
        [pupils.hub, pupils.ministry, pupils.matching, pupils.missing, pupils.extra, pupils.differing];
    assert_eq!(counts, [12, 12, 9, 1, 1, 2]);
    let classes = found.kinds.iter().find(|k| k.kind() == Kind::Class).unwrap();
    assert_eq!((classes.matching, classes.differing), (0, 1));

    let officer = Persona::school_officer(SCHOOL);
    let list = differences(&lab, &officer, &found.reconciliation_id).await;
    let of = |field: &str| list.iter().find(|d| d.field == field).unwrap();
    assert_eq!(list.len(), 5);
    let class = of("TEN");
    assert_eq!((class.hub_value.as_str(), class.ministry_value.as_str()), ("6A1", "6A"));
    assert_eq!((class.label.as_str(), class.record_key.as_str()), ("Tên lớp", "2026/6A1"));
    let ethnicity = of("MA_DAN_TOC");
    assert_eq!((ethnicity.hub_value.as_str(), ethnicity.ministry_value.as_str()), ("01", "02"));
    let id = of("MA_CONG_DAN_ID");
    assert!(id.masked && id.hub_value.is_empty() && id.ministry_value.is_empty(), "named, never shown");
    let whole = |kind_of| list.iter().find(|d| d.r#type() == kind_of).unwrap().record_key.clone();
    assert_eq!(whole(DifferenceType::Missing), pupil_key(4));
    assert_eq!(whole(DifferenceType::Extra), "GHOST-1");

    let basic = Persona::vendor(SCHOOL).max_class(Sensitivity::Basic);
    let masked = differences(&lab, &basic, &found.reconciliation_id).await;
    let ethnicity = masked.iter().find(|d| d.field == "MA_DAN_TOC").unwrap();
    assert!(ethnicity.masked && ethnicity.hub_value.is_empty());
    assert!(!masked.iter().find(|d| d.field == "TEN").unwrap().masked);
}

#[tokio::test]
async fn what_is_wrong_is_sent_again_by_the_next_transfer() {
    let lab = Lab::start().await;
    lab.faults(wrongs()).await;
    let records = school_with(1, 12);
    let transfer = lab.transferred(Dataset::Pupils, records.clone()).await;
    reconciled(&lab, &transfer.transfer_id).await;
    let ledger = lab.ledger(&transfer.transfer_id).await;
    let found = |what| ledger.iter().filter(|e| e.reconciled() == what).count();
    assert_eq!(
        (found(Reconciled::Matches), found(Reconciled::Differs), found(Reconciled::Missing)),
        (10, 3, 1)
    );

    let next = lab.transferred(Dataset::Pupils, records).await;
    assert_eq!(lab.ledger(&next.transfer_id).await.iter().filter(|e| e.code != "UNCHANGED").count(), 4);
    let healed = reconciled(&lab, &next.transfer_id).await;
    let pupils = healed.kinds.iter().find(|k| k.kind() == Kind::Pupil).unwrap();
    assert_eq!((pupils.matching, pupils.missing, pupils.differing, pupils.extra), (12, 0, 0, 1));
}

#[tokio::test]
async fn reading_back_survives_faults_and_starts_only_on_a_finished_transfer() {
    let lab = Lab::start().await;
    lab.faults(crate::lab::endpoint("tiep_nhan", json!({ "probability": { "http_503": 1.0 } }))).await;
    let started = lab.start_transfer(lab.approved(Dataset::Pupils, school_with(1, 3))).await;
    let ask = |id: Uuid| pb::ReconcileRequest {
        reconciliation_id: id.to_string(),
        transfer_id: started.transfer_id.clone(),
    };
    let early = lab.reconciliations().reconcile(lab.by_school(ask(Uuid::now_v7()))).await;
    assert_eq!(refused(early), (Code::FailedPrecondition, Reason::WrongState));

    lab.faults(crate::lab::endpoint(
        "doi_soat",
        json!({ "script": ["http_503", "reset", "http_500", "ok", "http_502"] }),
    ))
    .await;
    lab.in_state(&started.transfer_id, pb::TransferState::Done).await;
    let found = reconciled(&lab, &started.transfer_id).await;
    assert_eq!(found.state(), ReconciliationState::Done);
    assert_eq!(found.kinds.iter().map(|k| k.matching).sum::<u64>(), 5);
}
