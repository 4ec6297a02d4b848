//! Seals of registry and facility.
use crate::{Door, page};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{
    DiffPage, DiffSealRequest, GetSealRequest, Kind, KindCount, ListSealedRequest, SchoolDigest,
    SchoolDigestRequest, Seal, SealRequest,
};
use eduhub_proto::{facility::v1 as facility, registry::v1 as registry};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
};
use tonic::{Request, Response, Status};

/// Records in one page, so that every walk over a seal has several.
const PAGE: usize = 7;

/// Trace of the last push into what every seal fixes.
pub const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// What the double knows, and how it behaves.
#[derive(Default)]
pub struct SealState {
    /// Seals that were made, by id, with the service that made them.
    pub made: HashMap<String, (&'static str, Seal)>,
    /// Calls of CreateSeal, repetitions included.
    pub calls: usize,
    /// Records that the next seal says are held.
    pub held: u64,
    /// Whether the next seal has no record.
    pub empty: bool,
    /// Whether the school year is closed.
    pub year_closed: bool,
    /// Seal ids whose answer is lost after the seal was made, once.
    pub lose_answer: HashSet<String>,
    /// Registry's sealed records by seal id.
    pub records: HashMap<String, Vec<registry::Change>>,
    /// Facility's sealed records by seal id.
    pub rooms: HashMap<String, Vec<facility::Change>>,
}

impl SealState {
    fn make(&mut self, owner: &'static str, asked: &SealRequest) -> Result<Seal, Status> {
        self.calls += 1;
        if self.year_closed {
            return Err(Fault::new(Reason::SchoolYearClosed).into());
        }
        let (held, count) = (self.held, if self.empty { 0 } else { 412 });
        let new = || (owner, new_seal(asked, held, count));
        let seal = self.made.entry(asked.seal_id.clone()).or_insert_with(new).1.clone();
        if self.lose_answer.remove(&asked.seal_id) {
            return Err(Status::unavailable("connection reset"));
        }
        Ok(seal)
    }
}

/// A seal whose digest is of its id: it changes with every new id, as a live school's would.
fn new_seal(asked: &SealRequest, held: u64, count: u64) -> Seal {
    let mut digest = asked.seal_id.replace('-', "").into_bytes();
    digest.truncate(32);
    Seal {
        seal_id: asked.seal_id.clone(),
        school_code: asked.school_code.clone(),
        school_year: asked.school_year,
        dataset: asked.dataset,
        counts: vec![KindCount { kind: Kind::Pupil as i32, count }],
        digest,
        sealed_at: None,
        held,
        open_issues: 3,
        traceparent: TRACEPARENT.to_owned(),
    }
}

/// Double of both `SealService`s, registry's and facility's: makes seals, and lists sealed records.
#[derive(Clone)]
pub struct Seals {
    door: Door,
    state: Arc<Mutex<SealState>>,
}

impl Seals {
    /// None yet.
    pub fn new(door: Door) -> Self {
        Self { door, state: Arc::default() }
    }

    /// What it knows now.
    pub fn state(&self) -> MutexGuard<'_, SealState> {
        self.state.lock().unwrap()
    }
}

macro_rules! seal_service {
    ($package:ident, $owner:literal, $records:ident) => {
        #[tonic::async_trait]
        impl $package::seal_service_server::SealService for Seals {
            async fn create_seal(&self, request: Request<SealRequest>) -> Result<Response<Seal>, Status> {
                self.door.lets_in(&request).await?;
                self.state().make($owner, request.get_ref()).map(Response::new)
            }

            async fn list_sealed(
                &self,
                request: Request<ListSealedRequest>,
            ) -> Result<Response<$package::RecordPage>, Status> {
                self.door.lets_in(&request).await?;
                let asked = request.into_inner();
                let state = self.state();
                let all = state.$records.get(&asked.seal_id).ok_or_else(|| Fault::new(Reason::NotFound))?;
                let of_kind: Vec<_> =
                    all.iter().filter(|c| c.header.as_ref().unwrap().kind == asked.kind).cloned().collect();
                let (records, next_page_token) = page(&of_kind, &asked.page_token, PAGE);
                Ok(Response::new($package::RecordPage { records, next_page_token }))
            }

            async fn get_seal(&self, _: Request<GetSealRequest>) -> Result<Response<Seal>, Status> {
                Err(Status::unimplemented("no service reads the head of a seal"))
            }

            async fn diff_seal(&self, _: Request<DiffSealRequest>) -> Result<Response<DiffPage>, Status> {
                Err(Status::unimplemented("no service compares seals"))
            }

            async fn get_school_digest(
                &self,
                _: Request<SchoolDigestRequest>,
            ) -> Result<Response<SchoolDigest>, Status> {
                Err(Status::unimplemented("no service compares copies"))
            }
        }
    };
}

seal_service!(registry, "registry", records);
seal_service!(facility, "facility", rooms);
