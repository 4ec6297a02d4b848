//! The access table against every RPC: each role, no token, another school, another domain.

use eduhub_auth::testing::Persona;
use eduhub_auth::{Role, Scope};
use eduhub_faults::{Reason, reason_of};
use eduhub_proto::bridge::v1 as pb;
use eduhub_proto::common::v1::{DataDomain, Dataset};
use eduhub_testkit::AccessTable;
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::data::{COMMUNE, SCHOOL, staff};
use crate::lab::Lab;

use Role::{CommuneReviewer, DepartmentAdmin, DivisionReviewer, SchoolOfficer, Vendor};

const READ: &[Role] = &[Vendor, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin];

/// Who may call what, written out a second time on purpose.
const EXPECTED: AccessTable = AccessTable {
    package: "eduhub.bridge.v1",
    rows: &[
        // With UNIT as initiator the Department passes the row and is told so by the handler.
        ("TransferService/StartTransfer", &[SchoolOfficer]),
        ("TransferService/GetTransfer", READ),
        ("TransferService/ListTransfers", READ),
        ("TransferService/ListLedger", READ),
        ("TransferService/RequeueDead", &[SchoolOfficer, DepartmentAdmin]),
        ("TransferService/GetExport", &[SchoolOfficer, DivisionReviewer, DepartmentAdmin]),
        ("TransferService/ConfirmEntered", &[SchoolOfficer]),
        ("ReconcileService/Reconcile", &[SchoolOfficer, DepartmentAdmin]),
        ("ReconcileService/GetReconciliation", READ),
        ("ReconcileService/ListDifferences", READ),
        ("CapabilityService/ListCapabilities", READ),
        ("CapabilityService/SetCapability", &[DepartmentAdmin]),
        ("CapabilityService/CheckMinistry", &[DepartmentAdmin]),
    ],
    // What is asked for is there, and not always in the state for it.
    admitted: &[Code::Ok, Code::FailedPrecondition],
};

/// Things of one school to ask for.
struct Targets {
    transfer: String,
    submission: String,
    reconciliation: String,
}

fn with<T>(token: Option<AsciiMetadataValue>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", token);
    }
    request
}

async fn call(lab: &Lab, rpc: &str, by: Option<AsciiMetadataValue>, at: &Targets) -> Result<(), Status> {
    let (mut t, mut r, mut c) = (lab.transfers(), lab.reconciliations(), lab.capabilities());
    let transfer_id = at.transfer.clone();
    let reconciliation_id = at.reconciliation.clone();
    let school_code = SCHOOL.to_owned();
    match rpc.rsplit('/').next().unwrap_or_default() {
        "StartTransfer" => {
            let submission_id = at.submission.clone();
            t.start_transfer(with(by, pb::StartTransferRequest { transfer_id, submission_id }))
                .await
                .map(|_| ())
        }
        "GetTransfer" => t.get_transfer(with(by, pb::GetTransferRequest { transfer_id })).await.map(|_| ()),
        "ListTransfers" => {
            let ask = pb::ListTransfersRequest { school_code, ..Default::default() };
            t.list_transfers(with(by, ask)).await.map(|_| ())
        }
        "ListLedger" => {
            let ask = pb::ListLedgerRequest { transfer_id, ..Default::default() };
            t.list_ledger(with(by, ask)).await.map(|_| ())
        }
        "RequeueDead" => t.requeue_dead(with(by, pb::RequeueDeadRequest { transfer_id })).await.map(|_| ()),
        "GetExport" => t.get_export(with(by, pb::GetExportRequest { transfer_id })).await.map(|_| ()),
        "ConfirmEntered" => {
            let ask = pb::ConfirmEnteredRequest { transfer_id, sha256: vec![] };
            t.confirm_entered(with(by, ask)).await.map(|_| ())
        }
        "Reconcile" => {
            let ask = pb::ReconcileRequest { reconciliation_id, transfer_id };
            r.reconcile(with(by, ask)).await.map(|_| ())
        }
        "GetReconciliation" => r
            .get_reconciliation(with(by, pb::GetReconciliationRequest { reconciliation_id }))
            .await
            .map(|_| ()),
        "ListDifferences" => {
            let ask = pb::ListDifferencesRequest { reconciliation_id, ..Default::default() };
            r.list_differences(with(by, ask)).await.map(|_| ())
        }
        "ListCapabilities" => c.list_capabilities(with(by, pb::ListCapabilitiesRequest {})).await.map(|_| ()),
        "SetCapability" => {
            let ask = pb::SetCapabilityRequest {
                dataset: Dataset::Facilities.into(),
                mode: pb::TransferMode::Manual.into(),
            };
            c.set_capability(with(by, ask)).await.map(|_| ())
        }
        "CheckMinistry" => c.check_ministry(with(by, pb::CheckMinistryRequest {})).await.map(|_| ()),
        other => panic!("{other} has no call here"),
    }
}

async fn targets(lab: &Lab) -> Targets {
    let transfer = lab.transferred(Dataset::Staff, (0..2).map(staff).collect()).await;
    let reconciliation = Uuid::now_v7().to_string();
    let ask = pb::ReconcileRequest {
        reconciliation_id: reconciliation.clone(),
        transfer_id: transfer.transfer_id.clone(),
    };
    lab.reconciliations().reconcile(lab.by_school(ask)).await.unwrap();
    Targets { transfer: transfer.transfer_id, submission: transfer.submission_id, reconciliation }
}

fn persona(role: Role) -> Persona {
    let scope = match role {
        Vendor | SchoolOfficer => Scope::school(SCHOOL),
        CommuneReviewer => Scope::commune(COMMUNE),
        _ => Scope::province(),
    };
    Persona::new(role, scope)
}

fn is_forbidden(answer: &Result<(), Status>) -> bool {
    answer.as_ref().err().is_some_and(|status| {
        status.code() == Code::PermissionDenied && reason_of(status) == Some(Reason::Forbidden)
    })
}

#[tokio::test]
async fn each_rpc_answers_its_roles_and_nobody_else() {
    let lab = Lab::start().await;
    let at = targets(&lab).await;
    let ask = async |rpc: &str, token| call(&lab, rpc, token, &at).await;
    EXPECTED.is_kept_by_every_role(persona, |persona| lab.bearer(persona), ask).await;
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_of_this_hub() {
    let lab = Lab::start().await;
    let at = targets(&lab).await;
    let ask = async |rpc: &str, token| call(&lab, rpc, token, &at).await;
    EXPECTED.is_kept_without_a_token(|persona| lab.bearer(persona), ask).await;
}

#[tokio::test]
async fn what_is_out_of_scope_looks_absent() {
    let lab = Lab::start().await;
    let at = targets(&lab).await;
    let nowhere = Targets {
        transfer: Uuid::now_v7().to_string(),
        submission: Uuid::now_v7().to_string(),
        reconciliation: Uuid::now_v7().to_string(),
    };
    let stranger = Persona::school_officer("37000999");
    let neighbour = Persona::commune_reviewer("14330");
    for (method, roles) in EXPECTED.rows.iter().filter(|(rpc, _)| !rpc.starts_with("CapabilityService/")) {
        let absent = call(&lab, method, Some(lab.bearer(&persona(SchoolOfficer))), &nowhere).await;
        for (who, role) in [(&stranger, SchoolOfficer), (&neighbour, CommuneReviewer)] {
            if !roles.contains(&role) {
                continue;
            }
            let status = call(&lab, method, Some(lab.bearer(who)), &at).await.unwrap_err();
            assert_eq!(status.code(), Code::NotFound, "{method}");
            if let (Err(absent), true) = (&absent, *method != "TransferService/ListTransfers") {
                assert_eq!(
                    (absent.code(), reason_of(absent)),
                    (status.code(), reason_of(&status)),
                    "{method}"
                );
                assert_eq!(absent.message(), status.message(), "{method}");
                assert_eq!(absent.details(), status.details(), "{method}");
            }
        }
    }
}

#[tokio::test]
async fn a_caller_without_the_domain_sees_nothing_of_the_dataset() {
    let lab = Lab::start().await;
    let at = targets(&lab).await;
    let pupils_only = persona(SchoolOfficer).domains(&[DataDomain::Pupil]);
    for method in
        ["StartTransfer", "GetTransfer", "ListLedger", "GetExport", "GetReconciliation", "ListDifferences"]
    {
        let answer = call(&lab, method, Some(lab.bearer(&pupils_only)), &at).await;
        assert!(is_forbidden(&answer), "{method}: {answer:?}");
    }
    let ask = pb::ListTransfersRequest { school_code: SCHOOL.to_owned(), ..Default::default() };
    let list = lab.transfers().list_transfers(lab.by(&pupils_only, ask)).await.unwrap().into_inner();
    assert!(list.transfers.is_empty());
    let ask = pb::ListLedgerRequest { school_code: SCHOOL.to_owned(), ..Default::default() };
    let list = lab.transfers().list_ledger(lab.by(&pupils_only, ask)).await.unwrap().into_inner();
    assert!(list.entries.is_empty());
}
