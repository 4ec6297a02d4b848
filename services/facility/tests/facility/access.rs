//! The authorization table against every RPC: each role, no token, a foreign token. The expectation is written out here
//! again, so that a change of the policy shows.
use crate::lab::{ELSEWHERE, Lab, SCHOOL};
use eduhub_auth::testing::Persona;
use eduhub_auth::{Role, Scope};
use eduhub_faults::{Reason, reason_of};
use eduhub_proto::common::v1::SchoolDigestRequest;
use eduhub_testkit::{AccessTable, ask_nothing};
use tonic::Code;

use Role::{CommuneReviewer, Consumer, DepartmentAdmin, DivisionReviewer, SchoolOfficer, Service, Vendor};

const READERS: &[Role] =
    &[Vendor, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];
const REVIEWERS: &[Role] = &[SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];
const EXPECTED: AccessTable = AccessTable {
    package: "eduhub.facility.v1",
    rows: &[
        ("IngestService/Push", &[Vendor]),
        ("IngestService/GetReceiptKeys", &[]),
        ("IngestService/GetDigestKey", &[Vendor]),
        ("IngestService/CompareGroups", &[Vendor]),
        ("IngestService/CompareRecords", &[Vendor]),
        ("FeedService/Watch", &[Consumer, Service]),
        ("FeedService/CreateSubscription", &[Consumer, Service]),
        ("FeedService/GetSubscription", &[Consumer, DepartmentAdmin, Service]),
        ("FeedService/ListSubscriptions", &[Consumer, DepartmentAdmin, Service]),
        ("FeedService/Acknowledge", &[Consumer, Service]),
        ("FeedService/DeleteSubscription", &[Consumer, DepartmentAdmin, Service]),
        ("RecordService/GetRecord", READERS),
        ("RecordService/ListRecords", READERS),
        ("RecordService/BatchGetRecords", READERS),
        ("RecordService/GetHistory", READERS),
        ("RecordService/CountRecords", READERS),
        ("RecordService/GetPosition", READERS),
        ("IssueService/ListIssues", READERS),
        ("IssueService/CountIssues", READERS),
        ("SealService/CreateSeal", &[Service]),
        ("SealService/GetSeal", REVIEWERS),
        ("SealService/ListSealed", REVIEWERS),
        ("SealService/DiffSeal", REVIEWERS),
        ("SealService/GetSchoolDigest", &Role::ALL),
    ],
    // An empty request is malformed or names no school; it is not refused for who sent it.
    admitted: &[Code::Ok, Code::InvalidArgument, Code::NotFound],
};

/// Every RPC as `Service/Method`.
pub fn rpcs() -> impl Iterator<Item = &'static str> {
    EXPECTED.rows.iter().map(|(rpc, _)| *rpc)
}

fn persona(role: Role) -> Persona {
    if role == Service { Persona::service("approval") } else { Persona::new(role, Scope::province()) }
}

#[tokio::test]
async fn each_rpc_answers_its_roles_and_nobody_else() {
    let lab = Lab::start().await;
    let ask = async |rpc: &str, token| ask_nothing(lab.running.channel(), rpc, token).await;
    EXPECTED.is_kept_by_every_role(persona, |persona| lab.mint.bearer(persona).unwrap(), ask).await;
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_of_this_hub() {
    let lab = Lab::start().await;
    let ask = async |rpc: &str, token| ask_nothing(lab.running.channel(), rpc, token).await;
    EXPECTED.is_kept_without_a_token(|persona| lab.mint.bearer(persona).unwrap(), ask).await;
}

#[tokio::test]
async fn among_the_services_only_approval_seals() {
    const SEAL: &str = "/eduhub.facility.v1.SealService/CreateSeal";
    let lab = Lab::start().await;
    for name in ["registry", "identity", "facility", "bridge"] {
        let bearer = lab.mint.bearer(&Persona::service(name)).unwrap();
        let status = ask_nothing(lab.running.channel(), SEAL, Some(bearer)).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{name}");
    }
}

#[tokio::test]
async fn a_school_out_of_scope_looks_exactly_like_one_that_is_not_there() {
    let lab = Lab::start().await;
    let mut seals = lab.seals(&Persona::school_officer(SCHOOL));
    let mut ask = async |school: &str| {
        let request = SchoolDigestRequest { school_code: school.to_owned() };
        seals.get_school_digest(request).await.unwrap_err()
    };
    let (hidden, absent) = (ask(ELSEWHERE).await, ask("37999999999").await);
    assert_eq!(reason_of(&hidden), Some(Reason::SchoolNotFound));
    assert_eq!((hidden.code(), hidden.message()), (absent.code(), absent.message()));
    assert_eq!(hidden.details(), absent.details());
}
