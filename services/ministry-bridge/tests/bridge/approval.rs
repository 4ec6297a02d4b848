//! Double of approval. It answers only to the bridge's own token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use eduhub_doubles::Door;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::approval::v1 as approval;
use eduhub_proto::approval::v1::submission_service_server::SubmissionService;
use tonic::{Request, Response, Status};

/// What it knows.
#[derive(Default)]
pub struct State {
    pub submissions: HashMap<String, approval::Submission>,
    /// Outcomes that it was told.
    pub told: Vec<approval::MarkTransferredRequest>,
}

#[derive(Clone)]
pub struct Approval {
    pub door: Door,
    state: Arc<Mutex<State>>,
}

impl Approval {
    pub fn new(door: Door) -> Self {
        Self { door, state: Arc::default() }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

#[tonic::async_trait]
impl SubmissionService for Approval {
    async fn get_submission(
        &self,
        request: Request<approval::GetSubmissionRequest>,
    ) -> Result<Response<approval::Submission>, Status> {
        self.door.lets_in(&request).await?;
        let found = self.state().submissions.get(&request.get_ref().submission_id).cloned();
        found.map(Response::new).ok_or_else(|| Fault::new(Reason::NotFound).into())
    }

    async fn mark_transferred(
        &self,
        request: Request<approval::MarkTransferredRequest>,
    ) -> Result<Response<approval::Submission>, Status> {
        self.door.lets_in(&request).await?;
        let mut state = self.state();
        let asked = request.into_inner();
        let found = state.submissions.get(&asked.submission_id).cloned();
        state.told.push(asked);
        found.map(Response::new).ok_or_else(|| Fault::new(Reason::NotFound).into())
    }

    async fn submit(
        &self,
        _: Request<approval::SubmitRequest>,
    ) -> Result<Response<approval::Submission>, Status> {
        Err(Status::unimplemented("not asked by the bridge"))
    }
    async fn list_submissions(
        &self,
        _: Request<approval::ListSubmissionsRequest>,
    ) -> Result<Response<approval::ListSubmissionsResponse>, Status> {
        Err(Status::unimplemented("not asked by the bridge"))
    }
    async fn decide(
        &self,
        _: Request<approval::DecideRequest>,
    ) -> Result<Response<approval::Submission>, Status> {
        Err(Status::unimplemented("not asked by the bridge"))
    }
    async fn withdraw_submission(
        &self,
        _: Request<approval::WithdrawSubmissionRequest>,
    ) -> Result<Response<approval::Submission>, Status> {
        Err(Status::unimplemented("not asked by the bridge"))
    }
    async fn get_history(
        &self,
        _: Request<approval::GetHistoryRequest>,
    ) -> Result<Response<approval::History>, Status> {
        Err(Status::unimplemented("not asked by the bridge"))
    }
    async fn last_approved(
        &self,
        _: Request<approval::LastApprovedRequest>,
    ) -> Result<Response<approval::LastApprovedResponse>, Status> {
        Err(Status::unimplemented("not asked by the bridge"))
    }
}
