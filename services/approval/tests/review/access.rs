//! The authorization table against every RPC: each role, no token, a foreign token. The expectation is written out here
//! again, so that a change of the policy shows.

use std::collections::BTreeSet;

use eduhub_auth::testing::{Persona, TokenMint};
use eduhub_auth::{Role, Scope};
use eduhub_faults::{Reason, reason_of};
use prost::Message;
use prost_types::FileDescriptorSet;
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::lab::Lab;

use Role::{CommuneReviewer, DepartmentAdmin, DivisionReviewer, SchoolOfficer, Service, Vendor};

const READERS: &[Role] =
    &[Vendor, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];
const EXPECTED: &[(&str, &[Role])] = &[
    ("SubmissionService/Submit", &[SchoolOfficer]),
    ("SubmissionService/GetSubmission", READERS),
    ("SubmissionService/ListSubmissions", READERS),
    ("SubmissionService/Decide", &[CommuneReviewer, DivisionReviewer]),
    ("SubmissionService/WithdrawSubmission", &[SchoolOfficer]),
    ("SubmissionService/GetHistory", READERS),
    ("SubmissionService/MarkTransferred", &[Service]),
    (
        "SubmissionService/LastApproved",
        &[SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service],
    ),
    (
        "RouteService/ListRoutes",
        &[SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service],
    ),
    ("RouteService/PutRoute", &[DepartmentAdmin]),
];

/// Every RPC of the package, from the descriptors.
fn methods() -> BTreeSet<String> {
    let set = FileDescriptorSet::decode(eduhub_proto::DESCRIPTORS).unwrap();
    let files = set.file.iter().filter(|f| f.package() == "eduhub.approval.v1");
    let services = files.flat_map(|f| &f.service);
    services.flat_map(|s| s.method.iter().map(move |m| format!("{}/{}", s.name(), m.name()))).collect()
}

/// Calls an RPC with an empty message.
async fn call(lab: &Lab, method: &str, bearer: Option<AsciiMetadataValue>) -> Result<(), Status> {
    let mut grpc = tonic::client::Grpc::new(lab.channel.clone());
    grpc.ready().await.unwrap();
    let mut request = Request::new(());
    if let Some(bearer) = bearer {
        request.metadata_mut().insert("authorization", bearer);
    }
    let path = format!("/eduhub.approval.v1.{method}").parse().unwrap();
    grpc.unary(request, path, ProstCodec::<(), ()>::default()).await.map(drop)
}

#[tokio::test]
async fn each_rpc_answers_its_roles_and_nobody_else() {
    let lab = Lab::start().await;
    let listed: BTreeSet<String> = EXPECTED.iter().map(|row| row.0.to_owned()).collect();
    assert_eq!(listed, methods());
    for (method, allowed) in EXPECTED {
        for role in Role::ALL {
            let mut persona = Persona::new(role, Scope::province());
            if role == Service {
                persona = Persona::service("bridge");
            }
            let outcome = call(&lab, method, Some(lab.mint.bearer(&persona).unwrap())).await;
            if allowed.contains(&role) {
                // An empty request is malformed at most; it is not refused for who sent it.
                let code = outcome.map_or_else(|status| status.code(), |()| Code::Ok);
                assert!(matches!(code, Code::Ok | Code::InvalidArgument), "{method} for {role:?}: {code:?}");
            } else {
                let status = outcome.unwrap_err();
                assert_eq!(status.code(), Code::PermissionDenied, "{method} for {role:?}");
                assert_eq!(reason_of(&status), Some(Reason::Forbidden));
            }
        }
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_of_this_hub() {
    let lab = Lab::start().await;
    let stranger = TokenMint::new().unwrap().bearer(&Persona::admin()).unwrap();
    let mut expired = Persona::admin();
    (expired.0.iat, expired.0.exp) = (expired.0.iat - 2_000, expired.0.exp - 2_000);
    let expired = lab.mint.bearer(&expired).unwrap();
    for method in methods() {
        for bearer in [None, Some(stranger.clone()), Some(expired.clone()), Some("Bearer x".parse().unwrap())]
        {
            let status = call(&lab, &method, bearer).await.unwrap_err();
            assert_eq!(status.code(), Code::Unauthenticated, "{method}");
            assert_eq!(reason_of(&status), Some(Reason::Unauthenticated));
        }
    }
}

#[tokio::test]
async fn among_the_services_only_the_bridge_marks_a_transfer() {
    let lab = Lab::start().await;
    for name in ["registry", "identity", "facility", "approval"] {
        let bearer = lab.mint.bearer(&Persona::service(name)).unwrap();
        let status = call(&lab, "SubmissionService/MarkTransferred", Some(bearer)).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{name}");
    }
}

#[tokio::test]
async fn a_revoked_principal_is_out_at_once() {
    let lab = Lab::start().await;
    let admin = Persona::admin();
    let bearer = lab.mint.bearer(&admin).unwrap();
    call(&lab, "RouteService/ListRoutes", Some(bearer.clone())).await.unwrap();
    lab.mint.revoke_principal(&admin.0.sub).await.unwrap();
    let status = call(&lab, "RouteService/ListRoutes", Some(bearer)).await.unwrap_err();
    assert_eq!(reason_of(&status), Some(Reason::GrantRevoked));
}
