//! The real program, killed between batches and in the middle of one; its client resumes.
use crate::{
    hub::YEAR,
    identity::Identity,
    make::{self, Wrap},
    pushing::{Pushing, batch, counted, end_of, patch},
};
use eduhub_auth::testing::Persona;
use eduhub_proto::registry::v1::{
    PushBatch, RegisterSchoolsRequest, ingest_service_client::IngestServiceClient,
    school_service_client::SchoolServiceClient,
};
use eduhub_runtime::client::{ClientTls, channel};
use eduhub_stack::{Launch, Process, Warden, bin_dir, free_ports};
use eduhub_testkit::{BearerChannel, Database, eventually, vault_file, with_bearer};
use std::{ffi::OsString, sync::Arc, time::Duration};
use tonic::{Code, Status};

const PATIENCE: Duration = Duration::from_secs(30);

struct Program {
    process: Process,
    identity: Identity,
    url: String,
    warden: Arc<Warden>,
    _identity: eduhub_testkit::Running,
    db: Database,
    _dir: tempfile::TempDir,
}

impl Program {
    async fn start() -> Self {
        let (db, dir) = (Database::create("kill").await, tempfile::tempdir().unwrap());
        let identity = Identity::new();
        let serving = identity.serve().await;
        let vault = dir.path().join("vault.toml");
        std::fs::write(&vault, vault_file()).unwrap();
        let address = free_ports(1).unwrap()[0];
        let receipt_key = dir.path().join("receipt-key.pem");
        std::fs::write(&receipt_key, rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
        let env: [(&str, OsString); 7] = [
            ("EDUHUB_REGISTRY_DATABASE_URL", db.url().into()),
            ("EDUHUB_REGISTRY_IDENTITY_URL", serving.url().into()),
            ("EDUHUB_REGISTRY_SERVICE_SECRET", "of a test".into()),
            ("EDUHUB_REGISTRY_VAULT_FILE", vault.into()),
            ("EDUHUB_REGISTRY_RECEIPT_KEY_FILE", receipt_key.into()),
            ("EDUHUB_REGISTRY_TODAY", "2026-11-22".into()),
            ("EDUHUB_REGISTRY_LISTEN", address.to_string().into()),
        ];
        let mut launch = Launch {
            name: "eduhub-registry".into(),
            program: bin_dir(None).unwrap().join("eduhub-registry"),
            args: vec!["migrate".into()],
            env: env.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            log: dir.path().join("registry.log"),
        };
        assert!(
            launch.program.is_file(),
            "{} is not built; scripts/test builds it",
            launch.program.display()
        );
        let warden = Arc::new(Warden::start().unwrap());
        launch.run(PATIENCE, &warden).await.unwrap();
        launch.args = vec!["serve".into()];
        let process = Process::start(launch, PATIENCE, &warden).await.unwrap();
        let url = format!("http://{address}");
        Self { process, identity, url, warden, _identity: serving, db, _dir: dir }
    }

    /// SIGKILL, then the same program on the same port.
    async fn kill_and_restart(&mut self) {
        self.process.kill().await.unwrap();
        self.process = Process::start(self.process.launch().clone(), PATIENCE, &self.warden).await.unwrap();
    }

    fn channel(&self, persona: &Persona) -> BearerChannel {
        let bearer = format!("Bearer {}", self.identity.signer.sign(&persona.0).unwrap()).parse().unwrap();
        with_bearer(channel(&self.url, &ClientTls::default()).unwrap(), bearer)
    }

    fn ingest(&self, persona: &Persona) -> IngestServiceClient<BearerChannel> {
        IngestServiceClient::new(self.channel(persona))
    }
}

fn batches(schools: u32) -> Vec<PushBatch> {
    let of = |b: u32| (0..300).map(move |i| make::pupil(schools * 10_000 + b * 300 + i).wrap()).collect();
    (1..=6).map(|b| batch(b, of(b))).collect()
}

#[tokio::test]
async fn a_push_survives_sigkill_between_batches_and_within_them() {
    let mut program = Program::start().await;
    let schools = RegisterSchoolsRequest {
        schools: vec![crate::hub::school(crate::hub::SCHOOL, "14329")],
        ..Default::default()
    };
    SchoolServiceClient::new(program.channel(&Persona::admin())).register_schools(schools).await.unwrap();
    let (vendor, open, all) = (Persona::vendor(crate::hub::SCHOOL), patch(crate::hub::SCHOOL), batches(1));
    assert_eq!(open.school_year, YEAR);

    let (mut stream, _) = Pushing::open(program.ingest(&vendor), open.clone()).await.unwrap();
    let first = stream.batch(all[0].clone()).await.unwrap();
    program.kill_and_restart().await;
    let lost = stream.batch(all[1].clone()).await.unwrap_err();
    assert!(
        matches!(lost.code(), Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal),
        "{lost:?}"
    );

    // Resumed; killed again while the next two are on the way.
    let (mut stream, welcome) = again(&program, &vendor, &open).await;
    assert_eq!(welcome, 1);
    assert_eq!(stream.batch(all[0].clone()).await.unwrap(), first, "the same answer from another process");
    for b in &all[1..3] {
        stream.send(b.clone()).await;
    }
    program.kill_and_restart().await;

    let (mut stream, welcome) = again(&program, &vendor, &open).await;
    assert!((1..=3).contains(&welcome), "{welcome}");
    for b in &all[welcome..] {
        stream.batch(b.clone()).await.unwrap();
    }
    let receipt = stream.end(end_of(&all)).await.unwrap();
    assert_eq!(counted(&receipt.totals), [1_800, 0, 0, 0, 0, 0, 0, 0]);
    let pool = program.db.pool().await;
    let log: (i64, i64) = sqlx::query_as("select count(*), count(distinct record_key) from change_log")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(log, (1_800, 1_800), "nothing lost, nothing doubled");
}

/// Opens again, as often as a client would until the server answers.
async fn again(
    program: &Program,
    vendor: &Persona,
    open: &eduhub_proto::common::v1::PushOpen,
) -> (Pushing, usize) {
    eventually(PATIENCE, || async {
        let opened: Result<_, Status> = Pushing::open(program.ingest(vendor), open.clone()).await;
        opened.ok().map(|(stream, welcome)| (stream, welcome.last_batch as usize))
    })
    .await
}
