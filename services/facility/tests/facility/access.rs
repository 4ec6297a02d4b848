//! The authorization table against every RPC: each role, no token, a foreign token. The expectation is written out here
//! again, so that a change of the policy shows.
use crate::lab::Lab;
use eduhub_auth::testing::{Persona, TokenMint};
use eduhub_auth::{Role, Scope};
use eduhub_faults::{Reason, reason_of};
use prost::Message;
use prost_types::FileDescriptorSet;
use std::collections::BTreeSet;
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use Role::{CommuneReviewer, Consumer, DepartmentAdmin, DivisionReviewer, SchoolOfficer, Service, Vendor};

const READERS: &[Role] =
    &[Vendor, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];
const REVIEWERS: &[Role] = &[SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];
const EXPECTED: &[(&str, &[Role])] = &[
    ("IngestService/Push", &[Vendor]),
    ("FeedService/Watch", &[Consumer, Service]),
    ("RecordService/GetRecord", READERS),
    ("RecordService/ListRecords", READERS),
    ("SealService/CreateSeal", &[Service]),
    ("SealService/GetSeal", REVIEWERS),
    ("SealService/ListSealed", REVIEWERS),
    ("SealService/DiffSeal", REVIEWERS),
    ("SealService/GetSchoolDigest", &Role::ALL),
];

/// Every RPC of the package, from the descriptors.
fn methods() -> BTreeSet<String> {
    let set = FileDescriptorSet::decode(eduhub_proto::DESCRIPTORS).unwrap();
    let files = set.file.iter().filter(|f| f.package() == "eduhub.facility.v1");
    let services = files.flat_map(|f| &f.service);
    services.flat_map(|s| s.method.iter().map(move |m| format!("{}/{}", s.name(), m.name()))).collect()
}

/// Calls an RPC with an empty message; only the head of the answer counts, since a watch never ends.
async fn call(lab: &Lab, method: &str, bearer: Option<AsciiMetadataValue>) -> Result<(), Status> {
    let mut grpc = tonic::client::Grpc::new(lab.running.channel());
    grpc.ready().await.unwrap();
    let mut request = Request::new(());
    if let Some(bearer) = bearer {
        request.metadata_mut().insert("authorization", bearer);
    }
    let path = format!("/eduhub.facility.v1.{method}").parse().unwrap();
    grpc.server_streaming(request, path, ProstCodec::<(), ()>::default()).await.map(drop)
}

#[tokio::test]
async fn each_rpc_answers_its_roles_and_nobody_else() {
    let lab = Lab::start().await;
    let listed: BTreeSet<String> = EXPECTED.iter().map(|row| row.0.to_owned()).collect();
    assert_eq!(listed, methods());
    for (method, allowed) in EXPECTED {
        for role in Role::ALL {
            let persona = match role {
                Service => Persona::service("approval"),
                _ => Persona::new(role, Scope::province()),
            };
            let bearer = lab.mint.bearer(&persona).unwrap();
            let outcome = call(&lab, method, Some(bearer)).await;
            if allowed.contains(&role) {
                // An empty request is malformed or names no school; it is not refused for who sent it.
                let code = outcome.map_or_else(|status| status.code(), |()| Code::Ok);
                let admitted = [Code::Ok, Code::InvalidArgument, Code::NotFound];
                assert!(admitted.contains(&code), "{method} for {role:?}: {code:?}");
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
async fn among_the_services_only_approval_seals() {
    let lab = Lab::start().await;
    for name in ["registry", "identity", "facility", "bridge"] {
        let bearer = lab.mint.bearer(&Persona::service(name)).unwrap();
        let status = call(&lab, "SealService/CreateSeal", Some(bearer)).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{name}");
    }
}
