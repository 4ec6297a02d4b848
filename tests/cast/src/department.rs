//! The Department: registers schools, appoints officers, gives access.
use crate::actor::{Actor, Doors};
use anyhow::{Context, Result};
use eduhub_cli::{generate::School, server::Proof};
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
use eduhub_stack::{Program, Secrets, Stack};
use time::{Duration, OffsetDateTime};

/// Schools that one call registers.
const AT_ONCE: usize = 1_000;

/// An API client with the grant that it lives under.
pub struct Client {
    /// Its grant.
    pub grant_id: String,
    /// Its name.
    pub client_id: String,
    /// Its secret, shown once.
    pub secret: String,
}

impl Client {
    /// What it signs in with.
    pub fn proof(&self) -> Proof {
        Proof::client(self.client_id.clone(), self.secret.clone())
    }
}

/// The Department's administrator, and what only they may do.
#[derive(Clone)]
pub struct Department {
    /// The administrator.
    pub admin: Actor,
}

impl Department {
    /// Signs the administrator in.
    ///
    /// # Errors
    /// What identity answers.
    pub async fn open(stack: &Stack) -> Result<Self> {
        let password = Secrets::read(&stack.secrets().admin_password())?;
        let proof = Proof::officer("admin", password);
        Ok(Self { admin: Actor::sign_in(&Doors::of(stack)?, proof).await.context("administrator")? })
    }

    /// Registers generated schools.
    ///
    /// # Errors
    /// What registry answers.
    pub async fn register(&self, schools: &[School]) -> Result<()> {
        let mut client = SchoolServiceClient::new(self.admin.at(Program::Registry));
        for chunk in schools.chunks(AT_ONCE) {
            let schools = chunk.iter().map(SchoolEntry::from).collect();
            let request = RegisterSchoolsRequest { schools, ..Default::default() };
            client.register_schools(request).await.context("registering schools")?;
        }
        Ok(())
    }

    /// Appoints the reviewer of an office: a division (`DIV_...`) or a commune by its code.
    ///
    /// # Errors
    /// What identity answers.
    pub async fn reviewer(&self, office: &str) -> Result<Actor> {
        let division = office.starts_with("DIV_");
        let role = if division { Role::DivisionReviewer } else { Role::CommuneReviewer };
        let request = CreateOfficerRequest {
            user_name: format!("duyet.{}", office.to_lowercase()),
            name: "Cán bộ kiểm duyệt".into(),
            role: role as i32,
            office: office.into(),
            ..CreateOfficerRequest::default()
        };
        self.appoint(request).await
    }

    /// Appoints the data officer of a school.
    ///
    /// # Errors
    /// What identity answers.
    pub async fn officer_of(&self, school: &School) -> Result<Actor> {
        let request = CreateOfficerRequest {
            user_name: format!("truong.{}", school.school_code),
            name: "Cán bộ phụ trách dữ liệu".into(),
            role: Role::SchoolOfficer as i32,
            scope: Some(Scope { schools: vec![school.school_code.clone()], ..Scope::default() }),
            ..CreateOfficerRequest::default()
        };
        self.appoint(request).await
    }

    async fn appoint(&self, request: CreateOfficerRequest) -> Result<Actor> {
        let mut client = PrincipalServiceClient::new(self.admin.at(Program::Identity));
        let user_name = request.user_name.clone();
        let made = client.create_officer(request).await.with_context(|| format!("officer {user_name}"))?;
        let proof = Proof::officer(user_name, made.into_inner().password);
        Actor::sign_in(self.admin.doors(), proof).await
    }

    /// A client under a grant.
    ///
    /// # Errors
    /// What identity answers.
    pub async fn client(&self, grant_id: String) -> Result<Client> {
        let mut grants = GrantServiceClient::new(self.admin.at(Program::Identity));
        let request = CreateCredentialRequest { grant_id: grant_id.clone(), public_key: None };
        let made = grants.create_credential(request).await?.into_inner();
        Ok(Client { grant_id, client_id: made.client_id, secret: made.secret })
    }

    /// A consumer of the whole province that sees sensitive fields, as the operations centre is one.
    ///
    /// # Errors
    /// What identity answers.
    pub async fn consumer(&self) -> Result<Client> {
        let today = OffsetDateTime::now_utc().date();
        let request = CreateConsumerGrantRequest {
            name: "Trung tâm Điều hành thông minh tỉnh Ninh Bình".into(),
            contract_number: "03/QC-IOC".into(),
            secrecy_clause: "Quy chế khai thác dữ liệu, Điều 5".into(),
            scope: Some(Scope { province: true, ..Scope::default() }),
            domains: (DataDomain::School as i32..=DataDomain::Facility as i32).collect(),
            max_class: Sensitivity::Sensitive as i32,
            valid_from: today.to_string(),
            valid_to: (today + Duration::days(365)).to_string(),
        };
        let mut grants = GrantServiceClient::new(self.admin.at(Program::Identity));
        let grant = grants.create_consumer_grant(request).await?.into_inner();
        self.client(grant.grant_id).await
    }
}

/// A school applies (form 1) for a vendor's software, given as vendor and software code, and the division approves: the grant.
///
/// # Errors
/// What identity answers.
pub async fn apply(
    officer: &Actor,
    division: &Actor,
    school: &School,
    (vendor, software): (&str, &str),
) -> Result<String> {
    let mut desk = ApplicationServiceClient::new(officer.at(Program::Identity));
    let form = Some(school.form1(vendor, software, OffsetDateTime::now_utc().date()));
    let request = SubmitApplicationRequest { request_id: String::new(), form };
    let submitted = desk.submit_application(request).await;
    let application = submitted.with_context(|| format!("application of {}", school.school_code))?;
    let mut desk = ApplicationServiceClient::new(division.at(Program::Identity));
    let request = DecideApplicationRequest {
        application_id: application.into_inner().application_id,
        decision: Decision::Approve as i32,
        reason: String::new(),
    };
    Ok(desk.decide_application(request).await?.into_inner().grant_id)
}
