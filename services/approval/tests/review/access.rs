//! The authorization table against every RPC: each role, no token, a foreign token. The expectation is written out here
//! again, so that a change of the policy shows.

use eduhub_auth::testing::Persona;
use eduhub_auth::{Role, Scope};
use eduhub_faults::{Reason, reason_of};
use eduhub_testkit::{AccessTable, ask_nothing};
use tonic::Code;

use crate::lab::Lab;

use Role::{CommuneReviewer, DepartmentAdmin, DivisionReviewer, SchoolOfficer, Service, Vendor};

const READERS: &[Role] =
    &[Vendor, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];
const REVIEWERS: &[Role] = &[SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];
const EXPECTED: AccessTable = AccessTable {
    package: "eduhub.approval.v1",
    rows: &[
        ("SubmissionService/Submit", &[SchoolOfficer]),
        ("SubmissionService/GetSubmission", READERS),
        ("SubmissionService/ListSubmissions", READERS),
        ("SubmissionService/Decide", &[CommuneReviewer, DivisionReviewer]),
        ("SubmissionService/WithdrawSubmission", &[SchoolOfficer]),
        ("SubmissionService/GetHistory", READERS),
        ("SubmissionService/MarkTransferred", &[Service]),
        ("SubmissionService/LastApproved", REVIEWERS),
        ("RouteService/ListRoutes", REVIEWERS),
        ("RouteService/PutRoute", &[DepartmentAdmin]),
    ],
    // An empty request is malformed at most; it is not refused for who sent it.
    admitted: &[Code::Ok, Code::InvalidArgument],
};

fn persona(role: Role) -> Persona {
    if role == Service { Persona::service("bridge") } else { Persona::new(role, Scope::province()) }
}

#[tokio::test]
async fn each_rpc_answers_its_roles_and_nobody_else() {
    let lab = Lab::start().await;
    let ask = async |rpc: &str, token| ask_nothing(lab.channel.clone(), rpc, token).await;
    EXPECTED.is_kept_by_every_role(persona, |persona| lab.mint.bearer(persona).unwrap(), ask).await;
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_of_this_hub() {
    let lab = Lab::start().await;
    let ask = async |rpc: &str, token| ask_nothing(lab.channel.clone(), rpc, token).await;
    EXPECTED.is_kept_without_a_token(|persona| lab.mint.bearer(persona).unwrap(), ask).await;
}

#[tokio::test]
async fn among_the_services_only_the_bridge_marks_a_transfer() {
    const MARK: &str = "/eduhub.approval.v1.SubmissionService/MarkTransferred";
    let lab = Lab::start().await;
    for name in ["registry", "identity", "facility", "approval"] {
        let bearer = lab.mint.bearer(&Persona::service(name)).unwrap();
        let status = ask_nothing(lab.channel.clone(), MARK, Some(bearer)).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{name}");
    }
}

#[tokio::test]
async fn a_revoked_principal_is_out_at_once() {
    const LIST: &str = "/eduhub.approval.v1.RouteService/ListRoutes";
    let lab = Lab::start().await;
    let admin = Persona::admin();
    let bearer = lab.mint.bearer(&admin).unwrap();
    ask_nothing(lab.channel.clone(), LIST, Some(bearer.clone())).await.unwrap();
    lab.mint.revoke_principal(&admin.0.sub).await.unwrap();
    let status = ask_nothing(lab.channel.clone(), LIST, Some(bearer)).await.unwrap_err();
    assert_eq!(reason_of(&status), Some(Reason::GrantRevoked));
}
