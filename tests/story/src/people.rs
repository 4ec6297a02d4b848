//! Act b: who takes part, and how a school's software gets its access.
use crate::stage::Stage;
use anyhow::{Result, bail, ensure};
use eduhub_cast::{Actor, Client, Department, apply};
use eduhub_cli::{
    generate::{Province, School},
    server::Proof,
};
use eduhub_faults::Reason;
use eduhub_proto::identity::v1::{
    SubmitApplicationRequest, application_service_client::ApplicationServiceClient,
};
use eduhub_stack::{Program, Stack};
use std::collections::{BTreeSet, HashMap};
use time::OffsetDateTime;
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
    pub centre: Client,
    /// What the second vendor of a school was told.
    pub refusal: String,
}

/// Registers the schools, appoints officers, issues access.
pub async fn appoint(stack: &Stack, province: &Province, stage: &Stage) -> Result<People> {
    let department = Department::open(stack).await?;
    department.register(&province.schools).await?;
    let bar = stage.bar("b. access", province.schools.len() as u64, "schools");
    let mut offices = HashMap::new();
    let communes: BTreeSet<&str> = province.schools.iter().map(|s| s.commune_code.as_str()).collect();
    for code in DIVISIONS.iter().copied().chain(communes) {
        offices.insert(code.to_owned(), department.reviewer(code).await?);
    }
    let (mut schools, mut vendors, mut refusal) = (HashMap::new(), HashMap::new(), String::new());
    for (n, school) in province.schools.iter().enumerate() {
        let officer = department.officer_of(school).await?;
        let grant =
            apply(&officer, &offices["DIV_STUDENT_AFFAIRS"], school, software(&school.vendor)).await?;
        if n == 0 {
            refusal = second_vendor(&officer, school, &grant).await?;
        }
        vendors.insert(school.school_code.clone(), department.client(grant).await?.proof());
        schools.insert(school.school_code.clone(), officer);
        bar.add(1);
    }
    let centre = department.consumer().await?;
    bar.finish();
    Ok(People { admin: department.admin, schools, offices, vendors, centre, refusal })
}

/// Vendor and software codes of a school's vendor as the generator names it.
fn software(vendor: &str) -> (&'static str, &'static str) {
    match vendor {
        "SMAS" => ("VIETTEL", "SMAS"),
        "VNEDU" | "vnEdu" => ("VNPT", "VNEDU"),
        _ => ("MISA", "MISA_EMIS"),
    }
}

/// A second vendor for a school that has one: must be refused, naming the grant that owns the school.
async fn second_vendor(officer: &Actor, school: &School, grant: &str) -> Result<String> {
    let other = if software(&school.vendor).0 == "VNPT" { ("VIETTEL", "SMAS") } else { ("VNPT", "VNEDU") };
    let mut client = ApplicationServiceClient::new(officer.at(Program::Identity));
    let form = Some(school.form1(other.0, other.1, OffsetDateTime::now_utc().date()));
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
