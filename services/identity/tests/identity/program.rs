//! The program itself: settings, migrate, serve, healthcheck, drain.
use crate::world::{ADMIN_PASSWORD, Database, REGISTRY_SECRET};
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

fn program(command: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_eduhub-identity"));
    program.args(command).env_clear().kill_on_drop(true).stderr(Stdio::piped()).stdout(Stdio::piped());
    program
}

fn configure<'a>(program: &'a mut Command, dir: &Path, url: &str) -> &'a mut Command {
    let file = |name: &str, content: &str| {
        let path = dir.join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let keys = dir.join("keys");
    std::fs::create_dir_all(&keys).unwrap();
    std::fs::write(keys.join("1.pem"), rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let vault = eduhub_vault::generate().unwrap();
    program
        .env("EDUHUB_IDENTITY_DATABASE_URL", url)
        .env("EDUHUB_VAULT_FILE", file("vault.toml", &vault))
        .env("EDUHUB_TOKEN_KEY_FILE", keys)
        .env(
            "EDUHUB_SERVICE_CREDENTIALS_FILE",
            file("services.toml", &format!("registry = \"{REGISTRY_SECRET}\"\n")),
        )
        .env("EDUHUB_ADMIN_PASSWORD_FILE", file("admin", &format!("{ADMIN_PASSWORD}\n")))
        .env("EDUHUB_REGISTRY_URL", "http://127.0.0.1:1")
        .env("EDUHUB_NPD_URL", "http://127.0.0.1:1/npd")
        .env("EDUHUB_NPD_API_KEY", "key")
}

#[tokio::test]
async fn migrates_serves_answers_its_probe_and_drains() {
    let (database, dir) = (Database::empty().await, tempfile::tempdir().unwrap());
    let database_url = database.service_url().await;
    let early = configure(&mut program(&["serve"]), dir.path(), &database_url).output().await.unwrap();
    assert!(!early.status.success(), "an old schema is refused");
    assert!(String::from_utf8_lossy(&early.stderr).contains("run the migrate command first"));

    for _ in 0..2 {
        let migrated =
            configure(&mut program(&["migrate"]), dir.path(), &database_url).output().await.unwrap();
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    }
    let mut serve =
        configure(&mut program(&["serve"]), dir.path(), &database_url).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(serve.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let address =
        line.strip_prefix("eduhub-identity ready grpc=").unwrap_or_else(|| panic!("{line}")).to_owned();
    let url = format!("http://{address}");
    let probe = program(&["healthcheck", &url, "ready"]).output().await.unwrap();
    assert!(probe.status.success(), "{}", String::from_utf8_lossy(&probe.stderr));

    let channel = eduhub_runtime::client::channel(&url, &Default::default()).unwrap();
    let mut tokens = eduhub_proto::identity::v1::token_service_client::TokenServiceClient::new(channel);
    use eduhub_proto::identity::v1::{IssueTokenRequest, Password, issue_token_request::Proof};
    let proof = Password { user_name: "admin".into(), password: ADMIN_PASSWORD.into() };
    tokens.issue_token(IssueTokenRequest { proof: Some(Proof::Password(proof)) }).await.unwrap();

    let pid = serve.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    assert!(serve.wait().await.unwrap().success());
    let probe = program(&["healthcheck", &url, "live"]).output().await.unwrap();
    assert!(!probe.status.success());
}

#[tokio::test]
async fn every_mistake_in_the_settings_is_told_at_once() {
    let output = program(&["serve"]).output().await.unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    for key in ["DATABASE_URL", "VAULT_FILE", "TOKEN_KEY_FILE", "REGISTRY_URL", "NPD_URL", "NPD_API_KEY"] {
        assert!(text.contains(key), "{key} in {text}");
    }
}
