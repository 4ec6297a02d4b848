use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

use crate::{StackError, private};

/// A development authority and one server certificate of it, for `localhost` and `127.0.0.1`, valid for 30 days.
///
/// The authority's own key is never written: nothing else can be signed by it later.
#[derive(Clone, Debug)]
pub struct Certs {
    /// The authority's certificate, PEM: what clients trust.
    pub ca: PathBuf,
    /// The server's certificate, PEM.
    pub cert: PathBuf,
    /// The server's private key, PEM (PKCS#8).
    pub key: PathBuf,
}

impl Certs {
    /// Makes new certificates in `dir`, over those of an earlier run.
    ///
    /// # Errors
    /// [`StackError::Certificates`], [`StackError::Io`].
    pub fn create(dir: &Path) -> Result<Self, StackError> {
        private::directory(dir)?;
        let certs =
            Self { ca: dir.join("ca.pem"), cert: dir.join("server.pem"), key: dir.join("server.key") };

        let ca_key = KeyPair::generate()?;
        let ca_params = authority();
        let ca_cert = ca_params.self_signed(&ca_key)?;
        let issuer = Issuer::new(ca_params, ca_key);

        let server_key = KeyPair::generate()?;
        let server_cert = server()?.signed_by(&server_key, &issuer)?;

        private::write(&certs.ca, ca_cert.pem().as_bytes())?;
        private::write(&certs.cert, server_cert.pem().as_bytes())?;
        private::write(&certs.key, server_key.serialize_pem().as_bytes())?;
        Ok(certs)
    }

    /// The authority's certificate, PEM.
    ///
    /// # Errors
    /// [`StackError::Io`].
    pub fn ca_pem(&self) -> Result<Vec<u8>, StackError> {
        std::fs::read(&self.ca).map_err(StackError::io(format!("reading {}", self.ca.display())))
    }
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "EduHub development authority");
    valid_for_development(&mut params);
    params
}

fn server() -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.distinguished_name.push(DnType::CommonName, "localhost");
    valid_for_development(&mut params);
    Ok(params)
}

/// From an hour ago, so that a clock that was just set back does not refuse it.
fn valid_for_development(params: &mut CertificateParams) {
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::HOUR;
    params.not_after = now + Duration::days(30);
}
