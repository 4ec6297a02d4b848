//! Registry's schools.
use crate::{Door, page};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::registry::v1::{
    ConvertAdminUnitsRequest, ConvertAdminUnitsResponse, GetSchoolRequest, ListAdminUnitsRequest,
    ListAdminUnitsResponse, ListRegisteredCampusesRequest, ListRegisteredCampusesResponse,
    ListSchoolsRequest, ListSchoolsResponse, RegisterSchoolsRequest, RegisterSchoolsResponse, SchoolEntry,
    school_service_server::SchoolService,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};
use tonic::{Request, Response, Status};

/// Schools in one page, so that a commune with three has several.
const PAGE: usize = 2;

/// What the double knows.
#[derive(Default)]
pub struct SchoolState {
    /// Schools by code.
    pub entries: BTreeMap<String, SchoolEntry>,
}

impl SchoolState {
    /// Registers a school, or again.
    pub fn put(&mut self, entry: SchoolEntry) {
        self.entries.insert(entry.school_code.clone(), entry);
    }
}

/// Double of registry's `SchoolService`: reads schools, one by one and by commune.
#[derive(Clone)]
pub struct Schools {
    door: Door,
    state: Arc<Mutex<SchoolState>>,
}

impl Schools {
    /// None yet.
    pub fn new(door: Door) -> Self {
        Self { door, state: Arc::default() }
    }

    /// What it knows now.
    pub fn state(&self) -> MutexGuard<'_, SchoolState> {
        self.state.lock().unwrap()
    }
}

#[tonic::async_trait]
impl SchoolService for Schools {
    async fn get_school(&self, request: Request<GetSchoolRequest>) -> Result<Response<SchoolEntry>, Status> {
        self.door.lets_in(&request).await?;
        let found = self.state().entries.get(&request.get_ref().school_code).cloned();
        found.map(Response::new).ok_or_else(|| Fault::new(Reason::SchoolNotFound).into())
    }

    async fn list_schools(
        &self,
        request: Request<ListSchoolsRequest>,
    ) -> Result<Response<ListSchoolsResponse>, Status> {
        self.door.lets_in(&request).await?;
        let asked = request.into_inner();
        let state = self.state();
        let here = state.entries.values().filter(|school| school.commune_code == asked.commune_code);
        let (schools, next_page_token) = page(&here.cloned().collect::<Vec<_>>(), &asked.page_token, PAGE);
        Ok(Response::new(ListSchoolsResponse { schools, next_page_token }))
    }

    async fn register_schools(
        &self,
        _: Request<RegisterSchoolsRequest>,
    ) -> Result<Response<RegisterSchoolsResponse>, Status> {
        Err(Status::unimplemented("no service registers schools"))
    }

    async fn list_admin_units(
        &self,
        _: Request<ListAdminUnitsRequest>,
    ) -> Result<Response<ListAdminUnitsResponse>, Status> {
        Err(Status::unimplemented("no service lists administrative units"))
    }

    async fn list_registered_campuses(
        &self,
        _: Request<ListRegisteredCampusesRequest>,
    ) -> Result<Response<ListRegisteredCampusesResponse>, Status> {
        Err(Status::unimplemented("no service lists registered campuses"))
    }

    async fn convert_admin_units(
        &self,
        _: Request<ConvertAdminUnitsRequest>,
    ) -> Result<Response<ConvertAdminUnitsResponse>, Status> {
        Err(Status::unimplemented("no service converts administrative units"))
    }
}
