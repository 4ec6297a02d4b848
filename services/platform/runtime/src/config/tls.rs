use secrecy::SecretString;

use super::Reader;
use crate::client::ClientTls;

/// Certificates of this process: what it shows to callers and whom it trusts. Read once; a rotation restarts.
#[derive(Clone, Default)]
pub struct TlsConfig {
    /// `TLS_CERT`: path of the server's certificate chain, PEM.
    pub cert_pem: Option<Vec<u8>>,
    /// `TLS_KEY`: path of its private key, PEM.
    pub key_pem: Option<SecretString>,
    /// `TLS_CA`: path of the authorities that this process trusts in the peers it calls, PEM.
    pub ca_pem: Option<Vec<u8>>,
    /// `TLS_CLIENT_CA`: path of the authorities whose client certificates are accepted; when it is set, a caller
    /// may show one (mTLS), and one that does not verify is refused.
    pub client_ca_pem: Option<Vec<u8>>,
}

impl TlsConfig {
    /// Reads `TLS_CERT`, `TLS_KEY`, `TLS_CA` and `TLS_CLIENT_CA`, all optional; certificate and key go together.
    pub fn read(r: &mut Reader) -> Self {
        let cert_pem = r.optional_bytes("TLS_CERT");
        let key_pem = r.optional_bytes("TLS_KEY").and_then(|bytes| {
            let text = String::from_utf8(bytes).ok();
            if text.is_none() {
                let name = r.name("TLS_KEY");
                r.mistake(format!("{name}: is not a PEM file"));
            }
            text.map(SecretString::from)
        });
        if cert_pem.is_some() != key_pem.is_some() {
            let name = r.name("TLS_CERT");
            r.mistake(format!("{name} and TLS_KEY go together: one of them is missing or unreadable"));
        }
        Self {
            cert_pem,
            key_pem,
            ca_pem: r.optional_bytes("TLS_CA"),
            client_ca_pem: r.optional_bytes("TLS_CLIENT_CA"),
        }
    }

    /// Whether this server speaks TLS.
    pub fn serves_tls(&self) -> bool {
        self.cert_pem.is_some()
    }

    /// What to trust when calling a peer.
    pub fn client(&self) -> ClientTls {
        ClientTls { ca_pem: self.ca_pem.clone(), domain: None, identity: None }
    }
}

impl std::fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsConfig")
            .field("serves_tls", &self.serves_tls())
            .field("trusts_own_ca", &self.ca_pem.is_some())
            .field("accepts_client_certificates", &self.client_ca_pem.is_some())
            .finish()
    }
}
