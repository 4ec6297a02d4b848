//! `eduhub-approval serve | migrate | healthcheck`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use eduhub_approval::app::{self, NAME, Parts};
use eduhub_approval::config::{Config, PREFIX};
use eduhub_approval::schema::MIGRATOR;
use eduhub_auth::{ServiceIdentity, Verifier};
use eduhub_cache::Cache;
use eduhub_runtime::config::{Reader, TlsConfig};
use eduhub_runtime::probe::{Probe, healthcheck};
use eduhub_runtime::{client, telemetry};

/// Submissions, review and decisions of EduHub.
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
        /// URL of the server, e.g. https://localhost:7004.
        url: String,
        /// `live` or `ready`.
        #[arg(default_value = "ready")]
        probe: Probe,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // For people at a terminal and in `kubectl logs`: what is wrong, without a stack trace.
            eprintln!("{NAME}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<()> {
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
    let config = Config::read(reader)?;
    let vault = eduhub_vault::Vault::load(&config.vault_file).context("VAULT_FILE")?;
    let cache = Cache::connect(config.redis_url.as_deref(), "approval", vault.cache_key())?;
    let tls = config.server.tls.client();
    let identity = client::channel(&config.peers.identity, &tls)?;
    let own = ServiceIdentity::start(identity.clone(), "approval", config.secret);
    let registry = own.channel(client::channel(&config.peers.registry, &tls)?);
    let facility = own.channel(client::channel(&config.peers.facility, &tls)?);
    let pool = eduhub_pg::connect(&config.db).await?;
    eduhub_pg::check_schema(&pool, &MIGRATOR).await?;
    let parts = Parts { pool: pool.clone(), cache, verifier: Verifier::start(identity), registry, facility };
    app::server(config.server, parts)?.run().await?;
    pool.close().await;
    Ok(())
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
