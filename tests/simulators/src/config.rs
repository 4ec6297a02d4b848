//! What the simulators are started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Settings of one run. Deliberately not `Debug`: it holds secrets.
#[derive(Clone)]
pub struct Config {
    /// Loopback address to listen on; port 0 asks the system for a free one.
    pub listen: SocketAddr,
    /// OAuth client id that the Ministry knows.
    pub ministry_client_id: String,
    /// OAuth client secret of that client.
    pub ministry_client_secret: String,
    /// Key that the population database expects in `X-API-Key`.
    pub npd_api_key: String,
    /// Life of a Ministry token. Short, so that clients meet expiry during a transfer.
    pub token_ttl: Duration,
    /// JSON-lines file with the population, loaded before the address is announced.
    pub population: Option<PathBuf>,
}

impl Config {
    /// Defaults for everything but the credentials: free port on 127.0.0.1, tokens of 120 s, nobody in the population.
    #[must_use]
    pub fn new(client_id: &str, client_secret: &str, npd_api_key: &str) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            ministry_client_id: client_id.to_owned(),
            ministry_client_secret: client_secret.to_owned(),
            npd_api_key: npd_api_key.to_owned(),
            token_ttl: Duration::from_secs(120),
            population: None,
        }
    }
}

/// Why the simulators could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The control interface has no access control, so it must stay on this machine.
    #[error("{0} is not a loopback address; the control interface is open to whoever reaches it")]
    NotLoopback(SocketAddr),
    /// The address is taken or not allowed.
    #[error("cannot listen on {addr}: {source}")]
    Bind {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The population file cannot be read.
    #[error("cannot read the population file {}: {source}", path.display())]
    PopulationFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of the population file is no person.
    #[error("population: {0}")]
    PopulationLine(String),
}
