//! The question of the `healthcheck` subcommand, which Kubernetes runs as its probe: gRPC probes speak no TLS.

use std::time::Duration;

use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::client::{ClientError, ClientTls, channel};

/// A probe that waits longer says nothing that a failed one would not.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// Whether the process answers at all; a database outage does not change it.
    Live,
    /// Whether it should get requests.
    Ready,
}

impl std::str::FromStr for Probe {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "live" => Ok(Self::Live),
            "ready" => Ok(Self::Ready),
            _ => Err("live or ready"),
        }
    }
}

/// Why a probe failed.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The URL or the certificates are not usable.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The server answered with an error or not at all.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// The server answered that it is not.
    #[error("the server is not {0}")]
    Not(&'static str),
}

/// Asks the server at `url` whether it is live or ready, within 2 s.
///
/// # Errors
/// [`ProbeError`]: anything but yes.
pub async fn healthcheck(url: &str, tls: &ClientTls, probe: Probe) -> Result<(), ProbeError> {
    let name = match probe {
        Probe::Live => "live",
        Probe::Ready => "ready",
    };
    let mut client = HealthClient::new(channel(url, tls)?);
    let ask = client.check(HealthCheckRequest { service: name.to_owned() });
    let answer = tokio::time::timeout(PATIENCE, ask)
        .await
        .map_err(|_| ProbeError::NoAnswer("time is up".to_owned()))?
        .map_err(|status| ProbeError::NoAnswer(status.message().to_owned()))?;
    if answer.into_inner().status() == ServingStatus::Serving { Ok(()) } else { Err(ProbeError::Not(name)) }
}
