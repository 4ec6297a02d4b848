//! One running approval on a database of its own, with everybody who calls it.

use std::future::Future;

use eduhub_approval::app::{self, Parts};
use eduhub_approval::schema::MIGRATOR;
use eduhub_auth::testing::{Persona, TokenMint};
use eduhub_cache::Cache;
use eduhub_faults::{Reason, reason_of};
use eduhub_proto::approval::v1::route_service_client::RouteServiceClient;
use eduhub_proto::approval::v1::submission_service_client::SubmissionServiceClient;
use eduhub_proto::approval::v1::{DecideRequest, DecisionKind, Submission, SubmitRequest};
use eduhub_proto::common::v1::{Dataset, Level, Period};
use eduhub_proto::registry::v1::SchoolEntry;
use eduhub_runtime::client::{self, ClientTls, GrpcChannel};
use eduhub_runtime::config::{DbSettings, ServerConfig};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::fakes::Fakes;

pub const PRIMARY: &str = "37000201";
pub const COMMUNE: &str = "14329";

pub struct Lab {
    pub fakes: Fakes,
    pub mint: TokenMint,
    pub pool: PgPool,
    pub channel: GrpcChannel,
    database: String,
}

impl Lab {
    /// Starts with one primary school, [`PRIMARY`], under the commune [`COMMUNE`].
    pub async fn start() -> Self {
        let (database, pool) = database().await;
        let mint = TokenMint::new().unwrap();
        let fakes = Fakes::new(mint.clone());
        let peers = serve_peers(&fakes).await;
        let own = mint.service_identity("approval");
        let parts = Parts {
            pool: pool.clone(),
            cache: Cache::connect(None, "approval", &[7; 32]).unwrap(),
            verifier: mint.verifier(),
            registry: own.channel(peers.clone()),
            facility: own.channel(peers),
        };
        mint.verifier().ready().await;
        let bound = app::server(ServerConfig::for_tests(), parts).unwrap().bind().await.unwrap();
        let channel = plain(bound.local_addr().port());
        tokio::spawn(bound.serve(std::future::pending()));
        let lab = Self { fakes, mint, pool, channel, database };
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
        };
        self.fakes.world.lock().unwrap().schools.insert(code.to_owned(), entry);
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

impl Drop for Lab {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.database);
        // Not on this runtime: it ends with the test.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut admin = PgConnection::connect(&admin_url()).await.unwrap();
                let sql = AssertSqlSafe(format!("drop database if exists {name} with (force)"));
                admin.execute(sql).await.unwrap();
            });
        });
        let _ = dropping.join();
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

async fn serve_peers(fakes: &Fakes) -> GrpcChannel {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let serving =
        tonic::transport::Server::builder().add_routes(fakes.routes()).serve_with_incoming(incoming);
    tokio::spawn(serving);
    plain(port)
}

fn plain(port: u16) -> GrpcChannel {
    client::channel(&format!("http://127.0.0.1:{port}"), &ClientTls::default()).unwrap()
}

fn admin_url() -> String {
    std::env::var("EDUHUB_TEST_DATABASE_URL")
        .expect("set EDUHUB_TEST_DATABASE_URL to a PostgreSQL server on which databases may be created")
}

async fn database() -> (String, PgPool) {
    let name = format!("approval_{}", Uuid::now_v7().simple());
    let mut admin = PgConnection::connect(&admin_url()).await.unwrap();
    admin.execute(AssertSqlSafe(format!("create database {name}"))).await.unwrap();
    let (base, _) = admin_url().rsplit_once('/').map(|(b, d)| (b.to_owned(), d.to_owned())).unwrap();
    let mut settings = DbSettings::for_url(format!("{base}/{name}"), "approval-test");
    settings.schema = Some("approval".to_owned());
    let pool = eduhub_pg::connect(&settings).await.unwrap();
    eduhub_pg::migrate(&pool, &MIGRATOR).await.unwrap();
    eduhub_pg::check_schema(&pool, &MIGRATOR).await.unwrap();
    (name, pool)
}
