//! `eduhub admin doctor` against a stack that is well, and with one thing broken at a time.
use crate::ground::{Data, Ground};
use eduhub_stack::{Certs, Program};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// What the command is given besides the addresses.
struct Given {
    ca: PathBuf,
    password: PathBuf,
}

/// Runs it; gives the exit code and what it printed, without the table's line breaks inside of cells.
async fn doctor(ground: &Ground, given: &Given) -> (i32, String) {
    let mut command = Command::new(eduhub_stack::bin_dir(None).unwrap().join("eduhub"));
    command.args(["admin", "doctor", "--user", "admin"]).env_clear();
    command.arg("--ca").arg(&given.ca).arg("--password-file").arg(&given.password);
    for service in Program::SERVICES {
        command.env(format!("EDUHUB_{}_URL", service.name().to_uppercase()), ground.stack.url(service));
    }
    let ended = command.stdin(Stdio::null()).output().await.unwrap();
    let text = String::from_utf8(ended.stdout).unwrap() + &String::from_utf8(ended.stderr).unwrap();
    (ended.status.code().unwrap(), text)
}

/// How often a code stands in the table.
fn count(text: &str, code: &str) -> usize {
    text.lines().filter(|line| line.split_whitespace().any(|word| word == code)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_names_what_is_broken() {
    let dir = tempfile::tempdir().unwrap();
    let mut ground =
        Ground::start(dir.path(), Data::generate(dir.path().join("data")), |config| config).await;
    let well =
        || Given { ca: ground.stack.certs().ca.clone(), password: ground.stack.secrets().admin_password() };
    let (right, other_ca) = (well(), other_authority(dir.path()));

    let (code, text) = doctor(&ground, &right).await;
    assert_eq!(code, 0, "{text}");
    for expected in ["TLS_VALID", "READY", "CLOCK", "TOKEN_TAKEN"] {
        assert!(count(&text, expected) >= 5, "{expected}: {text}");
    }
    assert_eq!((count(&text, "TOKEN"), count(&text, "CONSUMERS")), (1, 2), "{text}");
    assert_eq!(count(&text, "MINISTRY"), 1, "{text}");

    let (code, text) = doctor(&ground, &Given { ca: other_ca, ..well() }).await;
    assert_eq!((code, count(&text, "TLS_UNTRUSTED"), count(&text, "READY")), (2, 5, 0), "{text}");

    let wrong = dir.path().join("wrong");
    std::fs::write(&wrong, "not the password").unwrap();
    let (code, text) = doctor(&ground, &Given { password: wrong, ..well() }).await;
    assert_eq!((code, count(&text, "BAD_CREDENTIALS"), count(&text, "READY")), (2, 1, 5), "{text}");

    // The Ministry is none of ours: it is told, and everything else is well.
    ground.stack.kill9(Program::Simulators).await.unwrap();
    let (code, text) = doctor(&ground, &right).await;
    assert_eq!((code, count(&text, "MINISTRY_AWAY")), (1, 1), "{text}");

    ground.stack.kill9(Program::Facility).await.unwrap();
    let (code, text) = doctor(&ground, &right).await;
    assert_eq!((code, count(&text, "NOT_REACHABLE"), count(&text, "TOKEN_TAKEN")), (2, 1, 4), "{text}");
    assert!(text.contains("1 broken"), "{text}");
    ground.stop().await;
}

fn other_authority(dir: &Path) -> PathBuf {
    Certs::create(&dir.join("other")).unwrap().ca
}
