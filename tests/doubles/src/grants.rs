//! Identity's grants.
use crate::Door;
use eduhub_proto::common::v1::DataDomain;
use eduhub_proto::identity::v1::{
    CreateConsumerGrantRequest, CreateCredentialRequest, CreateCredentialResponse, GetGrantRequest, Grant,
    GrantKind, ListGrantsRequest, ListGrantsResponse, RevokeCredentialRequest, RevokeCredentialResponse,
    RevokeGrantRequest, Scope, grant_service_server::GrantService,
};
use std::sync::{Arc, Mutex, MutexGuard};
use tonic::{Request, Response, Status};

/// What the double knows.
#[derive(Default)]
pub struct GrantState {
    /// Live grants.
    pub grants: Vec<Grant>,
    /// Calls of ListGrants.
    pub calls: usize,
}

impl GrantState {
    /// A vendor's grant for domains of a school.
    pub fn give(
        &mut self,
        grant_id: &str,
        school: &str,
        (vendor, software): (&str, &str),
        domains: &[DataDomain],
    ) {
        self.grants.push(Grant {
            grant_id: grant_id.to_owned(),
            kind: GrantKind::Vendor as i32,
            vendor_code: vendor.to_owned(),
            software: software.to_owned(),
            scope: Some(Scope { schools: vec![school.to_owned()], ..Scope::default() }),
            domains: domains.iter().map(|domain| *domain as i32).collect(),
            ..Grant::default()
        });
    }
}

/// Double of identity's `GrantService`: lists the grants of a school.
#[derive(Clone)]
pub struct Grants {
    door: Door,
    state: Arc<Mutex<GrantState>>,
}

impl Grants {
    /// None yet.
    pub fn new(door: Door) -> Self {
        Self { door, state: Arc::default() }
    }

    /// What it knows now.
    pub fn state(&self) -> MutexGuard<'_, GrantState> {
        self.state.lock().unwrap()
    }
}

#[tonic::async_trait]
impl GrantService for Grants {
    async fn list_grants(
        &self,
        request: Request<ListGrantsRequest>,
    ) -> Result<Response<ListGrantsResponse>, Status> {
        self.door.lets_in(&request).await?;
        let asked = request.into_inner();
        let mut state = self.state();
        state.calls += 1;
        let here = |g: &&Grant| g.scope.iter().any(|s| s.schools.contains(&asked.school_code));
        let grants = state.grants.iter().filter(here).cloned().collect();
        Ok(Response::new(ListGrantsResponse { grants, next_page_token: String::new() }))
    }

    async fn get_grant(&self, _: Request<GetGrantRequest>) -> Result<Response<Grant>, Status> {
        Err(Status::unimplemented("no service reads one grant"))
    }

    async fn create_credential(
        &self,
        _: Request<CreateCredentialRequest>,
    ) -> Result<Response<CreateCredentialResponse>, Status> {
        Err(Status::unimplemented("no service makes credentials"))
    }

    async fn revoke_credential(
        &self,
        _: Request<RevokeCredentialRequest>,
    ) -> Result<Response<RevokeCredentialResponse>, Status> {
        Err(Status::unimplemented("no service revokes credentials"))
    }

    async fn revoke_grant(&self, _: Request<RevokeGrantRequest>) -> Result<Response<Grant>, Status> {
        Err(Status::unimplemented("no service revokes grants"))
    }

    async fn create_consumer_grant(
        &self,
        _: Request<CreateConsumerGrantRequest>,
    ) -> Result<Response<Grant>, Status> {
        Err(Status::unimplemented("no service creates grants"))
    }
}
