//! `eduhub-facility serve | migrate | healthcheck`.
use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use eduhub_auth::{ServiceIdentity, Verifier};
use eduhub_cache::Cache;
use eduhub_facility::{
    app::{self, NAME, Parts, Peers},
    config::{Config, PREFIX},
    schema::MIGRATOR,
};
use eduhub_runtime::{
    client,
    config::{Reader, TlsConfig},
    probe::{Probe, healthcheck},
    telemetry,
};
use std::{path::PathBuf, sync::Arc};

/// Rooms of schools in EduHub.
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
        /// URL of the server, e.g. https://localhost:7003.
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
    let config = Config::read(reader)?;
    let vault = Arc::new(eduhub_vault::Vault::load(&config.vault_file).context("VAULT_FILE")?);
    let cache = Cache::connect(config.redis_url.as_deref(), "facility", vault.cache_key())?;
    let tls = config.server.tls.client();
    let identity = client::channel(&config.identity, &tls)?;
    let peers = Peers {
        own: ServiceIdentity::start(identity.clone(), "facility", config.secret.clone()),
        verifier: Verifier::start(identity),
        registry: client::channel(&config.registry, &tls)?,
    };
    let pool = eduhub_pg::connect(&config.db).await?;
    eduhub_pg::check_schema(&pool, &MIGRATOR).await?;
    let parts = Parts::of(&config, pool.clone(), cache, vault, peers);
    let (server, workers) = app::server(config.server, parts)?;
    server.run().await?;
    drop(workers);
    pool.close().await;
    Ok(())
}

async fn migrate(reader: Reader) -> Result<()> {
    let pool = eduhub_pg::connect(&Config::database(reader)?).await?;
    app::migrate(&pool).await
}

async fn ask(mut reader: Reader, url: &str, probe: Probe) -> Result<()> {
    let tls = TlsConfig::read(&mut reader).client();
    healthcheck(url, &tls, probe).await?;
    Ok(())
}
