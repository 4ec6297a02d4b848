//! `eduhub-simulators`: the outside systems of EduHub on one loopback port.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

/// Simulated Ministry database (/moet) and national population database (/npd), told to fail through /control.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Loopback address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// OAuth client id of the Ministry's client.
    #[arg(long, env = "EDUHUB_SIMULATORS_MINISTRY_CLIENT_ID")]
    ministry_client_id: String,
    /// OAuth client secret of that client.
    #[arg(long, env = "EDUHUB_SIMULATORS_MINISTRY_CLIENT_SECRET", hide_env_values = true)]
    ministry_client_secret: String,
    /// Key of the population database.
    #[arg(long, env = "EDUHUB_SIMULATORS_NPD_API_KEY", hide_env_values = true)]
    npd_api_key: String,
    /// Life of a Ministry token in seconds.
    #[arg(long, default_value_t = 120)]
    token_ttl_seconds: u64,
    /// JSON-lines file: {so_dinh_danh, ho_ten, ngay_sinh, gioi_tinh} per line.
    #[arg(long)]
    population: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    // Listened to before the address is announced, so that a signal in between is not lost.
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let handle = eduhub_simulators::start(args.into_config()).await?;
    announce(handle.addr)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    handle.shutdown().await;
    Ok(())
}

impl Args {
    fn into_config(self) -> eduhub_simulators::Config {
        eduhub_simulators::Config {
            listen: self.listen,
            ministry_client_id: self.ministry_client_id,
            ministry_client_secret: self.ministry_client_secret,
            npd_api_key: self.npd_api_key,
            token_ttl: Duration::from_secs(self.token_ttl_seconds),
            population: self.population,
        }
    }
}

/// The one line that whoever started the program waits for.
fn announce(addr: SocketAddr) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "eduhub-simulators ready http={addr}").context("announcing the address")?;
    out.flush().context("announcing the address")
}
