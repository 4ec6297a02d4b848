//! One running approval on a database of its own, with everybody who calls it.

use std::future::Future;

use eduhub_approval::app::{self, Parts};
use eduhub_approval::schema::MIGRATOR;
use eduhub_auth::testing::{Persona, TokenMint};
use eduhub_cache::Cache;
use eduhub_doubles::{Door, Schools, Seals};
use eduhub_faults::{Reason, reason_of};
use eduhub_proto::approval::v1::route_service_client::RouteServiceClient;
use eduhub_proto::approval::v1::submission_service_client::SubmissionServiceClient;
use eduhub_proto::approval::v1::{DecideRequest, DecisionKind, Submission, SubmitRequest};
use eduhub_proto::common::v1::{Dataset, Level, Period};
use eduhub_proto::facility::v1 as facility;
use eduhub_proto::registry::v1::school_service_server::SchoolServiceServer;
use eduhub_proto::registry::v1::{self as registry, SchoolEntry};
use eduhub_runtime::client::GrpcChannel;
use eduhub_runtime::config::{DbSettings, ServerConfig};
use eduhub_testkit::{Database, Running, Served};
use sqlx::PgPool;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

pub const PRIMARY: &str = "37000201";
pub const COMMUNE: &str = "14329";

/// Fields are dropped in order: the database last.
pub struct Lab {
    /// Of the doubles of registry and facility.
    pub door: Door,
    pub schools: Schools,
    pub seals: Seals,
    pub mint: TokenMint,
    pub pool: PgPool,
    pub channel: GrpcChannel,
    _running: Running,
    _peers: Served,
    _db: Database,
}

impl Lab {
    /// Starts with one primary school, [`PRIMARY`], under the commune [`COMMUNE`].
    pub async fn start() -> Self {
        let migrate = async |db: &Database| eduhub_pg::migrate(&connect(db).await, &MIGRATOR).await.unwrap();
        let db = Database::prepared("approval", migrate).await;
        let pool = connect(&db).await;
        let mint = TokenMint::new().unwrap();
        let door = Door::for_service(mint.clone(), "approval");
        let (schools, seals) = (Schools::new(door.clone()), Seals::new(door.clone()));
        let peers = serve(&schools, &seals).await;
        let own = mint.service_identity("approval");
        let parts = Parts {
            pool: pool.clone(),
            cache: Cache::connect(None, "approval", &[7; 32]),
            verifier: mint.verifier(),
            registry: own.channel(peers.channel()),
            facility: own.channel(peers.channel()),
        };
        mint.verifier().ready().await;
        let running = Running::start(app::server(ServerConfig::for_tests(), parts).unwrap()).await;
        let channel = running.channel();
        let lab =
            Self { door, schools, seals, mint, pool, channel, _running: running, _peers: peers, _db: db };
        lab.school(PRIMARY, Level::Primary, COMMUNE, false, false);
        lab
    }

    pub fn school(&self, code: &str, level: Level, commune: &str, directly_managed: bool, independent: bool) {
        let entry = SchoolEntry {
            school_code: code.to_owned(),
            name: format!("Trường {code}"),
            level: level as i32,
            commune_code: commune.to_owned(),
            province_code: "37".to_owned(),
            directly_managed,
            independent_group: independent,
            ..SchoolEntry::default()
        };
        self.schools.state().put(entry);
    }

    pub fn submissions(&self) -> SubmissionServiceClient<GrpcChannel> {
        SubmissionServiceClient::new(self.channel.clone())
    }

    pub fn routes(&self) -> RouteServiceClient<GrpcChannel> {
        RouteServiceClient::new(self.channel.clone())
    }

    /// `message` as sent by `persona`.
    pub fn by<T>(&self, persona: &Persona, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.mint.bearer(persona).unwrap());
        request
    }

    pub async fn submit(&self, request: SubmitRequest) -> Result<Submission, Status> {
        let officer = Persona::school_officer(&request.school_code);
        self.submissions().submit(self.by(&officer, request)).await.map(Response::into_inner)
    }

    /// A submission of [`PRIMARY`]'s pupils, under review.
    pub async fn submitted(&self) -> Submission {
        self.submit(submission(PRIMARY, Dataset::Pupils)).await.unwrap()
    }

    pub async fn decide(&self, by: &Persona, request: DecideRequest) -> Result<Submission, Status> {
        self.submissions().decide(self.by(by, request)).await.map(Response::into_inner)
    }

    /// Lets the office of the current step approve, until the submission is approved.
    pub async fn approve_all(&self, mut submission: Submission) -> Submission {
        while submission.current_step > 0 {
            let step = &submission.steps[usize::try_from(submission.current_step).unwrap() - 1];
            let by = reviewer(&step.office);
            submission = self.decide(&by, approve(&submission)).await.unwrap();
        }
        submission
    }
}

pub fn reviewer(office: &str) -> Persona {
    if office.starts_with("DIV_") {
        Persona::division_reviewer(office)
    } else {
        Persona::commune_reviewer(office)
    }
}

pub fn submission(school_code: &str, dataset: Dataset) -> SubmitRequest {
    SubmitRequest {
        submission_id: Uuid::now_v7().to_string(),
        school_code: school_code.to_owned(),
        school_year: 2026,
        period: Period::StartOfYear as i32,
        dataset: dataset as i32,
        checked_statement: "Tôi đã kiểm tra".to_owned(),
        accept_held: false,
    }
}

/// The approval of the current step, as a reviewer who was shown this submission would send it.
pub fn approve(shown: &Submission) -> DecideRequest {
    DecideRequest {
        submission_id: shown.submission_id.clone(),
        step_no: shown.current_step,
        decision: DecisionKind::Approve as i32,
        digest: shown.seal.clone().unwrap().digest,
        comment: String::new(),
        record_reasons: vec![],
    }
}

/// The return of the current step.
pub fn send_back(shown: &Submission, comment: &str) -> DecideRequest {
    DecideRequest { decision: DecisionKind::Return as i32, comment: comment.to_owned(), ..approve(shown) }
}

/// Code and reason of a refusal.
pub fn refusal<T: std::fmt::Debug>(outcome: Result<T, Status>) -> (Code, Reason) {
    let status = outcome.expect_err("refused");
    (status.code(), reason_of(&status).unwrap_or_else(|| panic!("no reason in {status:?}")))
}

pub fn metadata(status: &Status, key: &str) -> String {
    let info = tonic_types::StatusExt::get_details_error_info(status).expect("ErrorInfo");
    info.metadata.get(key).cloned().unwrap_or_default()
}

/// Fields that a request violates.
pub fn violated(status: &Status) -> Vec<String> {
    let bad = tonic_types::StatusExt::get_details_bad_request(status).expect("BadRequest");
    bad.field_violations.into_iter().map(|v| v.field).collect()
}

/// What `all` gives, run at once.
pub async fn at_once<F>(all: Vec<F>) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let running: Vec<_> = all.into_iter().map(tokio::spawn).collect();
    let mut done = Vec::new();
    for one in running {
        done.push(one.await.unwrap());
    }
    done
}

async fn serve(schools: &Schools, seals: &Seals) -> Served {
    let routes = Routes::new(SchoolServiceServer::new(schools.clone()))
        .add_service(registry::seal_service_server::SealServiceServer::new(seals.clone()))
        .add_service(facility::seal_service_server::SealServiceServer::new(seals.clone()));
    Served::start(routes).await
}

async fn connect(db: &Database) -> PgPool {
    let mut settings = DbSettings::for_url(db.url(), "approval-test");
    settings.schema = Some("approval".to_owned());
    eduhub_pg::connect(&settings).await.unwrap()
}
