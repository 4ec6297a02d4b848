//! Secrets are changed as `docs/operators/secrets.md` says, step by step, and whoever should notice nothing notices nothing.
use crate::cast::Department;
use crate::ground::{Actor, Data, Ground, wait_for};
use crate::journey::{approve, push, submit, verified};
use crate::ministry::transfer;
use eduhub_cli::generate::School;
use eduhub_cli::hub::Registry;
use eduhub_cli::server::Proof;
use eduhub_proto::bridge::v1::{
    CheckMinistryRequest, MinistryReach, capability_service_client::CapabilityServiceClient,
};
use eduhub_proto::common::v1::{Dataset, GetPositionRequest};
use eduhub_proto::facility::v1::record_service_client::RecordServiceClient as FacilityRecords;
use eduhub_proto::registry::v1::record_service_client::RecordServiceClient;
use eduhub_stack::{Certs, Program};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tonic::{Code, Status};

/// Verifiers ask identity every 15 s.
const KNOWN: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_are_changed_step_by_step_and_nobody_is_locked_out() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("token-keys");
    fs::create_dir(&keys).unwrap();
    fs::copy(new_key(dir.path(), "first"), keys.join("2026-07.pem")).unwrap();
    let token_keys = keys.display().to_string();
    let mut ground = Ground::start(dir.path(), Data::generate(dir.path().join("data")), |config| {
        config.with_env(Program::Identity, "EDUHUB_TOKEN_KEY_FILE", token_keys)
    })
    .await;
    let department = Department::open(&ground).await.unwrap();
    let officer = department.officer_of(ground.school(0)).await.unwrap();
    let client = department.vendor_of(&officer, ground.school(0)).await.unwrap();
    let vendor = ground.sign_in(client.proof()).await.unwrap();
    push::<Registry>(&ground, &vendor, ground.school(0)).await.unwrap();
    verified(&officer, ground.school(0)).await;

    let old = ground.sign_in(client.proof()).await.unwrap();
    let new = next_token_key(&mut ground, &keys, &old, client.proof()).await;
    service_secret(&mut ground).await;
    seal_key(&mut ground).await;
    outside_secrets(&mut ground, &department.admin).await;
    everything_works(&ground, &department, &officer).await;
    drop_token_key(&mut ground, &keys, &old, &new).await;
    certificates(&mut ground).await;
    database_password(&mut ground).await;
    reachable(&ground).await;
    ground.stop().await;
}

/// Whether registry takes the token of a session: a school that is not there is an answer of those who were let in.
async fn taken(actor: &Actor) -> Result<(), Status> {
    let request = GetPositionRequest { school_code: "00000000".into() };
    let asked = RecordServiceClient::new(actor.at(Program::Registry)).get_position(request).await;
    match asked.expect_err("there is no such school") {
        status if status.code() == Code::NotFound => Ok(()),
        status => Err(status),
    }
}

/// `token-keys`: the next key is published, then signs; whoever has a token of the old one keeps it.
async fn next_token_key(ground: &mut Ground, keys: &Path, old: &Actor, proof: Proof) -> Actor {
    fs::copy(new_key(keys.parent().unwrap(), "second"), keys.join("2026-12.next.pem")).unwrap();
    ground.stack.restart(Program::Identity).await.unwrap();
    taken(old).await.unwrap();
    taken(&ground.sign_in(proof.clone()).await.unwrap()).await.unwrap();

    fs::rename(keys.join("2026-12.next.pem"), keys.join("2026-12.pem")).unwrap();
    ground.stack.restart(Program::Identity).await.unwrap();
    let new = ground.sign_in(proof).await.unwrap();
    taken(&new).await.unwrap();
    taken(old).await.unwrap();
    new
}

/// Sooner than after 15 minutes, as when the old key has leaked: all its tokens end, and the new one's do not.
async fn drop_token_key(ground: &mut Ground, keys: &Path, old: &Actor, new: &Actor) {
    fs::remove_file(keys.join("2026-07.pem")).unwrap();
    ground.stack.restart(Program::Identity).await.unwrap();
    wait_for("the old key's token to be refused", KNOWN, || async {
        Ok(taken(old).await.err().filter(|status| status.code() == Code::Unauthenticated))
    })
    .await;
    taken(new).await.unwrap();
}

/// A new authority: both trusted, new certificates, the old one dropped. After each step people and services reach each other.
async fn certificates(ground: &mut Ground) {
    let present = ground.stack.certs().clone();
    let new = Certs::create(&present.ca.with_file_name("new")).unwrap();
    let both = [fs::read(&present.ca).unwrap(), fs::read(&new.ca).unwrap()].concat();
    fs::write(&present.ca, both).unwrap();
    restart_all(ground).await;
    reachable(ground).await;
    fs::copy(&new.cert, &present.cert).unwrap();
    fs::copy(&new.key, &present.key).unwrap();
    // One service has its new certificate, the others theirs of before.
    ground.stack.restart(Program::Registry).await.unwrap();
    reachable(ground).await;
    restart_all(ground).await;
    fs::copy(&new.ca, &present.ca).unwrap();
    restart_all(ground).await;
    reachable(ground).await;
}

/// Facility asks registry whether the school is there, and both ask identity for keys.
async fn reachable(ground: &Ground) {
    let password = fs::read_to_string(ground.stack.secrets().admin_password()).unwrap();
    let admin = ground.sign_in(Proof::officer("admin", password)).await.unwrap();
    taken(&admin).await.unwrap();
    let request = GetPositionRequest { school_code: "00000000".into() };
    let asked = FacilityRecords::new(admin.at(Program::Facility)).get_position(request).await;
    assert_eq!(asked.unwrap_err().code(), Code::NotFound);
}

/// One service's secret: identity first, then the service.
async fn service_secret(ground: &mut Ground) {
    let (file, all) = {
        let secrets = ground.stack.secrets();
        (secrets.service(Program::Registry), secrets.services())
    };
    let old = fs::read_to_string(&file).unwrap();
    let new = old.chars().rev().collect::<String>();
    assert_ne!(old, new);
    fs::write(&all, fs::read_to_string(&all).unwrap().replace(&old, &new)).unwrap();
    fs::write(&file, new).unwrap();
    ground.stack.restart(Program::Identity).await.unwrap();
    ground.stack.restart(Program::Registry).await.unwrap();
}

/// `[[seal]]`: given to everybody first, then used; and the cache's key, which may change at any time.
async fn seal_key(ground: &mut Ground) {
    let file = ground.stack.secrets().vault();
    let text = fs::read_to_string(&file).unwrap();
    let cache = text.lines().find(|line| line.starts_with("cache_hex")).unwrap();
    let cached = text.replace(cache, &format!("cache_hex = \"{}\"", "c0ffee12".repeat(8)));
    let next = format!("{cached}\n[[seal]]\nid = 2\nnext = true\nkey_hex = \"{}\"\n", "0badcafe".repeat(8));
    fs::write(&file, &next).unwrap();
    restart_all(ground).await;
    fs::write(&file, next.replace("next = true\n", "")).unwrap();
    restart_all(ground).await;
}

/// The role's password, then the secret, then the service.
async fn database_password(ground: &mut Ground) {
    let mut launch = ground.stack.launch(Program::Registry).unwrap().clone();
    let url = launch.env.iter_mut().find(|(name, _)| name == "EDUHUB_DATABASE_URL").unwrap();
    let old = url.1.to_str().unwrap().to_owned();
    let (role, password) =
        old.split_once("://").unwrap().1.split_once('@').unwrap().0.split_once(':').unwrap();
    let server = sqlx::PgPool::connect(&ground.stack.database().superuser_url()).await.unwrap();
    let change = format!("alter role {role} password 'another-{password}'");
    sqlx::raw_sql(sqlx::AssertSqlSafe(change)).execute(&server).await.unwrap();
    url.1 = old.replace(&format!(":{password}@"), &format!(":another-{password}@")).into();
    ground.stack.replace(Program::Registry, launch).await.unwrap();
}

/// The Ministry and the population database have new secrets for us: a refusal is told apart from a Ministry that is away, and both
/// are mended by a restart.
async fn outside_secrets(ground: &mut Ground, admin: &Actor) {
    let mut launch = ground.stack.launch(Program::Simulators).unwrap().clone();
    let (secrets, new) = (ground.stack.secrets().clone(), "another one from outside");
    for name in ["MINISTRY_CLIENT_SECRET", "NPD_API_KEY"] {
        launch.env.push((format!("EDUHUB_SIMULATORS_{name}"), new.into()));
    }
    ground.stack.replace(Program::Simulators, launch).await.unwrap();
    assert_eq!(reach(admin).await, MinistryReach::Refused);
    fs::write(secrets.ministry_client(), new).unwrap();
    fs::write(secrets.npd_api_key(), new).unwrap();
    ground.stack.restart(Program::Bridge).await.unwrap();
    ground.stack.restart(Program::Identity).await.unwrap();
    assert_eq!(reach(admin).await, MinistryReach::Answers);
}

async fn reach(admin: &Actor) -> MinistryReach {
    let mut bridge = CapabilityServiceClient::new(admin.at(Program::Bridge));
    bridge.check_ministry(CheckMinistryRequest {}).await.unwrap().into_inner().reach()
}

/// What was sealed under the first key goes to the Ministry; what comes now is sealed under the second, and is verified, which takes
/// registry's new secret.
async fn everything_works(ground: &Ground, department: &Department, officer: &Actor) {
    let (old, new): (&School, &School) = (ground.school(0), ground.school(1));
    let submission = submit(ground, officer, old, Dataset::Pupils).await.unwrap();
    let (approved, _) = approve(department, submission).await.unwrap();
    transfer(officer, &approved).await.unwrap();

    let officer = department.officer_of(new).await.unwrap();
    let client = department.vendor_of(&officer, new).await.unwrap();
    let vendor = ground.sign_in(client.proof()).await.unwrap();
    push::<Registry>(ground, &vendor, new).await.unwrap();
    verified(&officer, new).await;
    let pool = sqlx::PgPool::connect(&ground.stack.database().superuser_url()).await.unwrap();
    let keys: Vec<(String, i32)> = sqlx::query_as(
        "select distinct school_code, get_byte(secret, 0) from registry.pupil_record where secret is not null order by 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(keys, [(old.school_code.clone(), 1), (new.school_code.clone(), 2)]);
}

async fn restart_all(ground: &mut Ground) {
    for program in Program::SERVICES {
        ground.stack.restart(program).await.unwrap();
    }
}

/// A P-256 key in a file of its own.
fn new_key(dir: &Path, name: &str) -> PathBuf {
    Certs::create(&dir.join(name)).unwrap().key
}
