//! Configuration: every mistake at once, secrets never shown, precedence.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use eduhub_runtime::config::{DbSettings, Mistakes, Reader, ServerConfig};
use secrecy::ExposeSecret;

const SERVICE: &str = "EDUHUB_REGISTRY";

fn reader<const N: usize>(pairs: [(&str, &str); N]) -> Reader {
    Reader::from_pairs(SERVICE, pairs)
}

fn read(mut r: Reader) -> Result<(ServerConfig, DbSettings, u32), Mistakes> {
    let server = ServerConfig::read(&mut r);
    let db = DbSettings::read(&mut r);
    let page = r.or_within("PAGE", 500, 1..=1000);
    r.finish(|| Some((server, db?, page)))
}

#[test]
fn all_mistakes_come_at_once() {
    let mistakes = read(reader([
        ("EDUHUB_REGISTRY_LISTEN", "nowhere"),
        ("EDUHUB_DRAIN_SECONDS", "9999"),
        ("EDUHUB_REGISTRY_PAGE", "many"),
        ("EDUHUB_TLS_CERT", "/nonexistent/cert.pem"),
        ("EDUHUB_REFLECTION", "perhaps"),
    ]))
    .unwrap_err();
    let lines = mistakes.lines();
    let expected = [
        "EDUHUB_REGISTRY_LISTEN",
        "EDUHUB_REGISTRY_DRAIN_SECONDS",
        "EDUHUB_REGISTRY_PAGE",
        "TLS_CERT",
        "EDUHUB_REFLECTION",
        "EDUHUB_REGISTRY_DATABASE_URL",
    ];
    for name in expected {
        assert!(lines.iter().any(|line| line.contains(name)), "{name} is missing in {mistakes}");
    }
}

#[test]
fn the_services_own_variable_wins_then_the_shared_one_then_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eduhub.toml");
    std::fs::write(
        &path,
        "page = 1\ndrain_seconds = 7\ndatabase_url = 'postgres://file'\n[registry]\nmax_open_streams = 9\nreflection = true\n[facility]\nnot_ours = 1\n",
    )
    .unwrap();
    let (server, db, page) = read(reader([
        ("EDUHUB_CONFIG", path.to_str().unwrap()),
        ("EDUHUB_PAGE", "20"),
        ("EDUHUB_REGISTRY_PAGE", "30"),
        ("EDUHUB_LISTEN", "127.0.0.1:7001"),
        ("EDUHUB_REGISTRY_LISTEN", ""),
    ]))
    .unwrap();
    assert_eq!(page, 30);
    assert_eq!(server.listen.to_string(), "127.0.0.1:7001");
    assert_eq!(server.drain.as_secs(), 7);
    assert_eq!(server.limits.max_open_streams, 9);
    assert!(server.reflection);
    assert_eq!(db.url.expose_secret(), "postgres://file");
    assert_eq!(db.application_name, "eduhub-registry");
}

#[test]
fn a_secret_comes_from_a_mounted_file_and_is_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("url");
    std::fs::write(&path, "postgres://u:geheim@h/d\n").unwrap();
    let (_, db, _) = read(reader([("EDUHUB_REGISTRY_DATABASE_URL_FILE", path.to_str().unwrap())])).unwrap();
    assert_eq!(db.url.expose_secret(), "postgres://u:geheim@h/d");
    assert!(!format!("{db:?}").contains("geheim"));

    let missing = read(reader([("EDUHUB_DATABASE_URL_FILE", "/nonexistent")])).unwrap_err();
    assert_eq!(missing.lines().len(), 1, "{missing}");
    assert!(missing.to_string().contains("EDUHUB_DATABASE_URL_FILE"));
}

#[test]
fn a_broken_or_misspelt_file_is_said_without_its_content() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("eduhub.toml");
    let complain = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let pairs = [("EDUHUB_DATABASE_URL", "postgres://x"), ("EDUHUB_CONFIG", path.to_str().unwrap())];
        read(reader(pairs)).unwrap_err().to_string()
    };
    assert!(complain("[registry]\nreflexion = true\n").contains("EDUHUB_REGISTRY_REFLEXION"));
    let broken = complain("page = 1\ndatabase_url = 'geheim\n");
    assert!(broken.contains("line 2") && !broken.contains("geheim"), "{broken}");
}

#[test]
fn plaintext_stays_on_this_host_unless_allowed() {
    let url = ("EDUHUB_DATABASE_URL", "postgres://x");
    let outside = ("EDUHUB_LISTEN", "0.0.0.0:7000");
    let refused = read(reader([url, outside])).unwrap_err();
    assert!(refused.to_string().contains("TLS_CERT"), "{refused}");
    assert!(read(reader([url, outside, ("EDUHUB_ALLOW_PLAINTEXT", "true")])).is_ok());
    let (local, ..) = read(reader([url])).unwrap();
    assert!(local.listen.ip().is_loopback() && !local.reflection);
}
