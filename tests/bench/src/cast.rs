//! Who takes part: the vendors of the schools, each under a grant of its own.
use anyhow::{Context, Result};
use eduhub_auth::AuthedChannel;
use eduhub_cli::generate::School;
use eduhub_cli::server::{Proof, Server, Session};
use eduhub_proto::common::v1::{DataDomain, Sensitivity};
use eduhub_proto::identity::v1::{
    Contract, CreateConsumerGrantRequest, CreateCredentialRequest, CreateOfficerRequest,
    DecideApplicationRequest, Decision, Form1, Role, Scope, SubmitApplicationRequest,
    application_service_client::ApplicationServiceClient, grant_service_client::GrantServiceClient,
    principal_service_client::PrincipalServiceClient,
};
use eduhub_proto::registry::v1::{
    RegisterSchoolsRequest, SchoolEntry, school_service_client::SchoolServiceClient,
};
use eduhub_runtime::client::{ClientTls, channel};
use eduhub_stack::{Program, Secrets, Stack};
use time::{Duration, OffsetDateTime};

/// Signs people in.
pub struct Desk {
    identity: String,
    registry: String,
    tls: ClientTls,
    admin: Session,
    division: Session,
}

impl Desk {
    /// Registers the schools and appoints the division that decides their applications.
    ///
    /// # Errors
    /// What the services answer.
    pub async fn open(stack: &Stack, schools: &[School]) -> Result<Self> {
        let tls = ClientTls::trusting(stack.certs().ca_pem()?);
        let (identity, registry) = (stack.url(Program::Identity), stack.url(Program::Registry));
        let password = Secrets::read(&stack.secrets().admin_password())?;
        let proof = Proof::officer("admin", password);
        let admin = Session::sign_in(channel(&identity, &tls)?, proof).await.context("administrator")?;
        let mut desk = Self { identity, registry, tls, division: admin.clone(), admin };
        let mut client = SchoolServiceClient::new(desk.server(&desk.admin).channel()?);
        for chunk in schools.chunks(1_000) {
            let schools = chunk.iter().map(entry).collect();
            client.register_schools(RegisterSchoolsRequest { schools, ..Default::default() }).await?;
        }
        let request = CreateOfficerRequest {
            user_name: "duyet".into(),
            name: "Cán bộ kiểm duyệt".into(),
            role: Role::DivisionReviewer as i32,
            office: "DIV_STUDENT_AFFAIRS".into(),
            ..CreateOfficerRequest::default()
        };
        desk.division = desk.appoint(request).await?;
        Ok(desk)
    }

    /// Registry as somebody.
    pub fn server(&self, session: &Session) -> Server {
        Server::new(&self.registry, self.tls.clone(), session.clone())
    }

    /// Registry as a reviewer of the whole province, who sees sensitive fields.
    pub fn reviewer(&self) -> Server {
        self.server(&self.division)
    }

    /// Whom to trust.
    pub fn tls(&self) -> &ClientTls {
        &self.tls
    }

    fn at_identity(&self, session: &Session) -> Result<AuthedChannel> {
        Ok(session.channel(channel(&self.identity, &self.tls)?))
    }

    async fn appoint(&self, request: CreateOfficerRequest) -> Result<Session> {
        let user = request.user_name.clone();
        let made =
            PrincipalServiceClient::new(self.at_identity(&self.admin)?).create_officer(request).await?;
        let proof = Proof::officer(user, made.into_inner().password);
        Ok(Session::sign_in(channel(&self.identity, &self.tls)?, proof).await?)
    }

    /// Registry as the vendor of a school: the school applies, the division approves, the client signs in.
    ///
    /// # Errors
    /// What the services answer.
    pub async fn vendor(&self, school: &School) -> Result<Server> {
        let request = CreateOfficerRequest {
            user_name: format!("truong.{}", school.school_code),
            name: "Cán bộ phụ trách dữ liệu".into(),
            role: Role::SchoolOfficer as i32,
            scope: Some(Scope { schools: vec![school.school_code.clone()], ..Scope::default() }),
            ..CreateOfficerRequest::default()
        };
        let officer = self.appoint(request).await?;
        let request = SubmitApplicationRequest { request_id: String::new(), form: Some(form(school)) };
        let mut applications = ApplicationServiceClient::new(self.at_identity(&officer)?);
        let application = applications.submit_application(request).await?.into_inner();
        let request = DecideApplicationRequest {
            application_id: application.application_id,
            decision: Decision::Approve as i32,
            reason: String::new(),
        };
        let mut decisions = ApplicationServiceClient::new(self.at_identity(&self.division)?);
        let grant = decisions.decide_application(request).await?.into_inner().grant_id;
        self.client(grant).await
    }

    /// Registry as a consumer of the whole province, who sees sensitive fields.
    ///
    /// # Errors
    /// What the services answer.
    pub async fn consumer(&self) -> Result<Server> {
        let today = OffsetDateTime::now_utc().date();
        let request = CreateConsumerGrantRequest {
            name: "Trung tâm Điều hành thông minh".into(),
            contract_number: "03/QC-IOC".into(),
            secrecy_clause: "Quy chế khai thác dữ liệu, Điều 5".into(),
            scope: Some(Scope { province: true, ..Scope::default() }),
            domains: domains(),
            max_class: Sensitivity::Sensitive as i32,
            valid_from: today.to_string(),
            valid_to: (today + Duration::days(365)).to_string(),
        };
        let mut grants = GrantServiceClient::new(self.at_identity(&self.admin)?);
        let grant = grants.create_consumer_grant(request).await?.into_inner();
        self.client(grant.grant_id).await
    }

    async fn client(&self, grant_id: String) -> Result<Server> {
        let mut grants = GrantServiceClient::new(self.at_identity(&self.admin)?);
        let request = CreateCredentialRequest { grant_id, public_key: None };
        let made = grants.create_credential(request).await?.into_inner();
        let proof = Proof::client(made.client_id, made.secret);
        Ok(self.server(&Session::sign_in(channel(&self.identity, &self.tls)?, proof).await?))
    }
}

fn domains() -> Vec<i32> {
    (DataDomain::School as i32..=DataDomain::Facility as i32).collect()
}

fn entry(school: &School) -> SchoolEntry {
    SchoolEntry {
        school_code: school.school_code.clone(),
        name: school.name.clone(),
        level: school.level() as i32,
        commune_code: school.commune_code.clone(),
        province_code: school.province_code.clone(),
        directly_managed: school.directly_managed,
        independent_group: school.independent_group,
        ..SchoolEntry::default()
    }
}

fn form(school: &School) -> Form1 {
    let today = OffsetDateTime::now_utc().date();
    Form1 {
        governing_body: format!("Ủy ban nhân dân {}", school.commune),
        school_code: school.school_code.clone(),
        school_name: school.name.clone(),
        document_no: "15/TTr".into(),
        place: school.commune.clone(),
        issued_on: today.to_string(),
        legal_basis: vec!["Công văn số 1545/SGDĐT-CTHSSV ngày 17/11/2025".into()],
        level: school.level() as i32,
        software_code: "SMAS".into(),
        vendor_code: "VIETTEL".into(),
        software_account: format!("hub.{}", school.school_code),
        contact_name: "Nguyễn Thị Thanh Hà".into(),
        contact_phone: "0912345678".into(),
        contact_email: format!("{}@ninhbinh.edu.vn", school.school_code),
        signed_by: "Trần Văn Minh".into(),
        signed_on: today.to_string(),
        contract: Some(Contract {
            number: "27/HĐ-PM".into(),
            signed_on: (today - Duration::days(30)).to_string(),
            secrecy_clause: "Điều 7: giữ bí mật API và tài liệu kết nối".into(),
            secrecy_confirmed: true,
            file_sha256: "ab".repeat(32),
        }),
        data_completed: true,
        domains: domains(),
        valid_from: today.to_string(),
        valid_to: (today + Duration::days(365)).to_string(),
        ..Form1::default()
    }
}
