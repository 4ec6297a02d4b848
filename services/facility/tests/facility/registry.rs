//! Double of registry: schools, campuses and code lists, in pages of two so that every reader has to turn them.
use eduhub_auth::Role;
use eduhub_auth::testing::TokenMint;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{ChangeHeader, Kind};
use eduhub_proto::registry::v1::{
    Change, Code, GetRecordRequest, GetSchoolRequest, ListAdminUnitsRequest, ListAdminUnitsResponse,
    ListCodesRequest, ListCodesResponse, ListRecordsRequest, ListSchoolsRequest, ListSchoolsResponse,
    RecordPage, RegisterSchoolsRequest, RegisterSchoolsResponse, SchoolEntry,
    code_list_service_server::{CodeListService, CodeListServiceServer},
    record_service_server::{RecordService, RecordServiceServer},
    school_service_server::{SchoolService, SchoolServiceServer},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};
use tonic::{Request, Response, Status, service::Routes};

const PAGE: usize = 2;

/// How registry behaves now.
#[derive(Default)]
pub struct World {
    /// Commune by school.
    pub schools: BTreeMap<String, String>,
    /// Campuses by school.
    pub campuses: BTreeMap<String, Vec<String>>,
    pub codes: Vec<Code>,
    pub version: i64,
    pub down: bool,
    /// Calls of ListRecords, pages counted one by one.
    pub campus_calls: usize,
    pub school_calls: usize,
}

#[derive(Clone)]
pub struct Registry {
    world: Arc<Mutex<World>>,
    mint: TokenMint,
}

impl Registry {
    pub fn new(mint: TokenMint) -> Self {
        Self { world: Arc::default(), mint }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub fn routes(&self) -> Routes {
        Routes::new(SchoolServiceServer::new(self.clone()))
            .add_service(RecordServiceServer::new(self.clone()))
            .add_service(CodeListServiceServer::new(self.clone()))
    }

    /// Registry answers about schools only to facility's own token.
    async fn check<T>(&self, request: &Request<T>) -> Result<(), Status> {
        self.up()?;
        let header = request.metadata().get("authorization").and_then(|v| v.to_str().ok());
        let token =
            header.and_then(|h| h.strip_prefix("Bearer ")).ok_or_else(|| Status::unauthenticated("none"))?;
        let caller = self.mint.verifier().verify(token).await?;
        let ours = caller.has_role(Role::Service) && caller.sub == "facility";
        if ours { Ok(()) } else { Err(Status::permission_denied("not facility")) }
    }

    fn up(&self) -> Result<(), Status> {
        if self.world().down { Err(Status::unavailable("restarting")) } else { Ok(()) }
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
    };
    let types = ["01", "02", "03"].map(|c| code("DM_LOAI_PHONG", c, ""));
    let grades = ["1", "2", "3", "4"].map(|c| code("DM_CAP_CONG_TRINH", c, ""));
    let mut all = vec![code("DM_LOAI_PHONG", "09", "2020-12-31")];
    all.extend(types);
    all.extend(grades);
    all
}

/// The page that a token asks for, and the token of the next.
fn page<T: Clone>(all: &[T], token: &str) -> (Vec<T>, String) {
    let from: usize = token.parse().unwrap_or_default();
    let page: Vec<T> = all.iter().skip(from).take(PAGE).cloned().collect();
    let next = from + page.len();
    (page, if next < all.len() { next.to_string() } else { String::new() })
}

fn entry(code: &str, commune: &str) -> SchoolEntry {
    SchoolEntry { school_code: code.to_owned(), commune_code: commune.to_owned(), ..SchoolEntry::default() }
}

#[tonic::async_trait]
impl SchoolService for Registry {
    async fn get_school(&self, request: Request<GetSchoolRequest>) -> Result<Response<SchoolEntry>, Status> {
        self.check(&request).await?;
        let mut world = self.world();
        world.school_calls += 1;
        let code = &request.get_ref().school_code;
        let found = world.schools.get(code).map(|commune| entry(code, commune));
        found.map(Response::new).ok_or_else(|| Fault::new(Reason::SchoolNotFound).into())
    }

    async fn list_schools(
        &self,
        request: Request<ListSchoolsRequest>,
    ) -> Result<Response<ListSchoolsResponse>, Status> {
        self.check(&request).await?;
        let asked = request.into_inner();
        let world = self.world();
        let here = world.schools.iter().filter(|(_, commune)| **commune == asked.commune_code);
        let all: Vec<SchoolEntry> = here.map(|(code, commune)| entry(code, commune)).collect();
        let (schools, next_page_token) = page(&all, &asked.page_token);
        Ok(Response::new(ListSchoolsResponse { schools, next_page_token }))
    }

    async fn register_schools(
        &self,
        _: Request<RegisterSchoolsRequest>,
    ) -> Result<Response<RegisterSchoolsResponse>, Status> {
        Err(Status::unimplemented("not asked by facility"))
    }

    async fn list_admin_units(
        &self,
        _: Request<ListAdminUnitsRequest>,
    ) -> Result<Response<ListAdminUnitsResponse>, Status> {
        Err(Status::unimplemented("not asked by facility"))
    }
}

#[tonic::async_trait]
impl RecordService for Registry {
    async fn list_records(
        &self,
        request: Request<ListRecordsRequest>,
    ) -> Result<Response<RecordPage>, Status> {
        self.check(&request).await?;
        let asked = request.into_inner();
        assert_eq!(asked.kind, Kind::Campus as i32);
        let mut world = self.world();
        world.campus_calls += 1;
        let all = world.campuses.get(&asked.school_code).cloned().unwrap_or_default();
        let (keys, next_page_token) = page(&all, &asked.page_token);
        let records = keys.into_iter().map(|record_key| Change {
            header: Some(ChangeHeader { record_key, kind: asked.kind, ..ChangeHeader::default() }),
            record: None,
        });
        Ok(Response::new(RecordPage { records: records.collect(), next_page_token }))
    }

    async fn get_record(&self, _: Request<GetRecordRequest>) -> Result<Response<Change>, Status> {
        Err(Status::unimplemented("not asked by facility"))
    }

    async fn get_history(&self, _: Request<GetRecordRequest>) -> Result<Response<RecordPage>, Status> {
        Err(Status::unimplemented("not asked by facility"))
    }
}

#[tonic::async_trait]
impl CodeListService for Registry {
    async fn list_codes(&self, _: Request<ListCodesRequest>) -> Result<Response<ListCodesResponse>, Status> {
        self.up()?;
        let world = self.world();
        Ok(Response::new(ListCodesResponse { codes: world.codes.clone(), version: world.version }))
    }
}
