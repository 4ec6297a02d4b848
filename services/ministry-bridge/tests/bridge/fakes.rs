//! Doubles of approval, registry and facility. They answer only to the bridge's own token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use eduhub_auth::Role;
use eduhub_auth::testing::TokenMint;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::approval::v1 as approval;
use eduhub_proto::approval::v1::submission_service_server::{SubmissionService, SubmissionServiceServer};
use eduhub_proto::common::v1::{
    DiffPage, DiffSealRequest, GetSealRequest, ListSealedRequest, SchoolDigest, SchoolDigestRequest, Seal, SealRequest,
};
use eduhub_proto::facility::v1 as facility;
use eduhub_proto::registry::v1 as registry;
use registry::code_list_service_server::{CodeListService, CodeListServiceServer};
use registry::school_service_server::{SchoolService, SchoolServiceServer};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// Records of one page, so that every walk has several.
const PAGE: usize = 7;

/// How the doubles behave now.
#[derive(Default)]
pub struct World {
    pub submissions: HashMap<String, approval::Submission>,
    pub sealed: HashMap<String, Vec<registry::Change>>,
    pub rooms: HashMap<String, Vec<facility::Change>>,
    pub codes: Vec<registry::Code>,
    pub schools: HashMap<String, registry::SchoolEntry>,
    /// Outcomes that approval was told.
    pub told: Vec<approval::MarkTransferredRequest>,
    pub approval_down: bool,
}

#[derive(Clone)]
pub struct Fakes {
    pub world: Arc<Mutex<World>>,
    mint: TokenMint,
}

impl Fakes {
    pub fn new(mint: TokenMint) -> Self {
        Self { world: Arc::default(), mint }
    }

    pub fn routes(&self) -> Routes {
        Routes::new(SchoolServiceServer::new(self.clone()))
            .add_service(CodeListServiceServer::new(self.clone()))
            .add_service(SubmissionServiceServer::new(self.clone()))
            .add_service(registry::seal_service_server::SealServiceServer::new(self.clone()))
            .add_service(facility::seal_service_server::SealServiceServer::new(self.clone()))
    }

    async fn check<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let header = request.metadata().get("authorization").and_then(|v| v.to_str().ok());
        let token =
            header.and_then(|h| h.strip_prefix("Bearer ")).ok_or_else(|| Status::unauthenticated("none"))?;
        let caller = self.mint.verifier().verify(token).await?;
        let ours = caller.has_role(Role::Service) && caller.sub == "bridge";
        if ours { Ok(()) } else { Err(Status::permission_denied("not the bridge")) }
    }
}

/// The page of a list that a token asks for.
fn page<T: Clone>(all: &[T], token: &str) -> (Vec<T>, String) {
    let from: usize = token.parse().unwrap_or(0);
    let to = (from + PAGE).min(all.len());
    (all[from..to].to_vec(), if to < all.len() { to.to_string() } else { String::new() })
}

#[tonic::async_trait]
impl SubmissionService for Fakes {
    async fn get_submission(
        &self,
        request: Request<approval::GetSubmissionRequest>,
    ) -> Result<Response<approval::Submission>, Status> {
        self.check(&request).await?;
        let world = self.world.lock().unwrap();
        if world.approval_down {
            return Err(Status::unavailable("restarting"));
        }
        let found = world.submissions.get(&request.get_ref().submission_id).cloned();
        found.map(Response::new).ok_or_else(|| Fault::new(Reason::NotFound).into())
    }

    async fn mark_transferred(
        &self,
        request: Request<approval::MarkTransferredRequest>,
    ) -> Result<Response<approval::Submission>, Status> {
        self.check(&request).await?;
        let mut world = self.world.lock().unwrap();
        if world.approval_down {
            return Err(Status::unavailable("restarting"));
        }
        let asked = request.into_inner();
        let found = world.submissions.get(&asked.submission_id).cloned();
        world.told.push(asked);
        found.map(Response::new).ok_or_else(|| Fault::new(Reason::NotFound).into())
    }

    async fn submit(
        &self,
        _: Request<approval::SubmitRequest>,
    ) -> Result<Response<approval::Submission>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn list_submissions(
        &self,
        _: Request<approval::ListSubmissionsRequest>,
    ) -> Result<Response<approval::ListSubmissionsResponse>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn decide(
        &self,
        _: Request<approval::DecideRequest>,
    ) -> Result<Response<approval::Submission>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn withdraw_submission(
        &self,
        _: Request<approval::WithdrawSubmissionRequest>,
    ) -> Result<Response<approval::Submission>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn get_history(
        &self,
        _: Request<approval::GetHistoryRequest>,
    ) -> Result<Response<approval::History>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn last_approved(
        &self,
        _: Request<approval::LastApprovedRequest>,
    ) -> Result<Response<approval::LastApprovedResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

macro_rules! seals {
    ($package:ident, $list:ident) => {
        #[tonic::async_trait]
        impl $package::seal_service_server::SealService for Fakes {
            async fn list_sealed(
                &self,
                request: Request<ListSealedRequest>,
            ) -> Result<Response<$package::RecordPage>, Status> {
                self.check(&request).await?;
                let asked = request.into_inner();
                let world = self.world.lock().unwrap();
                let all = world.$list.get(&asked.seal_id).ok_or_else(|| Fault::new(Reason::NotFound))?;
                let of_kind: Vec<_> =
                    all.iter().filter(|c| c.header.as_ref().unwrap().kind == asked.kind).cloned().collect();
                let (records, next_page_token) = page(&of_kind, &asked.page_token);
                Ok(Response::new($package::RecordPage { records, next_page_token }))
            }
            async fn create_seal(&self, _: Request<SealRequest>) -> Result<Response<Seal>, Status> {
                Err(Status::unimplemented(""))
            }
            async fn get_seal(&self, _: Request<GetSealRequest>) -> Result<Response<Seal>, Status> {
                Err(Status::unimplemented(""))
            }
            async fn diff_seal(
                &self,
                _: Request<DiffSealRequest>,
            ) -> Result<Response<DiffPage>, Status> {
                Err(Status::unimplemented(""))
            }
            async fn get_school_digest(
                &self,
                _: Request<SchoolDigestRequest>,
            ) -> Result<Response<SchoolDigest>, Status> {
                Err(Status::unimplemented(""))
            }
        }
    };
}

seals!(registry, sealed);
seals!(facility, rooms);

#[tonic::async_trait]
impl CodeListService for Fakes {
    async fn list_codes(
        &self,
        request: Request<registry::ListCodesRequest>,
    ) -> Result<Response<registry::ListCodesResponse>, Status> {
        self.check(&request).await?;
        let list = request.into_inner().list;
        let codes =
            self.world.lock().unwrap().codes.iter().filter(|code| code.list == list).cloned().collect();
        Ok(Response::new(registry::ListCodesResponse { codes, version: 1 }))
    }
}

#[tonic::async_trait]
impl SchoolService for Fakes {
    async fn get_school(
        &self,
        request: Request<registry::GetSchoolRequest>,
    ) -> Result<Response<registry::SchoolEntry>, Status> {
        self.check(&request).await?;
        let found = self.world.lock().unwrap().schools.get(&request.get_ref().school_code).cloned();
        found.map(Response::new).ok_or_else(|| Fault::new(Reason::SchoolNotFound).into())
    }
    async fn register_schools(
        &self,
        _: Request<registry::RegisterSchoolsRequest>,
    ) -> Result<Response<registry::RegisterSchoolsResponse>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn list_schools(
        &self,
        _: Request<registry::ListSchoolsRequest>,
    ) -> Result<Response<registry::ListSchoolsResponse>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn list_admin_units(
        &self,
        _: Request<registry::ListAdminUnitsRequest>,
    ) -> Result<Response<registry::ListAdminUnitsResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}
