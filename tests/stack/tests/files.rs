//! Certificates and secrets of a stack: they verify, they are private, and they stay what they were.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use eduhub_stack::{Certs, Program, Secrets};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn server(certs: &Certs) -> rustls::ServerConfig {
    let chain = vec![CertificateDer::from_pem_file(&certs.cert).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&certs.key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder.with_no_client_auth().with_single_cert(chain, key).unwrap()
}

fn client(certs: &Certs) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certs.ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder.with_root_certificates(roots).with_no_client_auth()
}

/// What a client that trusts `client` gets from a server that shows `server`, asking for `name`.
fn hello(server_certs: &Certs, client_certs: &Certs, name: &str) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let config = Arc::new(server(server_certs));
    let serve = std::thread::spawn(move || -> std::io::Result<()> {
        let connection = rustls::ServerConnection::new(config).map_err(std::io::Error::other)?;
        let mut stream = rustls::StreamOwned::new(connection, listener.accept()?.0);
        stream.write_all(b"xin chao")?;
        stream.conn.send_close_notify();
        stream.flush()
    });
    let name = ServerName::try_from(name.to_owned()).map_err(std::io::Error::other)?;
    let connection =
        rustls::ClientConnection::new(Arc::new(client(client_certs)), name).map_err(std::io::Error::other)?;
    let mut stream = rustls::StreamOwned::new(connection, TcpStream::connect(address)?);
    let mut text = String::new();
    let read = stream.read_to_string(&mut text);
    drop(stream);
    let _ = serve.join();
    read.map(|_| text)
}

#[test]
fn the_certificate_serves_localhost_and_its_address_to_those_who_trust_the_authority() {
    let dir = tempfile::tempdir().unwrap();
    let certs = Certs::create(&dir.path().join("one")).unwrap();
    for name in ["localhost", "127.0.0.1"] {
        assert_eq!(hello(&certs, &certs, name).unwrap(), "xin chao");
    }
    assert!(hello(&certs, &certs, "example.org").is_err());
    let others = Certs::create(&dir.path().join("other")).unwrap();
    assert!(hello(&certs, &others, "localhost").is_err());
}

#[test]
fn private_files_are_private() {
    let dir = tempfile::tempdir().unwrap();
    let certs = Certs::create(&dir.path().join("certs")).unwrap();
    let secrets = Secrets::open_or_create(&dir.path().join("secrets")).unwrap();
    for path in [
        certs.key,
        secrets.token_key(),
        secrets.vault(),
        secrets.admin_password(),
        secrets.services(),
        secrets.service(Program::Bridge),
    ] {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }
}

#[test]
fn secrets_stay_and_differ() {
    let dir = tempfile::tempdir().unwrap();
    let first = Secrets::open_or_create(dir.path()).unwrap();
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    let before = [first.token_key(), first.vault(), first.admin_password(), first.services()].map(read);
    let again = Secrets::open_or_create(dir.path()).unwrap();
    assert_eq!(
        [again.token_key(), again.vault(), again.admin_password(), again.services()].map(read),
        before
    );

    let all: std::collections::BTreeMap<String, String> = serde_json::from_str(&before[3]).unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["approval", "bridge", "facility", "identity", "registry"]);
    assert_eq!(all.values().collect::<std::collections::BTreeSet<_>>().len(), 5);
    assert_eq!(all["registry"], read(first.service(Program::Registry)));
    eduhub_vault::Vault::load(first.vault()).unwrap();
    assert!(before[0].starts_with("-----BEGIN PRIVATE KEY-----"));
}
