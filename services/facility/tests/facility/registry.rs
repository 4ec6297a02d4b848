//! Double of registry as facility sees it: schools, campuses, code lists.
use eduhub_auth::testing::TokenMint;
use eduhub_doubles::{CodeLists, Door, Grants, Schools, page};
use eduhub_proto::{
    common::v1::{
        BatchGetRecordsRequest, ChangeHeader, CountRecordsRequest, CountRecordsResponse, GetPositionRequest,
        GetRecordHistoryRequest, GetRecordRequest, Kind, ListRecordsRequest, LogPosition,
        SearchRecordsRequest,
    },
    identity::v1::grant_service_server::GrantServiceServer,
    registry::v1::{
        BatchGetRecordsResponse, Change, Code, HistoryPage, RecordPage, SchoolEntry, SearchRecordsResponse,
        code_list_service_server::CodeListServiceServer,
        record_service_server::{RecordService, RecordServiceServer},
        school_service_server::SchoolServiceServer,
    },
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};
use tonic::{Request, Response, Status, service::Routes};

/// Campuses in one page, so that a school with three has several.
const PAGE: usize = 2;

/// Registry, behind one door.
pub struct Registry {
    pub door: Door,
    pub schools: Schools,
    pub codes: CodeLists,
    pub campuses: Campuses,
    /// Identity's, behind the same door.
    pub grants: Grants,
}

impl Registry {
    /// It answers about schools only to facility's own token.
    pub fn new(mint: TokenMint) -> Self {
        let door = Door::for_service(mint, "facility");
        let (schools, codes) = (Schools::new(door.clone()), CodeLists::new(door.clone()));
        let campuses = Campuses { door: door.clone(), state: Arc::default() };
        let grants = Grants::new(door.clone());
        Self { door, schools, codes, campuses, grants }
    }

    pub fn routes(&self) -> Routes {
        Routes::new(SchoolServiceServer::new(self.schools.clone()))
            .add_service(RecordServiceServer::new(self.campuses.clone()))
            .add_service(CodeListServiceServer::new(self.codes.clone()))
            .add_service(GrantServiceServer::new(self.grants.clone()))
    }

    /// Registers a school on the ground of a commune.
    pub fn put_school(&self, code: &str, commune: &str) {
        let (school_code, commune_code) = (code.to_owned(), commune.to_owned());
        self.schools.state().put(SchoolEntry { school_code, commune_code, ..SchoolEntry::default() });
    }
}

/// The lists that rooms use. `09` was a type of room until 2020.
pub fn codes() -> Vec<Code> {
    let code = |list: &str, code: &str, valid_to: &str| Code {
        list: list.to_owned(),
        code: code.to_owned(),
        name: format!("{list} {code}"),
        valid_from: String::new(),
        valid_to: valid_to.to_owned(),
        ..Code::default()
    };
    let types = ["01", "02", "03"].map(|c| code("DM_LOAI_PHONG", c, ""));
    let grades = ["1", "2", "3", "4"].map(|c| code("DM_CAP_CONG_TRINH", c, ""));
    let mut all = vec![code("DM_LOAI_PHONG", "09", "2020-12-31")];
    all.extend(types);
    all.extend(grades);
    all
}

/// What registry knows of campuses.
#[derive(Default)]
pub struct CampusState {
    /// Keys of campuses by school.
    pub campuses: BTreeMap<String, Vec<String>>,
    /// Calls of ListRecords, pages counted one by one.
    pub calls: usize,
}

/// Double of registry's `RecordService`: lists campuses.
#[derive(Clone)]
pub struct Campuses {
    door: Door,
    state: Arc<Mutex<CampusState>>,
}

impl Campuses {
    pub fn state(&self) -> MutexGuard<'_, CampusState> {
        self.state.lock().unwrap()
    }
}

#[tonic::async_trait]
impl RecordService for Campuses {
    async fn list_records(
        &self,
        request: Request<ListRecordsRequest>,
    ) -> Result<Response<RecordPage>, Status> {
        self.door.lets_in(&request).await?;
        let asked = request.into_inner();
        assert_eq!(asked.kind, Kind::Campus as i32);
        let mut state = self.state();
        state.calls += 1;
        let all = state.campuses.get(&asked.school_code).cloned().unwrap_or_default();
        let (keys, next_page_token) = page(&all, &asked.page_token, PAGE);
        let records = keys.into_iter().map(|record_key| Change {
            header: Some(ChangeHeader { record_key, kind: asked.kind, ..ChangeHeader::default() }),
            record: None,
        });
        Ok(Response::new(RecordPage { records: records.collect(), next_page_token }))
    }

    async fn get_record(&self, _: Request<GetRecordRequest>) -> Result<Response<Change>, Status> {
        Err(Status::unimplemented("not asked by facility"))
    }

    async fn batch_get_records(
        &self,
        _: Request<BatchGetRecordsRequest>,
    ) -> Result<Response<BatchGetRecordsResponse>, Status> {
        Err(Status::unimplemented("not asked by facility"))
    }

    async fn get_history(
        &self,
        _: Request<GetRecordHistoryRequest>,
    ) -> Result<Response<HistoryPage>, Status> {
        Err(Status::unimplemented("not asked by facility"))
    }

    async fn count_records(
        &self,
        _: Request<CountRecordsRequest>,
    ) -> Result<Response<CountRecordsResponse>, Status> {
        Err(Status::unimplemented("not asked by facility"))
    }

    async fn search_records(
        &self,
        _: Request<SearchRecordsRequest>,
    ) -> Result<Response<SearchRecordsResponse>, Status> {
        Err(Status::unimplemented("not asked by facility"))
    }

    async fn get_position(&self, _: Request<GetPositionRequest>) -> Result<Response<LogPosition>, Status> {
        Err(Status::unimplemented("not asked by facility"))
    }
}
