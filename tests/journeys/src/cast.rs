//! Who takes part: a school's officer and its vendor, the reviewers, a consumer.
use crate::ground::{Actor, Ground};
use anyhow::Result;
use eduhub_cli::generate::School;
use eduhub_cli::server::Proof;
use eduhub_proto::common::v1::{DataDomain, Sensitivity};
use eduhub_proto::identity::v1::{
    CreateConsumerGrantRequest, CreateCredentialRequest, CreateOfficerRequest, DecideApplicationRequest,
    Decision, Role, Scope, SubmitApplicationRequest, application_service_client::ApplicationServiceClient,
    grant_service_client::GrantServiceClient, principal_service_client::PrincipalServiceClient,
};
use eduhub_proto::registry::v1::{
    RegisterSchoolsRequest, SchoolEntry, school_service_client::SchoolServiceClient,
};
use eduhub_stack::{Program, Secrets};
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};

/// An API client with the grant that it lives under.
pub struct Client {
    pub grant_id: String,
    pub proof: Proof,
}

/// The Department's administrator and its offices.
pub struct Department {
    pub admin: Actor,
    /// Reviewer of each office: division or commune code.
    pub offices: HashMap<String, Actor>,
}

impl Department {
    /// Registers the generated schools and appoints a reviewer for each office that the journeys meet.
    pub async fn open(ground: &Ground) -> Result<Self> {
        let password = Secrets::read(&ground.stack.secrets().admin_password())?;
        let admin = ground.sign_in(Proof::officer("admin", password)).await?;
        let schools = ground.data.province.schools.iter().map(SchoolEntry::from).collect();
        let mut registry = SchoolServiceClient::new(admin.at(Program::Registry));
        registry.register_schools(RegisterSchoolsRequest { schools, ..Default::default() }).await?;
        let mut department = Self { admin, offices: HashMap::new() };
        let commune = ground.school(0).commune_code.as_str();
        let divisions =
            ["DIV_PRESCHOOL", "DIV_PRIMARY", "DIV_SECONDARY", "DIV_STUDENT_AFFAIRS", "DIV_FINANCE"];
        for office in divisions.into_iter().chain([commune]) {
            let division = office.starts_with("DIV_");
            let role = if division { Role::DivisionReviewer } else { Role::CommuneReviewer };
            let request = CreateOfficerRequest {
                user_name: format!("duyet.{}", office.to_lowercase()),
                name: "Cán bộ kiểm duyệt".into(),
                role: role as i32,
                office: office.into(),
                ..CreateOfficerRequest::default()
            };
            let reviewer = department.appoint(ground, request).await?;
            department.offices.insert(office.to_owned(), reviewer);
        }
        Ok(department)
    }

    async fn appoint(&self, ground: &Ground, request: CreateOfficerRequest) -> Result<Actor> {
        let mut principals = PrincipalServiceClient::new(self.admin.at(Program::Identity));
        let user = request.user_name.clone();
        let made = principals.create_officer(request).await?.into_inner();
        ground.sign_in(Proof::officer(user, made.password)).await
    }

    /// The data officer of a school.
    pub async fn officer_of(&self, ground: &Ground, school: &School) -> Result<Actor> {
        let request = CreateOfficerRequest {
            user_name: format!("truong.{}", school.school_code),
            name: "Cán bộ phụ trách dữ liệu".into(),
            role: Role::SchoolOfficer as i32,
            scope: Some(Scope { schools: vec![school.school_code.clone()], ..Scope::default() }),
            ..CreateOfficerRequest::default()
        };
        self.appoint(ground, request).await
    }

    /// The school applies (form 1), the division approves, the vendor's client gets its secret.
    pub async fn vendor_of(&self, officer: &Actor, school: &School) -> Result<Client> {
        let mut school_desk = ApplicationServiceClient::new(officer.at(Program::Identity));
        let form = Some(school.form1("VIETTEL", "SMAS", OffsetDateTime::now_utc().date()));
        let request = SubmitApplicationRequest { request_id: String::new(), form };
        let application = school_desk.submit_application(request).await?.into_inner();
        let division = &self.offices["DIV_STUDENT_AFFAIRS"];
        let mut division_desk = ApplicationServiceClient::new(division.at(Program::Identity));
        let request = DecideApplicationRequest {
            application_id: application.application_id,
            decision: Decision::Approve as i32,
            reason: String::new(),
        };
        let grant_id = division_desk.decide_application(request).await?.into_inner().grant_id;
        self.client(grant_id).await
    }

    /// A consumer of the whole province, as the operations centre is one.
    pub async fn consumer(&self) -> Result<Client> {
        let today = OffsetDateTime::now_utc().date();
        let request = CreateConsumerGrantRequest {
            name: "Trung tâm Điều hành thông minh tỉnh Ninh Bình".into(),
            contract_number: "03/QC-IOC".into(),
            secrecy_clause: "Quy chế khai thác dữ liệu, Điều 5".into(),
            scope: Some(Scope { province: true, ..Scope::default() }),
            domains: all_domains(),
            max_class: Sensitivity::Sensitive as i32,
            valid_from: today.to_string(),
            valid_to: (today + Duration::days(365)).to_string(),
        };
        let mut grants = GrantServiceClient::new(self.admin.at(Program::Identity));
        let grant = grants.create_consumer_grant(request).await?.into_inner();
        self.client(grant.grant_id).await
    }

    async fn client(&self, grant_id: String) -> Result<Client> {
        let mut grants = GrantServiceClient::new(self.admin.at(Program::Identity));
        let request = CreateCredentialRequest { grant_id: grant_id.clone(), public_key: None };
        let made = grants.create_credential(request).await?.into_inner();
        Ok(Client { grant_id, proof: Proof::client(made.client_id, made.secret) })
    }
}

fn all_domains() -> Vec<i32> {
    (DataDomain::School as i32..=DataDomain::Facility as i32).collect()
}
