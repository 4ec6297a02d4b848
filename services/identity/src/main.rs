//! `eduhub-identity serve | migrate | healthcheck`.

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use eduhub_cache::Cache;
use eduhub_identity::Population;
use eduhub_identity::app::{self, NAME, Parts};
use eduhub_identity::config::{Config, PREFIX};
use eduhub_identity::schema::MIGRATOR;
use eduhub_runtime::config::{Reader, TlsConfig};
use eduhub_runtime::probe::{Probe, healthcheck};
use eduhub_runtime::{client, telemetry};
use secrecy::ExposeSecret;
use std::path::PathBuf;

/// Principals, grants, tokens and verification of personal IDs of EduHub.
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
        /// URL of the server, e.g. https://localhost:7001.
        url: String,
        /// `live` or `ready`.
        #[arg(default_value = "ready")]
        probe: Probe,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    eduhub_runtime::install_crypto_provider();
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
    let redis_url = config.redis_url.as_ref().map(ExposeSecret::expose_secret);
    let cache = Cache::connect(redis_url, "identity", vault.cache_key())?;
    let registry =
        client::channel(&config.registry_url, &config.server.tls.client()).context("REGISTRY_URL")?;
    let population = Population::new(config.population).context("NPD_CA")?;
    let pool = eduhub_pg::connect(&config.db).await?;
    eduhub_pg::check_schema(&pool, &MIGRATOR).await?;
    let parts = Parts {
        pool: pool.clone(),
        cache,
        keyring: config.keyring,
        mounted: config.mounted,
        registry,
        population,
        require_form2: config.require_form2,
    };
    app::server(config.server, parts).await?.run().await?;
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
