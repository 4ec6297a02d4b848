//! The authorization table against every RPC: each role, no token, a foreign token; and scopes. The expectation is written
//! out here again, so that a change of the policy shows.
use crate::{
    hub::{COMMUNE, Hub, OTHER, SCHOOL},
    make::{self, Wrap},
    pushing::push_one,
};
use eduhub_auth::{
    Role, Scope,
    testing::{Persona, TokenMint},
};
use eduhub_faults::{Reason, reason_of};
use eduhub_proto::{
    common::v1::{
        DataDomain, Dataset, DiffSealRequest, GetSealRequest, Kind, ListSealedRequest, SchoolDigestRequest,
        SealRequest,
    },
    registry::v1::{
        CountIssuesRequest, GetRecordRequest, GetSchoolRequest, GetVerificationRequest, ListIssuesRequest,
        ListRecordsRequest, ListSchoolsRequest,
    },
};
use prost::Message;
use prost_types::FileDescriptorSet;
use std::collections::BTreeSet;
use tonic::{Code, Request, Status, metadata::AsciiMetadataValue};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use Role::{CommuneReviewer, Consumer, DepartmentAdmin, DivisionReviewer, SchoolOfficer, Service, Vendor};

const READERS: &[Role] =
    &[Vendor, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];
const REVIEWERS: &[Role] = &[SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];
const EVERYBODY: &[Role] =
    &[Vendor, Consumer, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];

/// No role: anybody, without a token.
const EXPECTED: &[(&str, &[Role])] = &[
    ("IngestService/Push", &[Vendor]),
    ("FeedService/Watch", &[Consumer, Service]),
    ("RecordService/GetRecord", READERS),
    ("RecordService/ListRecords", READERS),
    ("RecordService/GetHistory", READERS),
    ("SealService/CreateSeal", &[Service]),
    ("SealService/GetSeal", REVIEWERS),
    ("SealService/ListSealed", REVIEWERS),
    ("SealService/DiffSeal", REVIEWERS),
    ("SealService/GetSchoolDigest", EVERYBODY),
    ("SchoolService/RegisterSchools", &[DepartmentAdmin]),
    ("SchoolService/GetSchool", EVERYBODY),
    ("SchoolService/ListSchools", EVERYBODY),
    ("SchoolService/ListAdminUnits", EVERYBODY),
    ("CodeListService/ListCodes", &[]),
    ("IssueService/ListIssues", READERS),
    ("IssueService/CountIssues", READERS),
    ("IssueService/GetVerification", READERS),
];

/// Every RPC of the package, from the descriptors.
fn methods() -> BTreeSet<String> {
    let set = FileDescriptorSet::decode(eduhub_proto::DESCRIPTORS).unwrap();
    let files = set.file.iter().filter(|f| f.package() == "eduhub.registry.v1");
    let services = files.flat_map(|f| &f.service);
    services.flat_map(|s| s.method.iter().map(move |m| format!("{}/{}", s.name(), m.name()))).collect()
}

/// Calls an RPC of any shape with an empty message.
async fn call(hub: &Hub, method: &str, bearer: Option<AsciiMetadataValue>) -> Result<(), Status> {
    let mut grpc = tonic::client::Grpc::new(hub.running.channel());
    grpc.ready().await.unwrap();
    let mut request = Request::new(());
    if let Some(bearer) = bearer {
        request.metadata_mut().insert("authorization", bearer);
    }
    let path = format!("/eduhub.registry.v1.{method}").parse().unwrap();
    grpc.server_streaming(request, path, ProstCodec::<(), ()>::default()).await.map(drop)
}

#[tokio::test]
async fn each_rpc_answers_its_roles_and_nobody_else() {
    let hub = Hub::start().await;
    let listed: BTreeSet<String> = EXPECTED.iter().map(|row| row.0.to_owned()).collect();
    assert_eq!(listed, methods(), "every RPC is in the table");
    for (method, allowed) in EXPECTED {
        for role in Role::ALL {
            let mut persona = Persona::new(role, Scope::province());
            if role == Service {
                persona = Persona::service("approval");
            }
            let outcome = call(&hub, method, Some(hub.mint.bearer(&persona).unwrap())).await;
            if allowed.is_empty() || allowed.contains(&role) {
                // An empty request is malformed, or names nothing; it is not refused for who sent it.
                let code = outcome.map_or_else(|status| status.code(), |()| Code::Ok);
                let good = matches!(code, Code::Ok | Code::InvalidArgument | Code::NotFound);
                assert!(good, "{method} for {role:?}: {code:?}");
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
    let hub = Hub::start().await;
    let stranger = TokenMint::new().unwrap().bearer(&Persona::admin()).unwrap();
    let mut expired = Persona::admin();
    (expired.0.iat, expired.0.exp) = (expired.0.iat - 2_000, expired.0.exp - 2_000);
    let expired = hub.mint.bearer(&expired).unwrap();
    for method in methods() {
        for bearer in [None, Some(stranger.clone()), Some(expired.clone()), Some("Bearer x".parse().unwrap())]
        {
            let outcome = call(&hub, &method, bearer).await;
            if method == "CodeListService/ListCodes" {
                outcome.unwrap();
                continue;
            }
            let status = outcome.unwrap_err();
            assert_eq!(status.code(), Code::Unauthenticated, "{method}");
            assert_eq!(reason_of(&status), Some(Reason::Unauthenticated));
        }
    }
}

#[tokio::test]
async fn among_the_services_only_approval_seals() {
    let hub = Hub::start().await;
    for name in ["registry", "identity", "facility", "ministry-bridge"] {
        let bearer = hub.mint.bearer(&Persona::service(name)).unwrap();
        let status = call(&hub, "SealService/CreateSeal", Some(bearer)).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{name}");
    }
}

/// What one caller gets from every RPC that names a school, for one school; `seal` is a seal of it or of none.
async fn probes(
    hub: &Hub,
    persona: &Persona,
    school: &str,
    seal: &str,
) -> Vec<(&'static str, Result<(), Status>)> {
    let (mut records, mut seals) = (hub.records(persona), hub.seals(persona));
    let (mut issues, mut schools) = (hub.issues(persona), hub.schools(persona));
    let (kind, code, id) = (Kind::Pupil as i32, school.to_owned(), seal.to_owned());
    let named = GetRecordRequest { school_code: code.clone(), kind, record_key: make::code(1) };
    let list = ListRecordsRequest { school_code: code.clone(), kind, ..Default::default() };
    let sealed = ListSealedRequest { seal_id: id.clone(), kind, ..Default::default() };
    let diff = DiffSealRequest { seal_id: id.clone(), ..Default::default() };
    let work = ListIssuesRequest { school_code: code.clone(), ..Default::default() };
    vec![
        ("GetRecord", records.get_record(named.clone()).await.map(drop)),
        ("ListRecords", records.list_records(list).await.map(drop)),
        ("GetHistory", records.get_history(named).await.map(drop)),
        ("GetSeal", seals.get_seal(GetSealRequest { seal_id: id }).await.map(drop)),
        ("ListSealed", seals.list_sealed(sealed).await.map(drop)),
        ("DiffSeal", seals.diff_seal(diff).await.map(drop)),
        (
            "GetSchoolDigest",
            seals.get_school_digest(SchoolDigestRequest { school_code: code.clone() }).await.map(drop),
        ),
        ("GetSchool", schools.get_school(GetSchoolRequest { school_code: code.clone() }).await.map(drop)),
        ("ListIssues", issues.list_issues(work).await.map(drop)),
        (
            "CountIssues",
            issues.count_issues(CountIssuesRequest { school_code: code.clone() }).await.map(drop),
        ),
        (
            "GetVerification",
            issues.get_verification(GetVerificationRequest { school_code: code }).await.map(drop),
        ),
    ]
}

async fn sealed(hub: &Hub, school: &str) -> String {
    let seal_id = Uuid::now_v7().to_string();
    let request = SealRequest {
        seal_id: seal_id.clone(),
        school_code: school.into(),
        school_year: 2026,
        dataset: Dataset::Pupils as i32,
    };
    hub.seals(&Persona::service("approval")).create_seal(request).await.unwrap();
    seal_id
}

#[tokio::test]
async fn a_school_out_of_scope_looks_exactly_like_one_that_is_not_there() {
    let hub = Hub::start().await;
    for school in [SCHOOL, OTHER] {
        push_one(&hub, school, make::small_school(1..3)).await;
    }
    let (own, foreign) = (sealed(&hub, SCHOOL).await, sealed(&hub, OTHER).await);
    let commune = Persona::commune_reviewer(COMMUNE);
    for persona in [&commune, &Persona::school_officer(SCHOOL)] {
        for (rpc, outcome) in probes(&hub, persona, SCHOOL, &own).await {
            assert!(outcome.is_ok(), "{rpc} in scope: {outcome:?}");
        }
        let absent = probes(&hub, persona, "37999999999", &Uuid::now_v7().to_string()).await;
        let hidden = probes(&hub, persona, OTHER, &foreign).await;
        for ((rpc, hidden), (_, absent)) in hidden.into_iter().zip(absent) {
            let (hidden, absent) = (hidden.unwrap_err(), absent.unwrap_err());
            assert_eq!(hidden.code(), Code::NotFound, "{rpc}");
            assert_eq!(hidden.message(), absent.message(), "{rpc}");
            assert_eq!(hidden.details(), absent.details(), "{rpc}");
        }
    }
}

#[tokio::test]
async fn a_domain_out_of_reach_is_denied() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, make::small_school(1..3)).await;
    let seal = sealed(&hub, SCHOOL).await;
    let staff_only = Persona::school_officer(SCHOOL).domains(&[DataDomain::Staff]);
    for (rpc, outcome) in probes(&hub, &staff_only, SCHOOL, &seal).await {
        if matches!(rpc, "GetSchool" | "GetSchoolDigest" | "ListIssues" | "CountIssues" | "GetVerification") {
            assert!(outcome.is_ok(), "{rpc}: {outcome:?}");
            continue;
        }
        assert_eq!(outcome.unwrap_err().code(), Code::PermissionDenied, "{rpc}");
    }
    let nothing = Persona::school_officer(SCHOOL).domains(&[]);
    for (rpc, outcome) in probes(&hub, &nothing, SCHOOL, &seal).await {
        assert_eq!(outcome.is_ok(), rpc == "GetSchool", "{rpc} without any domain");
    }
}

#[tokio::test]
async fn lists_of_schools_hold_what_is_in_scope() {
    let hub = Hub::start().await;
    let listed = async |persona: Persona| {
        let page =
            hub.schools(&persona).list_schools(ListSchoolsRequest::default()).await.unwrap().into_inner();
        page.schools.into_iter().map(|s| s.school_code).collect::<Vec<_>>()
    };
    assert_eq!(listed(Persona::admin()).await, [SCHOOL, OTHER]);
    assert_eq!(listed(Persona::commune_reviewer(COMMUNE)).await, [SCHOOL]);
    assert_eq!(listed(Persona::vendor(OTHER)).await, [OTHER]);
    assert_eq!(listed(Persona::vendor("37999999999")).await, [] as [&str; 0]);
}

#[tokio::test]
async fn the_work_list_holds_kinds_of_the_callers_domains() {
    let hub = Hub::start().await;
    let (mut pupil, mut staff) = (make::pupil(1), make::staff(1));
    (pupil.ethnicity, staff.ethnicity) = (None, None);
    push_one(&hub, SCHOOL, vec![pupil.wrap(), staff.wrap()]).await;
    let listed = async |domains: &[DataDomain]| {
        let mut client = hub.issues(&Persona::vendor(SCHOOL).domains(domains));
        let request = ListIssuesRequest { school_code: SCHOOL.into(), ..Default::default() };
        let issues = client.list_issues(request).await.unwrap().into_inner().issues;
        let counts = client
            .count_issues(CountIssuesRequest { school_code: SCHOOL.into() })
            .await
            .unwrap()
            .into_inner();
        let kinds: Vec<_> = issues.into_iter().map(|i| i.problem.unwrap().kind()).collect();
        (kinds, counts.counts.iter().map(|c| c.open).sum::<u64>())
    };
    assert_eq!(listed(&[DataDomain::Pupil]).await, (vec![Kind::Pupil], 1));
    assert_eq!(listed(&[DataDomain::Staff]).await, (vec![Kind::Staff], 1));
    assert_eq!(listed(&[DataDomain::Staff, DataDomain::Pupil]).await.1, 2);
}
