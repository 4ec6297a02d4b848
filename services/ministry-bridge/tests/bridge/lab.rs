//! One running bridge on a database of its own, with everybody it talks to.

use std::future::Future;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use eduhub_auth::testing::{Persona, TokenMint};
use eduhub_cache::Cache;
use eduhub_doubles::{CodeLists, Door, Schools, Seals};
use eduhub_faults::{Reason, reason_of};
use eduhub_ministry_bridge::app;
use eduhub_ministry_bridge::config::{Initiator, WorkSettings};
use eduhub_ministry_bridge::core::Core;
use eduhub_ministry_bridge::ministry::{Ministry, MinistryConfig};
use eduhub_ministry_bridge::peers::Peers;
use eduhub_ministry_bridge::schema::MIGRATOR;
use eduhub_proto::approval::v1::submission_service_server::SubmissionServiceServer;
use eduhub_proto::approval::v1::{Submission, SubmissionState};
use eduhub_proto::bridge::v1 as pb;
use eduhub_proto::common::v1::{Dataset, Level, Period};
use eduhub_proto::facility::v1 as facility;
use eduhub_proto::registry::v1::code_list_service_server::CodeListServiceServer;
use eduhub_proto::registry::v1::school_service_server::SchoolServiceServer;
use eduhub_proto::registry::v1::{self as registry, Change, SchoolEntry};
use eduhub_runtime::client::GrpcChannel;
use eduhub_runtime::config::ServerConfig;
use eduhub_testkit::{Database, Running, Served};
use eduhub_vault::{KeyFile, Vault};
use pb::capability_service_client::CapabilityServiceClient;
use pb::reconcile_service_client::ReconcileServiceClient;
use pb::transfer_service_client::TransferServiceClient;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::metadata::AsciiMetadataValue;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::approval::Approval;
use crate::data::{COMMUNE, SCHOOL, YEAR};

pub const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Fields are dropped in order: the database last.
pub struct Lab {
    pub approval: Approval,
    pub schools: Schools,
    pub codes: CodeLists,
    pub seals: Seals,
    pub mint: TokenMint,
    pub pool: PgPool,
    pub core: Core,
    pub workers: JoinSet<()>,
    channel: GrpcChannel,
    simulator: Option<eduhub_simulators::Handle>,
    http: reqwest::Client,
    _running: Running,
    _peers: Served,
    _db: Database,
}

/// Everything quick: a test's patience is seconds.
pub fn quick() -> WorkSettings {
    WorkSettings {
        initiator: Initiator::Unit,
        workers: 3,
        batch: 100,
        lease: Duration::from_secs(20),
        max_attempts: 6,
        retry: Duration::from_millis(10),
        retry_cap: Duration::from_millis(80),
        poll: Duration::from_millis(15),
    }
}

impl Lab {
    /// Against the simulated Ministry.
    pub async fn start() -> Self {
        Self::with(quick()).await
    }

    pub async fn with(settings: WorkSettings) -> Self {
        let config = eduhub_simulators::Config::new("bridge-client", "bridge-secret", "npd");
        let simulator = eduhub_simulators::start(config).await.unwrap();
        let url = format!("{}/moet", simulator.base_url());
        let mut lab = Self::at(settings, &url, Duration::from_millis(1_500)).await;
        lab.simulator = Some(simulator);
        lab
    }

    /// Against any Ministry.
    pub async fn at(settings: WorkSettings, ministry_url: &str, timeout: Duration) -> Self {
        let migrate = async |db: &Database| eduhub_pg::migrate(&db.pool().await, &MIGRATOR).await.unwrap();
        let db = Database::prepared("bridge", migrate).await;
        let pool = db.pool().await;
        let mint = TokenMint::new().unwrap();
        let door = || Door::for_service(mint.clone(), "bridge");
        let (approval, schools) = (Approval::new(door()), Schools::new(door()));
        let (codes, seals) = (CodeLists::new(door()), Seals::new(door()));
        let peers = serve(&approval, &schools, &codes, &seals).await;
        let own = mint.service_identity("bridge");
        let core = Core {
            pool: pool.clone(),
            vault: Arc::new(Vault::new(KeyFile::parse(&eduhub_vault::generate().unwrap()).unwrap()).unwrap()),
            cache: Cache::connect(None, "bridge", &[7; 32]),
            peers: Peers::new(&own, peers.channel(), peers.channel(), peers.channel()),
            ministry: Arc::new(Ministry::new(ministry(ministry_url, timeout)).unwrap()),
            settings: Arc::new(settings),
            wake: Arc::default(),
        };
        mint.verifier().ready().await;
        let server =
            app::server(ServerConfig::for_tests(), core.clone(), mint.verifier(), CancellationToken::new());
        let running = Running::start(server.unwrap()).await;
        let workers = app::workers(&core, &CancellationToken::new());
        let lab = Self {
            approval,
            schools,
            codes,
            seals,
            mint,
            pool,
            core,
            workers,
            channel: running.channel(),
            simulator: None,
            http: reqwest::Client::new(),
            _running: running,
            _peers: peers,
            _db: db,
        };
        let entry = SchoolEntry {
            school_code: SCHOOL.to_owned(),
            name: "Trường THCS Hoa Lư".to_owned(),
            level: Level::LowerSecondary as i32,
            commune_code: COMMUNE.to_owned(),
            province_code: "37".to_owned(),
            ..SchoolEntry::default()
        };
        lab.schools.state().put(entry);
        lab
    }

    pub fn transfers(&self) -> TransferServiceClient<GrpcChannel> {
        TransferServiceClient::new(self.channel.clone())
    }

    pub fn reconciliations(&self) -> ReconcileServiceClient<GrpcChannel> {
        ReconcileServiceClient::new(self.channel.clone())
    }

    pub fn capabilities(&self) -> CapabilityServiceClient<GrpcChannel> {
        CapabilityServiceClient::new(self.channel.clone())
    }

    /// `message` as sent by `persona`.
    pub fn by<T>(&self, persona: &Persona, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.bearer(persona));
        request
    }

    /// The value of `authorization` of `persona`.
    pub fn bearer(&self, persona: &Persona) -> AsciiMetadataValue {
        self.mint.bearer(persona).unwrap()
    }

    /// As sent by an officer of [`SCHOOL`].
    pub fn by_school<T>(&self, message: T) -> Request<T> {
        self.by(&Persona::school_officer(SCHOOL), message)
    }

    /// An approved submission of these sealed records.
    pub fn approved(&self, dataset: Dataset, records: Vec<Change>) -> Uuid {
        let id = self.submission(dataset, SubmissionState::Approved);
        self.seals.state().records.insert(id.to_string(), records);
        id
    }

    pub fn submission(&self, dataset: Dataset, state: SubmissionState) -> Uuid {
        let id = Uuid::now_v7();
        let submission = Submission {
            submission_id: id.to_string(),
            school_code: SCHOOL.to_owned(),
            school_name: "Trường THCS Hoa Lư".to_owned(),
            commune_code: COMMUNE.to_owned(),
            level: Level::LowerSecondary as i32,
            school_year: YEAR,
            period: Period::StartOfYear as i32,
            dataset: dataset as i32,
            state: state as i32,
            traceparent: TRACEPARENT.to_owned(),
            ..Submission::default()
        };
        self.approval.state().submissions.insert(id.to_string(), submission);
        id
    }

    pub async fn start_transfer(&self, submission: Uuid) -> pb::Transfer {
        let request = pb::StartTransferRequest {
            transfer_id: Uuid::now_v7().to_string(),
            submission_id: submission.to_string(),
        };
        self.transfers().start_transfer(self.by_school(request)).await.unwrap().into_inner()
    }

    pub async fn get(&self, transfer_id: &str) -> pb::Transfer {
        let request = pb::GetTransferRequest { transfer_id: transfer_id.to_owned() };
        self.transfers().get_transfer(self.by_school(request)).await.unwrap().into_inner()
    }

    /// The transfer once it is in `state`.
    pub async fn in_state(&self, transfer_id: &str, state: pb::TransferState) -> pb::Transfer {
        let seen = || async {
            let transfer = self.get(transfer_id).await;
            (transfer.state() == state).then_some(transfer)
        };
        until(&format!("{state:?}"), seen).await
    }

    /// Transfers pupils, staff or results, and waits until all is final.
    pub async fn transferred(&self, dataset: Dataset, records: Vec<Change>) -> pb::Transfer {
        let started = self.start_transfer(self.approved(dataset, records)).await;
        self.in_state(&started.transfer_id, pb::TransferState::Done).await
    }

    /// The whole ledger of a transfer, read in pages of 13.
    pub async fn ledger(&self, transfer_id: &str) -> Vec<pb::LedgerEntry> {
        let mut all = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ListLedgerRequest {
                transfer_id: transfer_id.to_owned(),
                page_size: 13,
                page_token,
                ..pb::ListLedgerRequest::default()
            };
            let page = self.transfers().list_ledger(self.by_school(request)).await.unwrap().into_inner();
            all.extend(page.entries);
            if page.next_page_token.is_empty() {
                return all;
            }
            page_token = page.next_page_token;
        }
    }

    /// Puts a fault plan into the simulator.
    pub async fn faults(&self, plan: Value) {
        let response = self.http.post(self.control("faults")).json(&plan).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
    }

    pub async fn expire_tokens(&self) {
        self.http.post(self.control("tokens/expire")).send().await.unwrap();
    }

    /// What the simulator says of itself.
    pub async fn ministry(&self) -> Value {
        self.http.get(self.control("state")).send().await.unwrap().json().await.unwrap()
    }

    /// Records that the simulated Ministry holds of a type.
    pub async fn held(&self, kind: i32) -> u64 {
        self.ministry().await["held"][SCHOOL][kind.to_string()].as_u64().unwrap_or(0)
    }

    fn control(&self, path: &str) -> String {
        format!("{}/control/{path}", self.simulator.as_ref().unwrap().base_url())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.workers.abort_all();
    }
}

/// Asks until there is an answer; a test that waits longer than 20 s has failed.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let asked = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asked)
        .await
        .unwrap_or_else(|_| panic!("waited for {what} in vain"))
}

/// Records in a state.
pub fn count(transfer: &pb::Transfer, state: pb::LedgerState) -> u64 {
    transfer.counts.iter().find(|count| count.state() == state).map_or(0, |count| count.records)
}

/// The refusal's code and reason.
pub fn refused<T>(answer: Result<Response<T>, Status>) -> (Code, Reason) {
    let status = answer.err().expect("was not refused");
    (status.code(), reason_of(&status).unwrap_or(Reason::Unspecified))
}

/// A plan with faults of one endpoint.
pub fn endpoint(name: &str, plan: Value) -> Value {
    json!({ "endpoints": { name: plan } })
}

fn ministry(url: &str, timeout: Duration) -> MinistryConfig {
    MinistryConfig {
        url: url.parse().unwrap(),
        client_id: "bridge-client".to_owned(),
        client_secret: "bridge-secret".into(),
        ca_pem: None,
        timeout,
        rate: NonZeroU32::new(500).unwrap(),
        breaker_failures: 6,
        breaker_pause: Duration::from_millis(100),
    }
}

async fn serve(approval: &Approval, schools: &Schools, codes: &CodeLists, seals: &Seals) -> Served {
    let routes = Routes::new(SubmissionServiceServer::new(approval.clone()))
        .add_service(SchoolServiceServer::new(schools.clone()))
        .add_service(CodeListServiceServer::new(codes.clone()))
        .add_service(registry::seal_service_server::SealServiceServer::new(seals.clone()))
        .add_service(facility::seal_service_server::SealServiceServer::new(seals.clone()));
    Served::start(routes).await
}
