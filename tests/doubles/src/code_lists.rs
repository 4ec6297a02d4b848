//! Registry's code lists.
use crate::Door;
use eduhub_proto::registry::v1::{
    Code, ListCodesRequest, ListCodesResponse, code_list_service_server::CodeListService,
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
        let list = request.into_inner().list;
        let state = self.state();
        let asked = state.codes.iter().filter(|code| list.is_empty() || code.list == list);
        let codes = asked.cloned().collect();
        Ok(Response::new(ListCodesResponse { codes, version: state.version }))
    }
}
