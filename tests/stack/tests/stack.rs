//! The life of a stack, with `program.sh` in the place of every program: who gets what, who is started again, and
//! that nothing is left. The real programs are started by the tests of the journeys.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::Path;

use eduhub_stack::{Program, Stack, StackConfig};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

/// The server that `scripts/test` starts.
fn server() -> String {
    std::env::var("EDUHUB_TEST_DATABASE_URL")
        .expect("EDUHUB_TEST_DATABASE_URL: run the tests by scripts/test")
}

fn config(dir: &TempDir) -> StackConfig {
    let bin = dir.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    for program in Program::ALL {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program.sh");
        symlink(script, bin.join(program.binary())).unwrap();
    }
    let mut config = StackConfig::new(server(), dir.path().join("run"));
    config.bin_dir = Some(bin);
    config
}

fn log(dir: &TempDir, program: Program) -> String {
    std::fs::read_to_string(dir.path().join("run/logs").join(format!("{program}.log"))).unwrap()
}

/// The value of a variable in the log of a program: each run prints its environment.
fn variable(dir: &TempDir, program: Program, name: &str) -> Option<String> {
    let prefix = format!("{name}=");
    log(dir, program).lines().find_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
}

async fn databases_named(name: &str) -> i64 {
    let mut connection = PgConnection::connect(&server()).await.unwrap();
    let query =
        sqlx::query_scalar("select count(*) from pg_database where datname = $1").bind(name.to_owned());
    query.fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn every_program_gets_what_it_needs_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir).with_env(Program::Registry, "EDUHUB_LISTEN_EXTRA", "yes");
    let stack = Stack::start(config).await.unwrap();

    let addresses: BTreeSet<_> = Program::ALL.iter().map(|program| stack.addr(*program).unwrap()).collect();
    assert_eq!(addresses.len(), 6);
    for service in Program::SERVICES {
        let text = log(&dir, service);
        assert!(text.find("called with migrate").unwrap() < text.find("called with serve").unwrap());
        assert_eq!(stack.announced(service).unwrap()["grpc"], stack.addr(service).unwrap().to_string());
        assert_eq!(variable(&dir, service, "EDUHUB_DATABASE_URL").as_deref(), stack.database().url(service));
        for peer in Program::SERVICES {
            let name = format!("EDUHUB_{}_URL", peer.name().to_uppercase());
            assert_eq!(variable(&dir, service, &name).unwrap(), stack.url(peer));
        }
        let has = |name| variable(&dir, service, name).is_some();
        assert_eq!(has("EDUHUB_TOKEN_KEY_FILE"), service == Program::Identity, "{service}");
        assert_eq!(has("EDUHUB_MINISTRY_CLIENT_SECRET_FILE"), service == Program::Bridge, "{service}");
        assert_eq!(has("EDUHUB_LISTEN_EXTRA"), service == Program::Registry, "{service}");
    }
    let simulators = log(&dir, Program::Simulators);
    let listen = stack.addr(Program::Simulators).unwrap();
    assert!(simulators.contains(&format!("called with --listen {listen}")), "{simulators}");
    assert!(!simulators.contains("migrate") && !simulators.contains("DATABASE_URL"), "{simulators}");
    assert!(stack.peak_resident_bytes(Program::Registry).unwrap() > 100_000);
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_service_comes_back_at_its_address_and_the_end_is_clean() {
    let dir = tempfile::tempdir().unwrap();
    let mut stack = Stack::start(config(&dir)).await.unwrap();
    let (name, address) = (stack.database().name().to_owned(), stack.addr(Program::Registry));
    assert_eq!(databases_named(&name).await, 1);

    stack.kill9(Program::Registry).await.unwrap();
    assert!(stack.kill9(Program::Registry).await.is_err(), "it is not running");
    assert!(!log(&dir, Program::Registry).contains("drained"));
    stack.restart(Program::Registry).await.unwrap();
    assert_eq!(stack.addr(Program::Registry), address);
    assert_eq!(log(&dir, Program::Registry).matches("ready grpc=").count(), 2);
    stack.restart(Program::Approval).await.unwrap();
    assert!(log(&dir, Program::Approval).contains("eduhub-approval drained"));

    assert_eq!(stack.stop().await.unwrap(), []);
    for program in Program::ALL {
        assert!(log(&dir, program).ends_with(&format!("{} drained\n", program.binary())), "{program}");
    }
    assert_eq!(databases_named(&name).await, 0);
}

#[tokio::test]
async fn a_failed_start_says_where_to_look() {
    for (at, text) in [("migrate", "relation has no such column"), ("serve", "address is taken")] {
        let dir = tempfile::tempdir().unwrap();
        let error = Stack::start(config(&dir).with_env(Program::Facility, "FAIL_AT", at)).await.unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with("eduhub-facility ") && error.contains("logs/facility.log"), "{error}");
        assert!(error.ends_with(text), "{error}");
    }
    let dir = tempfile::tempdir().unwrap();
    let config = config(&dir);
    std::fs::remove_file(dir.path().join("bin/eduhub-approval")).unwrap();
    let error = Stack::start(config).await.unwrap_err().to_string();
    assert!(error.contains("eduhub-approval is missing; build it with"), "{error}");
}

#[tokio::test]
async fn a_program_that_ends_by_itself_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let when = dir.path().join("now");
    let config = config(&dir).with_env(Program::Bridge, "FAIL_WHEN", when.to_str().unwrap());
    let mut stack = Stack::start(config).await.unwrap();
    std::fs::write(&when, "").unwrap();
    let failure = stack.first_failure().await.to_string();
    assert!(failure.starts_with("eduhub-ministry-bridge ended by itself (exit status: 7)"), "{failure}");
    assert!(failure.ends_with("lost my way"), "{failure}");
    stack.stop().await.unwrap();
}
