//! Two outside systems that EduHub talks to, simulated over plain HTTP on loopback.
//!
//! - the Ministry's education database (`/moet`), which EduHub's bridge sends approved records to;
//! - the national population database (`/npd`), which identity checks personal ID numbers with;
//! - a control interface (`/control`) that makes both fail on purpose and tells what it did.
//!
//! Everything is held in memory. The protocol is in this crate's README.

mod app;
mod config;
mod control;
mod faults;
mod moet;
mod npd;
mod refusal;
mod serve;
mod tally;

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use config::{Config, StartError};

/// Running simulators. Dropping the handle stops them.
pub struct Handle {
    /// Where they listen, with the port the system chose when the configuration asked for port 0.
    pub addr: SocketAddr,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Handle {
    /// Root of every path, such as `http://127.0.0.1:4567`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Stops accepting, lets answers under way finish for half a second, then cuts the rest.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take() {
            // A panic inside the accept loop has nothing left to clean up here.
            let _ = task.await;
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Binds the address, loads the population when a file is given, and serves until the handle is dropped.
///
/// # Errors
/// The address is not loopback or cannot be bound, or the population file is unreadable or malformed.
pub async fn start(config: Config) -> Result<Handle, StartError> {
    if !config.listen.ip().is_loopback() {
        return Err(StartError::NotLoopback(config.listen));
    }
    let population = match config.population.clone() {
        Some(path) => npd::population::Population::from_file(path).await?,
        None => npd::population::Population::default(),
    };
    let bind = |source| StartError::Bind { addr: config.listen, source };
    let listener = TcpListener::bind(config.listen).await.map_err(bind)?;
    let addr = listener.local_addr().map_err(bind)?;
    let stop = CancellationToken::new();
    let router = app::router(app::Sim::new(config, population));
    let task = tokio::spawn(serve::run(listener, router, stop.clone()));
    Ok(Handle { addr, stop, task: Some(task) })
}
