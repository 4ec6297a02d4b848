//! The authorization table against every RPC: each role, no token, a foreign token; and scopes. The expectation is written
//! out here again, so that a change of the policy shows.
use crate::{
    hub::{COMMUNE, Hub, OTHER, SCHOOL},
    make::{self, Wrap},
    pushing::push_one,
};
use eduhub_auth::{Role, Scope, testing::Persona};
use eduhub_proto::{
    common::v1::{
        BatchGetRecordsRequest, CountIssuesRequest, CountRecordsRequest, DataDomain, Dataset,
        DiffSealRequest, GetRecordHistoryRequest, GetRecordRequest, GetSealRequest, Kind, ListIssuesRequest,
        ListRecordsRequest, ListSealedRequest, RecordName, SchoolDigestRequest, SealRequest,
        SearchRecordsRequest,
    },
    registry::v1::{GetSchoolRequest, GetVerificationRequest, ListSchoolsRequest},
};
use eduhub_testkit::{AccessTable, ask_nothing};
use tonic::{Code, Status};
use uuid::Uuid;

use Role::{CommuneReviewer, Consumer, DepartmentAdmin, DivisionReviewer, SchoolOfficer, Service, Vendor};

const READERS: &[Role] =
    &[Vendor, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];
const REVIEWERS: &[Role] = &[SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];
const EVERYBODY: &[Role] =
    &[Vendor, Consumer, SchoolOfficer, CommuneReviewer, DivisionReviewer, DepartmentAdmin, Service];

const EXPECTED: AccessTable = AccessTable {
    package: "eduhub.registry.v1",
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
        ("RecordService/SearchRecords", READERS),
        ("RecordService/GetPosition", READERS),
        ("SealService/CreateSeal", &[Service]),
        ("SealService/GetSeal", REVIEWERS),
        ("SealService/ListSealed", REVIEWERS),
        ("SealService/DiffSeal", REVIEWERS),
        ("SealService/GetSchoolDigest", EVERYBODY),
        ("SchoolService/RegisterSchools", &[DepartmentAdmin]),
        ("SchoolService/GetSchool", EVERYBODY),
        ("SchoolService/ListSchools", EVERYBODY),
        ("SchoolService/ListAdminUnits", EVERYBODY),
        ("SchoolService/ConvertAdminUnits", EVERYBODY),
        ("SchoolService/ListRegisteredCampuses", EVERYBODY),
        ("CodeListService/ListCodes", &[]),
        ("CodeListService/GetCodeList", EVERYBODY),
        ("CodeListService/ListCodeListVersions", EVERYBODY),
        ("CodeListService/WatchCodeLists", EVERYBODY),
        ("CodeListService/ListCodeMappings", EVERYBODY),
        ("CodeListService/ImportCodeList", &[DepartmentAdmin]),
        ("CodeListService/SetCodeMapping", &[DepartmentAdmin]),
        ("IssueService/ListIssues", READERS),
        ("IssueService/CountIssues", READERS),
        ("IssueService/GetVerification", READERS),
        ("RuleService/ListRulePacks", EVERYBODY),
        ("RuleService/PublishRulePack", &[DepartmentAdmin]),
        ("RuleService/TryRulePack", READERS),
        ("EnrolmentService/ListTransfers", READERS),
    ],
    // An empty request is malformed, or names nothing; it is not refused for who sent it.
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
    let hub = Hub::start().await;
    let ask = async |rpc: &str, token| ask_nothing(hub.running.channel(), rpc, token).await;
    EXPECTED.is_kept_by_every_role(persona, |persona| hub.mint.bearer(persona).unwrap(), ask).await;
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_of_this_hub() {
    let hub = Hub::start().await;
    let ask = async |rpc: &str, token| ask_nothing(hub.running.channel(), rpc, token).await;
    EXPECTED.is_kept_without_a_token(|persona| hub.mint.bearer(persona).unwrap(), ask).await;
}

#[tokio::test]
async fn among_the_services_only_approval_seals() {
    const SEAL: &str = "/eduhub.registry.v1.SealService/CreateSeal";
    let hub = Hub::start().await;
    for name in ["registry", "identity", "facility", "ministry-bridge"] {
        let bearer = hub.mint.bearer(&Persona::service(name)).unwrap();
        let status = ask_nothing(hub.running.channel(), SEAL, Some(bearer)).await.unwrap_err();
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
    let record_key = make::code(1);
    let named = GetRecordRequest {
        school_code: code.clone(),
        kind,
        record_key: record_key.clone(),
        ..Default::default()
    };
    let names = vec![RecordName { kind, record_key: record_key.clone() }];
    let batch = BatchGetRecordsRequest { school_code: code.clone(), names, as_of: None };
    let history =
        GetRecordHistoryRequest { school_code: code.clone(), kind, record_key, ..Default::default() };
    let count = CountRecordsRequest { school_code: code.clone(), kind, ..Default::default() };
    let name = "huong".to_owned();
    let search = SearchRecordsRequest { school_code: code.clone(), kind, name, ..Default::default() };
    let list = ListRecordsRequest { school_code: code.clone(), kind, ..Default::default() };
    let sealed = ListSealedRequest { seal_id: id.clone(), kind, ..Default::default() };
    let diff = DiffSealRequest { seal_id: id.clone(), ..Default::default() };
    let work = ListIssuesRequest { school_code: code.clone(), ..Default::default() };
    vec![
        ("GetRecord", records.get_record(named).await.map(drop)),
        ("BatchGetRecords", records.batch_get_records(batch).await.map(drop)),
        ("ListRecords", records.list_records(list).await.map(drop)),
        ("GetHistory", records.get_history(history).await.map(drop)),
        ("CountRecords", records.count_records(count).await.map(drop)),
        ("SearchRecords", records.search_records(search).await.map(drop)),
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
