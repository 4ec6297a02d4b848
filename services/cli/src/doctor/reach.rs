//! Name, port, certificate.
use super::{Finding, Level, PATIENCE};
use eduhub_runtime::client::ClientTls;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tonic::transport::Uri;
use x509_parser::parse_x509_certificate;

/// A certificate that ends sooner is a warning: a renewal that works comes before.
const SOON: i64 = 14;

/// The authorities that are trusted.
pub fn authority(tls: &ClientTls) -> Vec<Finding> {
    let place = "authority";
    let Some(pem) = &tls.ca_pem else {
        let text = "no authority to trust: give --ca or EDUHUB_TLS_CA, the file that signs the servers' certificates";
        return vec![Finding::new(Level::Skipped, place, "NO_AUTHORITY", text)];
    };
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).flatten().collect();
    if certificates.is_empty() {
        let text = "the file of authorities holds no certificate (PEM, -----BEGIN CERTIFICATE-----)";
        return vec![Finding::new(Level::Broken, place, "BAD_AUTHORITY", text)];
    }
    certificates.iter().map(|der| validity(place, der)).collect()
}

/// The way to a service, as far as its certificate.
pub async fn look(name: &str, url: &str, tls: &ClientTls) -> Vec<Finding> {
    match connected(name, url).await {
        Err(finding) => vec![finding],
        Ok((_, None)) => vec![Finding::new(
            Level::Warning,
            name,
            "NO_TLS",
            "the address begins with http://: tokens and personal data go in the clear; use https://",
        )],
        Ok((stream, Some(host))) => vec![certificate(name, stream, host, tls).await],
    }
}

/// A connection, and the name that its certificate must bear when there is to be one.
async fn connected(name: &str, url: &str) -> Result<(TcpStream, Option<String>), Finding> {
    let broken = |code, text: String| Finding::new(Level::Broken, name, code, text);
    let uri: Uri = url.parse().map_err(|_| broken("BAD_ADDRESS", format!("{url} is no URL")))?;
    let host = uri.host().map(|h| h.trim_matches(['[', ']']).to_owned());
    let host = host.ok_or_else(|| broken("BAD_ADDRESS", format!("{url} names no host")))?;
    let secure = uri.scheme_str() != Some("http");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let found = timeout(PATIENCE, lookup_host((host.as_str(), port))).await;
    let addresses: Vec<_> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => {
            let text = format!("the name {host} does not resolve ({error}): check the address and the DNS");
            return Err(broken("NAME_UNKNOWN", text));
        }
        Err(_) => return Err(broken("NAME_UNKNOWN", format!("the DNS did not answer for {host}"))),
    };
    let mut why = "no address".to_owned();
    for address in &addresses {
        match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok((stream, secure.then(|| host.clone()))),
            Ok(Err(error)) => why = format!("{address}: {error}"),
            Err(_) => why = format!("{address}: no answer, a firewall or network policy may drop it"),
        }
    }
    Err(broken("NOT_REACHABLE", format!("nothing takes connections ({why}): is the service running?")))
}

async fn certificate(name: &str, stream: TcpStream, host: String, tls: &ClientTls) -> Finding {
    let broken = |code, text: String| Finding::new(Level::Broken, name, code, text);
    let host = tls.domain.clone().unwrap_or(host);
    let Ok(server) = ServerName::try_from(host.clone()) else {
        return broken("BAD_ADDRESS", format!("{host} is no name for a certificate"));
    };
    eduhub_runtime::install_crypto_provider();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(
        CertificateDer::pem_slice_iter(tls.ca_pem.as_deref().unwrap_or_default()).flatten(),
    );
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let handshake = TlsConnector::from(Arc::new(config)).connect(server, stream);
    match timeout(PATIENCE, handshake).await {
        Err(_) => broken(
            "TLS_SILENT",
            "the port takes connections and does not answer the TLS handshake".to_owned(),
        ),
        Ok(Ok(stream)) => match stream.get_ref().1.peer_certificates().and_then(<[_]>::first) {
            Some(der) => validity(name, der),
            None => broken("TLS_REFUSED", "the server showed no certificate".to_owned()),
        },
        Ok(Err(error)) => {
            let cause = error.get_ref().and_then(|e| e.downcast_ref::<Error>());
            let (code, text) = refusal(cause, &host);
            broken(code, text.unwrap_or_else(|| format!("the TLS handshake failed: {error}")))
        }
    }
}

/// Why a certificate is not taken, in words.
fn refusal(error: Option<&Error>, host: &str) -> (&'static str, Option<String>) {
    let Some(Error::InvalidCertificate(why)) = error else { return ("TLS_REFUSED", None) };
    match why {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "TLS_UNTRUSTED",
            Some(
                "the certificate is not signed by the given authority: is --ca the file of this deployment?"
                    .to_owned(),
            ),
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("TLS_EXPIRED", Some("the certificate has ended: renew it, then restart the service".to_owned()))
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "TLS_NOT_YET",
            Some("the certificate is not valid yet: is this machine's clock right?".to_owned()),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ("TLS_OTHER_NAME", Some(format!("the certificate is for another name than {host}")))
        }
        other => ("TLS_REFUSED", Some(format!("the certificate is refused: {other:?}"))),
    }
}

fn validity(place: &str, der: &CertificateDer<'_>) -> Finding {
    let Ok((_, certificate)) = parse_x509_certificate(der) else {
        return Finding::new(Level::Broken, place, "BAD_CERTIFICATE", "the certificate can't be read");
    };
    let end = certificate.validity().not_after;
    let days = (end.timestamp() - OffsetDateTime::now_utc().unix_timestamp()).div_euclid(86_400);
    let level = match days {
        ..0 => Level::Broken,
        0..SOON => Level::Warning,
        _ => Level::Well,
    };
    let code = if level == Level::Well { "TLS_VALID" } else { "TLS_ENDS" };
    Finding::new(level, place, code, format!("the certificate is good for {days} more days, until {end}"))
}
