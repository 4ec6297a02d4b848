//! Act b: who takes part, and how a school's software gets its access.
use crate::{
    actor::{Actor, Doors},
    stage::Stage,
};
use anyhow::{Context, Result, bail, ensure};
use eduhub_cli::{
    generate::{Province, School},
    server::Proof,
};
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{DataDomain, Sensitivity},
    identity::v1::{
        CreateConsumerGrantRequest, CreateCredentialRequest, CreateOfficerRequest, DecideApplicationRequest,
        Decision, Role, Scope, SubmitApplicationRequest,
        application_service_client::ApplicationServiceClient, grant_service_client::GrantServiceClient,
        principal_service_client::PrincipalServiceClient,
    },
    registry::v1::{RegisterSchoolsRequest, SchoolEntry, school_service_client::SchoolServiceClient},
};
use eduhub_stack::{Program, Stack};
use std::collections::{BTreeSet, HashMap};
use time::{Date, Duration, OffsetDateTime};
use tonic_types::StatusExt;

/// Divisions of the Department that review (domain.md A.5).
pub const DIVISIONS: [&str; 7] = [
    "DIV_PRESCHOOL",
    "DIV_PRIMARY",
    "DIV_SECONDARY",
    "DIV_CONTINUING",
    "DIV_PERSONNEL",
    "DIV_FINANCE",
    "DIV_STUDENT_AFFAIRS",
];

/// Credential of an API client.
pub struct Consumer {
    /// Client id.
    pub client_id: String,
    /// Secret, shown once.
    pub secret: String,
}

/// Everybody in the story.
pub struct People {
    /// The Department's administrator.
    pub admin: Actor,
    /// Data officer of each school.
    pub schools: HashMap<String, Actor>,
    /// Reviewer of each office: division or commune code.
    pub offices: HashMap<String, Actor>,
    /// Client of each school's vendor, with its grant.
    pub vendors: HashMap<String, Proof>,
    /// The operations centre.
    pub centre: Consumer,
    /// What the second vendor of a school was told.
    pub refusal: String,
}

/// Registers the schools, appoints officers, issues access.
pub async fn appoint(stack: &Stack, doors: &Doors, province: &Province, stage: &Stage) -> Result<People> {
    let password = eduhub_stack::Secrets::read(&stack.secrets().admin_password())?;
    let admin = Actor::sign_in(doors, Proof::officer("admin", password)).await?;
    register(&admin, &province.schools).await.context("registering schools")?;
    let bar = stage.bar("b. access", province.schools.len() as u64, "schools");
    let mut offices = HashMap::new();
    let communes: BTreeSet<&str> = province.schools.iter().map(|s| s.commune_code.as_str()).collect();
    for code in DIVISIONS.iter().copied().chain(communes) {
        offices.insert(code.to_owned(), reviewer(doors, &admin, code).await?);
    }
    let (mut schools, mut vendors, mut refusal) = (HashMap::new(), HashMap::new(), String::new());
    for (n, school) in province.schools.iter().enumerate() {
        let officer = school_officer(doors, &admin, school).await?;
        let grant = apply(&officer, &offices["DIV_STUDENT_AFFAIRS"], school).await?;
        let made = credential(&admin, &grant).await?;
        vendors.insert(school.school_code.clone(), Proof::client(made.client_id, made.secret));
        if n == 0 {
            refusal = second_vendor(&officer, school, &grant).await?;
        }
        schools.insert(school.school_code.clone(), officer);
        bar.add(1);
    }
    let centre = consumer(&admin).await?;
    bar.finish();
    Ok(People { admin, schools, offices, vendors, centre, refusal })
}

async fn register(admin: &Actor, schools: &[School]) -> Result<()> {
    let mut client = SchoolServiceClient::new(admin.at(Program::Registry)?);
    for chunk in schools.chunks(1_000) {
        let schools = chunk.iter().map(SchoolEntry::from).collect();
        client.register_schools(RegisterSchoolsRequest { schools, ..Default::default() }).await?;
    }
    Ok(())
}

async fn officer(doors: &Doors, admin: &Actor, request: CreateOfficerRequest) -> Result<Actor> {
    let mut client = PrincipalServiceClient::new(admin.at(Program::Identity)?);
    let user_name = request.user_name.clone();
    let made =
        client.create_officer(request).await.with_context(|| format!("officer {user_name}"))?.into_inner();
    Actor::sign_in(doors, Proof::officer(user_name, made.password)).await
}

async fn reviewer(doors: &Doors, admin: &Actor, office: &str) -> Result<Actor> {
    let division = office.starts_with("DIV_");
    let role = if division { Role::DivisionReviewer } else { Role::CommuneReviewer };
    let request = CreateOfficerRequest {
        user_name: format!("duyet.{}", office.to_lowercase()),
        name: "Cán bộ kiểm duyệt".into(),
        role: role as i32,
        office: office.into(),
        ..CreateOfficerRequest::default()
    };
    officer(doors, admin, request).await
}

async fn school_officer(doors: &Doors, admin: &Actor, school: &School) -> Result<Actor> {
    let request = CreateOfficerRequest {
        user_name: format!("truong.{}", school.school_code),
        name: "Cán bộ phụ trách dữ liệu".into(),
        role: Role::SchoolOfficer as i32,
        scope: Some(Scope { schools: vec![school.school_code.clone()], ..Scope::default() }),
        ..CreateOfficerRequest::default()
    };
    officer(doors, admin, request).await
}

fn today() -> Date {
    OffsetDateTime::now_utc().date()
}

fn all_domains() -> Vec<i32> {
    (DataDomain::School as i32..=DataDomain::Facility as i32).collect()
}

/// Vendor and software codes of a school's vendor as the generator names it.
fn software(vendor: &str) -> (&'static str, &'static str) {
    match vendor {
        "SMAS" => ("VIETTEL", "SMAS"),
        "VNEDU" | "vnEdu" => ("VNPT", "VNEDU"),
        _ => ("MISA", "MISA_EMIS"),
    }
}

async fn apply(school_officer: &Actor, division: &Actor, school: &School) -> Result<String> {
    let mut client = ApplicationServiceClient::new(school_officer.at(Program::Identity)?);
    let (vendor, software) = software(&school.vendor);
    let form = Some(school.form1(vendor, software, today()));
    let application = client
        .submit_application(SubmitApplicationRequest { request_id: String::new(), form })
        .await
        .with_context(|| format!("application of {}", school.school_code))?
        .into_inner();
    let mut decider = ApplicationServiceClient::new(division.at(Program::Identity)?);
    let decided = decider
        .decide_application(DecideApplicationRequest {
            application_id: application.application_id,
            decision: Decision::Approve as i32,
            reason: String::new(),
        })
        .await?;
    Ok(decided.into_inner().grant_id)
}

async fn credential(admin: &Actor, grant_id: &str) -> Result<Consumer> {
    let mut client = GrantServiceClient::new(admin.at(Program::Identity)?);
    let request = CreateCredentialRequest { grant_id: grant_id.into(), public_key: None };
    let made = client.create_credential(request).await?.into_inner();
    Ok(Consumer { client_id: made.client_id, secret: made.secret })
}

/// A second vendor for a school that has one: must be refused, naming the grant that owns the school.
async fn second_vendor(officer: &Actor, school: &School, grant: &str) -> Result<String> {
    let other = if software(&school.vendor).0 == "VNPT" { ("VIETTEL", "SMAS") } else { ("VNPT", "VNEDU") };
    let mut client = ApplicationServiceClient::new(officer.at(Program::Identity)?);
    let form = Some(school.form1(other.0, other.1, today()));
    let answer =
        client.submit_application(SubmitApplicationRequest { request_id: String::new(), form }).await;
    let Err(status) = answer else { bail!("a second vendor of {} was not refused", school.school_code) };
    ensure!(
        eduhub_faults::reason_of(&status) == Some(Reason::GrantConflict),
        "a second vendor was refused for another reason: {status}"
    );
    let named = status.get_details_error_info().and_then(|i| i.metadata.get("grant_id").cloned());
    ensure!(named.as_deref() == Some(grant), "the refusal names grant {named:?} instead of {grant}");
    Ok(status.message().to_owned())
}

async fn consumer(admin: &Actor) -> Result<Consumer> {
    let today = today();
    let mut client = GrantServiceClient::new(admin.at(Program::Identity)?);
    let grant = client
        .create_consumer_grant(CreateConsumerGrantRequest {
            name: "Trung tâm Điều hành thông minh tỉnh Ninh Bình".into(),
            contract_number: "03/QC-IOC".into(),
            secrecy_clause: "Quy chế khai thác dữ liệu, Điều 5".into(),
            scope: Some(Scope { province: true, ..Scope::default() }),
            domains: all_domains(),
            max_class: Sensitivity::Sensitive as i32,
            valid_from: today.to_string(),
            valid_to: (today + Duration::days(365)).to_string(),
        })
        .await?
        .into_inner();
    credential(admin, &grant.grant_id).await
}
