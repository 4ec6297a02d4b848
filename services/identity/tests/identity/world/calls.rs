use super::{ADMIN_PASSWORD, World, form, submit, with_token};
use eduhub_auth::testing::Persona;
use eduhub_faults::{Reason, reason_of};
use eduhub_proto::identity::v1::application_service_client::ApplicationServiceClient;
use eduhub_proto::identity::v1::grant_service_client::GrantServiceClient;
use eduhub_proto::identity::v1::issue_token_request::Proof;
use eduhub_proto::identity::v1::principal_service_client::PrincipalServiceClient;
use eduhub_proto::identity::v1::token_service_client::TokenServiceClient;
use eduhub_proto::identity::v1::verification_service_client::VerificationServiceClient;
use eduhub_proto::identity::v1::{
    Application, ClientSecret, CreateCredentialRequest, CreateCredentialResponse, DecideApplicationRequest,
    Decision, Form1, IssueTokenRequest, IssueTokenResponse, Password, RevokeGrantRequest,
};
use eduhub_runtime::client::GrpcChannel;
use tonic::{Request, Response, Status};
use tonic_types::StatusExt;

/// Reason of a refusal; panics for a call that passed.
pub fn reason<T>(outcome: Result<Response<T>, Status>) -> Reason {
    let status = outcome.err().expect("must be refused");
    reason_of(&status).unwrap_or_else(|| panic!("no reason in {status:?}"))
}

/// `field REASON` of each violation.
pub fn violations<T>(outcome: Result<Response<T>, Status>) -> Vec<String> {
    let status = outcome.err().expect("must be refused");
    let details = status.get_error_details();
    let found = details.bad_request().unwrap_or_else(|| panic!("no violations in {status:?}"));
    let line = |v: &tonic_types::FieldViolation| {
        format!("{} {}", v.field, v.description.split(':').next().unwrap_or_default())
    };
    found.field_violations.iter().map(line).collect()
}

/// An `ErrorInfo` value.
pub fn meta(status: &Status, key: &str) -> String {
    let details = status.get_error_details();
    details.error_info().and_then(|info| info.metadata.get(key).cloned()).unwrap_or_default()
}

impl World {
    pub fn tokens(&self) -> TokenServiceClient<GrpcChannel> {
        TokenServiceClient::new(self.identity.clone())
    }

    pub fn applications(&self) -> ApplicationServiceClient<GrpcChannel> {
        ApplicationServiceClient::new(self.identity.clone())
    }

    pub fn grants(&self) -> GrantServiceClient<GrpcChannel> {
        GrantServiceClient::new(self.identity.clone())
    }

    pub fn principals(&self) -> PrincipalServiceClient<GrpcChannel> {
        PrincipalServiceClient::new(self.identity.clone())
    }

    pub fn verification(&self) -> VerificationServiceClient<GrpcChannel> {
        VerificationServiceClient::new(self.identity.clone())
    }

    pub async fn sign_in(&self, proof: Proof) -> Result<Response<IssueTokenResponse>, Status> {
        self.tokens().issue_token(IssueTokenRequest { proof: Some(proof) }).await
    }

    pub async fn by_secret(
        &self,
        client_id: &str,
        secret: &str,
    ) -> Result<Response<IssueTokenResponse>, Status> {
        let proof = ClientSecret { client_id: client_id.into(), secret: secret.into() };
        self.sign_in(Proof::ClientSecret(proof)).await
    }

    pub async fn by_password(
        &self,
        user: &str,
        password: &str,
    ) -> Result<Response<IssueTokenResponse>, Status> {
        let proof = Password { user_name: user.into(), password: password.into() };
        self.sign_in(Proof::Password(proof)).await
    }

    /// A request of the first administrator, signed in by password.
    pub async fn as_admin<T>(&self, message: T) -> Request<T> {
        let token = self.by_password("admin", ADMIN_PASSWORD).await.unwrap().into_inner().access_token;
        with_token(&token, message)
    }

    /// Submits a form as an officer of its school.
    pub async fn submit(&self, form: Form1) -> Result<Response<Application>, Status> {
        let officer = Persona::school_officer(&form.school_code);
        self.applications().submit_application(self.as_persona(&officer, submit(form))).await
    }

    /// Id of a good application.
    pub async fn applied(&self, school: &str, vendor: &str, software: &str) -> String {
        self.submit(form(school, vendor, software)).await.unwrap().into_inner().application_id
    }

    /// Decides as the Student Affairs Division.
    pub async fn decide(&self, application: &str, decision: Decision, why: &str) -> Result<String, Status> {
        let request = DecideApplicationRequest {
            application_id: application.into(),
            decision: decision as i32,
            reason: why.into(),
        };
        let division = Persona::division_reviewer("DIV_STUDENT_AFFAIRS");
        let answer = self.applications().decide_application(self.as_persona(&division, request)).await?;
        Ok(answer.into_inner().grant_id)
    }

    /// Id of the grant of an approved application.
    pub async fn granted(&self, school: &str, vendor: &str, software: &str) -> String {
        let application = self.applied(school, vendor, software).await;
        self.decide(&application, Decision::Approve, "").await.unwrap()
    }

    /// A credential with a secret, made by an administrator.
    pub async fn credential(&self, grant: &str) -> CreateCredentialResponse {
        let request = CreateCredentialRequest { grant_id: grant.into(), public_key: None };
        self.grants()
            .create_credential(self.as_persona(&Persona::admin(), request))
            .await
            .unwrap()
            .into_inner()
    }

    pub async fn revoke(&self, grant: &str) {
        let request =
            RevokeGrantRequest { grant_id: grant.into(), reason: "Hợp đồng chấm dứt".into() };
        self.grants().revoke_grant(self.as_persona(&Persona::admin(), request)).await.unwrap();
    }
}
