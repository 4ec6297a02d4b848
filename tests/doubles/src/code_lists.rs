//! Registry's code lists.
use crate::Door;
use eduhub_proto::registry::v1::{
    Code, CodeList, CodeMapping, GetCodeListRequest, ImportCodeListRequest, ImportCodeListResponse,
    ListCodeListVersionsRequest, ListCodeListVersionsResponse, ListCodeMappingsRequest,
    ListCodeMappingsResponse, ListCodesRequest, ListCodesResponse, SetCodeMappingRequest,
    WatchCodeListsReply, WatchCodeListsRequest, code_list_service_server::CodeListService,
};
use std::sync::{Arc, Mutex, MutexGuard};
use tonic::{Request, Response, Status};

/// What the double knows.
#[derive(Default)]
pub struct CodeListState {
    /// Codes of all lists.
    pub codes: Vec<Code>,
    /// Rises with every change of them.
    pub version: i64,
    /// Mapping tables of all vendors.
    pub mappings: Vec<CodeMapping>,
}

/// Double of registry's `CodeListService`. The lists are public: it asks nobody for a token.
#[derive(Clone)]
pub struct CodeLists {
    door: Door,
    state: Arc<Mutex<CodeListState>>,
}

impl CodeLists {
    /// None yet.
    pub fn new(door: Door) -> Self {
        Self { door, state: Arc::default() }
    }

    /// What it knows now.
    pub fn state(&self) -> MutexGuard<'_, CodeListState> {
        self.state.lock().unwrap()
    }
}

#[tonic::async_trait]
impl CodeListService for CodeLists {
    async fn list_codes(
        &self,
        request: Request<ListCodesRequest>,
    ) -> Result<Response<ListCodesResponse>, Status> {
        self.door.is_up()?;
        let ListCodesRequest { list, known_version } = request.into_inner();
        let state = self.state();
        let version = state.version;
        if known_version == version && version != 0 {
            return Ok(Response::new(ListCodesResponse { version, ..ListCodesResponse::default() }));
        }
        let asked = state.codes.iter().filter(|code| list.is_empty() || code.list == list);
        let (codes, mappings) = (asked.cloned().collect(), state.mappings.clone());
        Ok(Response::new(ListCodesResponse { codes, version, mappings }))
    }

    type WatchCodeListsStream = tonic::codegen::BoxStream<WatchCodeListsReply>;

    async fn get_code_list(&self, _: Request<GetCodeListRequest>) -> Result<Response<CodeList>, Status> {
        Err(not_asked())
    }

    async fn list_code_list_versions(
        &self,
        _: Request<ListCodeListVersionsRequest>,
    ) -> Result<Response<ListCodeListVersionsResponse>, Status> {
        Err(not_asked())
    }

    async fn import_code_list(
        &self,
        _: Request<ImportCodeListRequest>,
    ) -> Result<Response<ImportCodeListResponse>, Status> {
        Err(not_asked())
    }

    async fn watch_code_lists(
        &self,
        _: Request<WatchCodeListsRequest>,
    ) -> Result<Response<Self::WatchCodeListsStream>, Status> {
        Err(not_asked())
    }

    async fn set_code_mapping(
        &self,
        _: Request<SetCodeMappingRequest>,
    ) -> Result<Response<CodeMapping>, Status> {
        Err(not_asked())
    }

    async fn list_code_mappings(
        &self,
        _: Request<ListCodeMappingsRequest>,
    ) -> Result<Response<ListCodeMappingsResponse>, Status> {
        Err(not_asked())
    }
}

fn not_asked() -> Status {
    Status::unimplemented("no service asks for more than the codes")
}
