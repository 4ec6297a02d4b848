//! Doubles of registry and facility: schools, and seals that change with every new id as a live school's would.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use eduhub_auth::Role;
use eduhub_auth::testing::TokenMint;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{
    DiffPage, DiffSealRequest, GetSealRequest, Kind, KindCount, ListSealedRequest, SchoolDigest, SchoolDigestRequest,
    Seal, SealRequest,
};
use eduhub_proto::facility::v1 as facility;
use eduhub_proto::registry::v1 as registry;
use registry::school_service_server::{SchoolService, SchoolServiceServer};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// How the doubles behave now.
#[derive(Default)]
pub struct World {
    pub schools: HashMap<String, registry::SchoolEntry>,
    /// Seals by id, with the service that made them.
    pub seals: HashMap<String, (&'static str, Seal)>,
    /// Calls of CreateSeal, repetitions included.
    pub seal_calls: usize,
    pub held: u64,
    pub empty: bool,
    pub year_closed: bool,
    pub down: bool,
    /// Seal ids whose answer is lost after the seal was made, once.
    pub lose_answer: HashSet<String>,
}

#[derive(Clone)]
pub struct Fakes {
    pub world: Arc<Mutex<World>>,
    mint: TokenMint,
}

pub const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

impl Fakes {
    pub fn new(mint: TokenMint) -> Self {
        Self { world: Arc::default(), mint }
    }

    pub fn routes(&self) -> Routes {
        Routes::new(SchoolServiceServer::new(self.clone()))
            .add_service(registry::seal_service_server::SealServiceServer::new(self.clone()))
            .add_service(facility::seal_service_server::SealServiceServer::new(self.clone()))
    }

    /// Peers answer only to approval's own token.
    async fn check<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let header = request.metadata().get("authorization").and_then(|v| v.to_str().ok());
        let token =
            header.and_then(|h| h.strip_prefix("Bearer ")).ok_or_else(|| Status::unauthenticated("none"))?;
        let caller = self.mint.verifier().verify(token).await?;
        let ours = caller.has_role(Role::Service) && caller.sub == "approval";
        if self.world.lock().unwrap().down {
            return Err(Status::unavailable("restarting"));
        }
        if ours { Ok(()) } else { Err(Status::permission_denied("not approval")) }
    }

    async fn seal(
        &self,
        owner: &'static str,
        request: Request<SealRequest>,
    ) -> Result<Response<Seal>, Status> {
        self.check(&request).await?;
        let asked = request.into_inner();
        let mut world = self.world.lock().unwrap();
        world.seal_calls += 1;
        if world.year_closed {
            return Err(Fault::new(Reason::SchoolYearClosed).into());
        }
        let (held, empty) = (world.held, world.empty);
        let made = world
            .seals
            .entry(asked.seal_id.clone())
            .or_insert_with(|| (owner, new_seal(&asked, held, empty)));
        let seal = made.1.clone();
        if world.lose_answer.remove(&asked.seal_id) {
            return Err(Status::unavailable("connection reset"));
        }
        Ok(Response::new(seal))
    }
}

fn new_seal(asked: &SealRequest, held: u64, empty: bool) -> Seal {
    let mut digest = asked.seal_id.replace('-', "").into_bytes();
    digest.truncate(32);
    Seal {
        seal_id: asked.seal_id.clone(),
        school_code: asked.school_code.clone(),
        school_year: asked.school_year,
        dataset: asked.dataset,
        counts: vec![KindCount { kind: Kind::Pupil as i32, count: if empty { 0 } else { 412 } }],
        digest,
        sealed_at: None,
        held,
        open_issues: 3,
        traceparent: TRACEPARENT.to_owned(),
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
        Err(Status::unimplemented("not asked by approval"))
    }

    async fn list_schools(
        &self,
        _: Request<registry::ListSchoolsRequest>,
    ) -> Result<Response<registry::ListSchoolsResponse>, Status> {
        Err(Status::unimplemented("not asked by approval"))
    }

    async fn list_admin_units(
        &self,
        _: Request<registry::ListAdminUnitsRequest>,
    ) -> Result<Response<registry::ListAdminUnitsResponse>, Status> {
        Err(Status::unimplemented("not asked by approval"))
    }
}

macro_rules! seal_service {
    ($package:ident, $owner:literal) => {
        #[tonic::async_trait]
        impl $package::seal_service_server::SealService for Fakes {
            async fn create_seal(&self, request: Request<SealRequest>) -> Result<Response<Seal>, Status> {
                self.seal($owner, request).await
            }
            async fn get_seal(&self, _: Request<GetSealRequest>) -> Result<Response<Seal>, Status> {
                Err(Status::unimplemented("not asked by approval"))
            }
            async fn list_sealed(
                &self,
                _: Request<ListSealedRequest>,
            ) -> Result<Response<$package::RecordPage>, Status> {
                Err(Status::unimplemented("not asked by approval"))
            }
            async fn diff_seal(
                &self,
                _: Request<DiffSealRequest>,
            ) -> Result<Response<DiffPage>, Status> {
                Err(Status::unimplemented("not asked by approval"))
            }
            async fn get_school_digest(
                &self,
                _: Request<SchoolDigestRequest>,
            ) -> Result<Response<SchoolDigest>, Status> {
                Err(Status::unimplemented("not asked by approval"))
            }
        }
    };
}

seal_service!(registry, "registry");
seal_service!(facility, "facility");
