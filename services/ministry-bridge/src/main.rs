//! `eduhub-ministry-bridge serve | migrate | healthcheck`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use eduhub_ministry_bridge::config::{Config, PREFIX};
use eduhub_ministry_bridge::schema::MIGRATOR;
use eduhub_ministry_bridge::{NAME, app};
use eduhub_runtime::config::{Reader, TlsConfig};
use eduhub_runtime::probe::{Probe, healthcheck};
use eduhub_runtime::telemetry;

/// Transfer of approved data to the Ministry.
#[derive(Parser)]
#[command(name = NAME, version)]
struct Args {
    /// TOML file with settings; the environment goes before it.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until SIGTERM or SIGINT.
    Serve,
    /// Applies missing migrations.
    Migrate,
    /// Asks a running server whether it is `live` or `ready`.
    Healthcheck {
        /// URL of the server, e.g. https://localhost:7005.
        url: String,
        /// `live` or `ready`.
        #[arg(default_value = "ready")]
        probe: Probe,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let telemetry = telemetry::init(NAME)?;
    let mut reader = Reader::from_env(PREFIX);
    if let Some(path) = &args.config {
        reader = reader.with_file(path);
    }
    let outcome = match args.command {
        Command::Serve => serve(reader).await,
        Command::Migrate => migrate(reader).await,
        Command::Healthcheck { url, probe } => ask(reader, &url, probe).await,
    };
    telemetry.shutdown().await;
    outcome
}

async fn serve(reader: Reader) -> Result<()> {
    app::serve(Config::read(reader)?).await
}

async fn migrate(reader: Reader) -> Result<()> {
    let pool = eduhub_pg::connect(&Config::database(reader)?).await?;
    eduhub_pg::migrate(&pool, &MIGRATOR).await?;
    Ok(())
}

async fn ask(mut reader: Reader, url: &str, probe: Probe) -> Result<()> {
    let tls = TlsConfig::read(&mut reader).client();
    healthcheck(url, &tls, probe).await?;
    Ok(())
}
