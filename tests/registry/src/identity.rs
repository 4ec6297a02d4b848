//! A small identity: publishes the keys of a signer, issues service tokens, and verifies persons as it is told.
use eduhub_auth::{Signer, testing::Persona};
use eduhub_proto::identity::v1::{
    GetKeysRequest, GetKeysResponse, IssueTokenRequest, IssueTokenResponse, ListRevocationsRequest,
    ListRevocationsResponse, PersonVerification, VerificationOutcome, VerifyPersonsRequest,
    VerifyPersonsResponse,
    token_service_server::{TokenService, TokenServiceServer},
    verification_service_server::{VerificationService, VerificationServiceServer},
};
use eduhub_runtime::{config::ServerConfig, server::Server};
use eduhub_testkit::Running;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tonic::{Request, Response, Status, service::Routes};

/// What it knows and was asked.
#[derive(Default)]
pub struct World {
    /// Outcome by personal ID; a match when not listed.
    pub outcomes: HashMap<String, (VerificationOutcome, Vec<String>)>,
    /// True: it answers UNAVAILABLE.
    pub down: bool,
    /// True: it takes calls and does not answer them.
    pub hangs: bool,
    /// Calls that it took.
    pub calls: usize,
    /// Most persons that it was asked for at once.
    pub largest: usize,
}

#[derive(Clone)]
pub struct Identity {
    pub signer: Arc<Signer>,
    pub world: Arc<Mutex<World>>,
}

impl Identity {
    pub fn new() -> Self {
        Self { signer: Arc::new(Signer::generate().unwrap()), world: Arc::default() }
    }

    pub async fn serve(&self) -> Running {
        let routes = Routes::new(TokenServiceServer::new(self.clone()))
            .add_service(VerificationServiceServer::new(self.clone()));
        let server = Server::new("test-identity", ServerConfig::for_tests()).routes(routes);
        Running::start(server.descriptors(eduhub_proto::DESCRIPTORS)).await
    }

    /// Counts a call. True: it shall hang.
    fn took(&self, persons: usize) -> Result<bool, Status> {
        let mut world = self.world.lock().unwrap();
        world.calls += 1;
        world.largest = world.largest.max(persons);
        if world.down { Err(Status::unavailable("down")) } else { Ok(world.hangs) }
    }

    pub fn says(&self, personal_id: &str, outcome: VerificationOutcome, fields: &[&str]) {
        let fields = fields.iter().map(|f| (*f).to_owned()).collect();
        self.world.lock().unwrap().outcomes.insert(personal_id.to_owned(), (outcome, fields));
    }
}

#[tonic::async_trait]
impl TokenService for Identity {
    async fn issue_token(
        &self,
        _: Request<IssueTokenRequest>,
    ) -> Result<Response<IssueTokenResponse>, Status> {
        let persona = Persona::service("registry");
        let expires_at = Some(prost_types::Timestamp { seconds: persona.0.exp, nanos: 0 });
        let access_token = self.signer.sign(&persona.0).unwrap();
        Ok(Response::new(IssueTokenResponse { access_token, expires_at, principal_id: persona.0.sub }))
    }

    async fn get_keys(&self, _: Request<GetKeysRequest>) -> Result<Response<GetKeysResponse>, Status> {
        Ok(Response::new(GetKeysResponse { keys: vec![self.signer.public_key().clone()] }))
    }

    async fn list_revocations(
        &self,
        _: Request<ListRevocationsRequest>,
    ) -> Result<Response<ListRevocationsResponse>, Status> {
        Ok(Response::new(ListRevocationsResponse::default()))
    }
}

#[tonic::async_trait]
impl VerificationService for Identity {
    async fn verify_persons(
        &self,
        request: Request<VerifyPersonsRequest>,
    ) -> Result<Response<VerifyPersonsResponse>, Status> {
        assert!(request.metadata().get("authorization").is_some(), "registry shows who it is");
        let persons = request.into_inner().persons;
        if self.took(persons.len())? {
            std::future::pending::<()>().await;
        }
        let world = self.world.lock().unwrap();
        let answer = |p: eduhub_proto::identity::v1::PersonQuery| {
            let matched = (VerificationOutcome::Match, vec![]);
            let (outcome, fields) = world.outcomes.get(&p.personal_id).cloned().unwrap_or(matched);
            PersonVerification { r#ref: p.r#ref, outcome: outcome as i32, fields }
        };
        let results = persons.into_iter().map(answer).collect();
        Ok(Response::new(VerifyPersonsResponse { results }))
    }
}
