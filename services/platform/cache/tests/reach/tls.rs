//! TLS to one address, and the authorities that the other tests use.
use crate::pair::Pair;
use crate::server::{Server, free_port};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tempfile::TempDir;

/// An authority, and a server's certificate of it in files.
pub struct Authority {
    pub pem: String,
    dir: TempDir,
}

impl Authority {
    pub fn new() -> Self {
        Self::over("127.0.0.1")
    }

    /// Its one certificate is for `name`.
    pub fn over(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        // Of the same name as its certificates, OpenSSL would take them for authorities.
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);

        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        // Replicas, Sentinels and nodes of a cluster show the same certificate to each other as clients.
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let dir = TempDir::new().unwrap();
        for (file, text) in [("ca", &pem), ("cert", &certificate.pem()), ("key", &key.serialize_pem())] {
            std::fs::write(dir.path().join(file), text).unwrap();
        }
        Self { pem, dir }
    }

    /// Settings of a server that listens with TLS alone.
    pub fn listen(&self, port: u16) -> String {
        let place = self.dir.path().display();
        format!(
            "port 0\ntls-port {port}\ntls-auth-clients no\ntls-replication yes\ntls-cert-file \"{place}/cert\"\n\
             tls-key-file \"{place}/key\"\ntls-ca-cert-file \"{place}/ca\"\n"
        )
    }
}

#[tokio::test]
async fn the_right_authority_alone_is_trusted() {
    let authority = Authority::new();
    let port = free_port();
    let settings = format!("{}save \"\"", authority.listen(port));
    let server = Server::run(port, &settings, Some(&authority.pem)).await;
    let url = format!("rediss://127.0.0.1:{port}");

    let stranger = Authority::new();
    for ca in [Some(stranger.pem.as_str()), None] {
        let refused = Pair::connect(&url, ca);
        refused.shares_nothing().await;
    }
    let in_the_clear = Pair::connect(&format!("redis://127.0.0.1:{port}"), None);
    in_the_clear.shares_nothing().await;
    assert_eq!(server.ask::<usize>("DBSIZE").await, 0);

    let both = format!("{}{}", stranger.pem, authority.pem);
    Pair::connect(&url, Some(&both)).shares(5).await;
    assert!(server.ask::<usize>("DBSIZE").await > 0);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::over("elsewhere.example");
    let (port, plain) = (free_port(), free_port());
    // The test itself asks it in the clear.
    let settings = format!("{}port {plain}\nsave \"\"", authority.listen(port));
    let _server = Server::run(plain, &settings, None).await;
    let refused = Pair::connect(&format!("rediss://127.0.0.1:{port}"), Some(&authority.pem));
    refused.shares_nothing().await;
}
