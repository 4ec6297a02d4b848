//! The access table against every RPC: each role, no token, another school, another domain.

use eduhub_auth::testing::Persona;
use eduhub_auth::{Role, Scope};
use eduhub_faults::{Reason, reason_of};
use eduhub_ministry_bridge::policy::ROWS;
use eduhub_proto::bridge::v1 as pb;
use eduhub_proto::common::v1::{DataDomain, Dataset};
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::data::{COMMUNE, SCHOOL, staff};
use crate::lab::Lab;

/// Who may call what, written out a second time on purpose.
const EXPECTED: &[(&str, &[Role])] = {
    use Role::*;
    const READ: &[Role] = &[Vendor, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin];
    &[
        ("StartTransfer", &[SchoolOfficer, DepartmentAdmin]),
        ("GetTransfer", READ),
        ("ListTransfers", READ),
        ("ListLedger", READ),
        ("RequeueDead", &[SchoolOfficer, DepartmentAdmin]),
        ("GetExport", &[SchoolOfficer, DivisionReviewer, DepartmentAdmin]),
        ("ConfirmEntered", &[SchoolOfficer]),
        ("Reconcile", &[SchoolOfficer, DepartmentAdmin]),
        ("GetReconciliation", READ),
        ("ListDifferences", READ),
        ("ListCapabilities", READ),
        ("SetCapability", &[DepartmentAdmin]),
    ]
};

/// Things of one school to ask for.
struct Targets {
    transfer: String,
    submission: String,
    reconciliation: String,
}

fn with<T>(lab: &Lab, by: Option<&Persona>, message: T) -> Request<T> {
    match by {
        Some(persona) => lab.by(persona, message),
        None => Request::new(message),
    }
}

async fn call(lab: &Lab, method: &str, by: Option<&Persona>, at: &Targets) -> Result<(), Status> {
    let (mut t, mut r, mut c) = (lab.transfers(), lab.reconciliations(), lab.capabilities());
    let transfer_id = at.transfer.clone();
    let reconciliation_id = at.reconciliation.clone();
    let school_code = SCHOOL.to_owned();
    match method {
        "StartTransfer" => {
            let submission_id = at.submission.clone();
            t.start_transfer(with(lab, by, pb::StartTransferRequest { transfer_id, submission_id }))
                .await
                .map(|_| ())
        }
        "GetTransfer" => {
            t.get_transfer(with(lab, by, pb::GetTransferRequest { transfer_id })).await.map(|_| ())
        }
        "ListTransfers" => {
            let ask = pb::ListTransfersRequest { school_code, ..Default::default() };
            t.list_transfers(with(lab, by, ask)).await.map(|_| ())
        }
        "ListLedger" => {
            let ask = pb::ListLedgerRequest { transfer_id, ..Default::default() };
            t.list_ledger(with(lab, by, ask)).await.map(|_| ())
        }
        "RequeueDead" => {
            t.requeue_dead(with(lab, by, pb::RequeueDeadRequest { transfer_id })).await.map(|_| ())
        }
        "GetExport" => t.get_export(with(lab, by, pb::GetExportRequest { transfer_id })).await.map(|_| ()),
        "ConfirmEntered" => {
            let ask = pb::ConfirmEnteredRequest { transfer_id, sha256: vec![] };
            t.confirm_entered(with(lab, by, ask)).await.map(|_| ())
        }
        "Reconcile" => {
            let ask = pb::ReconcileRequest { reconciliation_id, transfer_id };
            r.reconcile(with(lab, by, ask)).await.map(|_| ())
        }
        "GetReconciliation" => r
            .get_reconciliation(with(lab, by, pb::GetReconciliationRequest { reconciliation_id }))
            .await
            .map(|_| ()),
        "ListDifferences" => {
            let ask = pb::ListDifferencesRequest { reconciliation_id, ..Default::default() };
            r.list_differences(with(lab, by, ask)).await.map(|_| ())
        }
        "ListCapabilities" => {
            c.list_capabilities(with(lab, by, pb::ListCapabilitiesRequest {})).await.map(|_| ())
        }
        "SetCapability" => {
            let ask = pb::SetCapabilityRequest {
                dataset: Dataset::Facilities.into(),
                mode: pb::TransferMode::Manual.into(),
            };
            c.set_capability(with(lab, by, ask)).await.map(|_| ())
        }
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
        Role::Vendor | Role::SchoolOfficer => Scope::school(SCHOOL),
        Role::CommuneReviewer => Scope::commune(COMMUNE),
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
async fn every_role_passes_exactly_its_rows() {
    let lab = Lab::start().await;
    let at = targets(&lab).await;
    assert_eq!(EXPECTED.len(), ROWS.len(), "every RPC is tried");
    for (method, roles) in EXPECTED {
        let anonymous = call(&lab, method, None, &at).await;
        assert_eq!(anonymous.unwrap_err().code(), Code::Unauthenticated, "{method} without a token");
        for role in Role::ALL {
            let answer = call(&lab, method, Some(&persona(role)), &at).await;
            // With UNIT as initiator the Department passes the row and is told so by the handler.
            let initiator = *method == "StartTransfer" && role == Role::DepartmentAdmin;
            let expected = !roles.contains(&role) || initiator;
            assert_eq!(is_forbidden(&answer), expected, "{method} as {role:?}: {answer:?}");
        }
    }
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
    for (method, roles) in
        EXPECTED.iter().filter(|(method, _)| !method.ends_with("Capability") && *method != "ListCapabilities")
    {
        let absent = call(&lab, method, Some(&persona(Role::SchoolOfficer)), &nowhere).await;
        for (who, role) in [(&stranger, Role::SchoolOfficer), (&neighbour, Role::CommuneReviewer)] {
            if !roles.contains(&role) {
                continue;
            }
            let status = call(&lab, method, Some(who), &at).await.unwrap_err();
            assert_eq!(status.code(), Code::NotFound, "{method}");
            if let (Err(absent), true) = (&absent, *method != "ListTransfers") {
                assert_eq!(
                    (absent.code(), reason_of(absent)),
                    (status.code(), reason_of(&status)),
                    "{method}"
                );
                assert_eq!(absent.message(), status.message(), "{method}");
            }
        }
    }
}

#[tokio::test]
async fn a_caller_without_the_domain_sees_nothing_of_the_dataset() {
    let lab = Lab::start().await;
    let at = targets(&lab).await;
    let pupils_only = persona(Role::SchoolOfficer).domains(&[DataDomain::Pupil]);
    for method in
        ["StartTransfer", "GetTransfer", "ListLedger", "GetExport", "GetReconciliation", "ListDifferences"]
    {
        let answer = call(&lab, method, Some(&pupils_only), &at).await;
        assert!(is_forbidden(&answer), "{method}: {answer:?}");
    }
    let ask = pb::ListTransfersRequest { school_code: SCHOOL.to_owned(), ..Default::default() };
    let list = lab.transfers().list_transfers(lab.by(&pupils_only, ask)).await.unwrap().into_inner();
    assert!(list.transfers.is_empty());
    let ask = pb::ListLedgerRequest { school_code: SCHOOL.to_owned(), ..Default::default() };
    let list = lab.transfers().list_ledger(lab.by(&pupils_only, ask)).await.unwrap().into_inner();
    assert!(list.entries.is_empty());
}
