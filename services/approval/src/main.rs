//! `eduhub-approval serve | migrate | healthcheck`.
use anyhow::{Context, Result};
use eduhub_approval::{
    app::{self, NAME, Parts},
    config::{Config, PREFIX},
    metrics,
    schema::MIGRATOR,
};
use eduhub_auth::{ServiceIdentity, Verifier};
use eduhub_cache::Cache;
use eduhub_runtime::{client, config::Reader, program::Program};
use std::process::ExitCode;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> ExitCode {
    let about = "Submissions, review and decisions of EduHub.";
    let program = Program { name: NAME, about, prefix: PREFIX, version: env!("CARGO_PKG_VERSION") };
    program.run(serve, migrate).await
}

async fn serve(reader: Reader) -> Result<()> {
    let config = Config::read(reader)?;
    let vault = eduhub_vault::Vault::load(&config.vault_file).context("VAULT_FILE")?;
    let cache = Cache::connect(config.redis.as_ref(), "approval", vault.cache_key());
    let tls = config.server.tls.client();
    let identity = client::channel(&config.peers.identity, &tls)?;
    let own = ServiceIdentity::start(identity.clone(), "approval", config.secret);
    let registry = own.channel(client::channel(&config.peers.registry, &tls)?);
    let facility = own.channel(client::channel(&config.peers.facility, &tls)?);
    let pool = eduhub_pg::connect(&config.db).await?;
    eduhub_pg::check_schema(&pool, &MIGRATOR).await?;
    let parts = Parts { pool: pool.clone(), cache, verifier: Verifier::start(identity), registry, facility };
    let mut beside = JoinSet::new();
    beside.spawn(eduhub_pg::figures(pool.clone(), metrics::questions()));
    app::server(config.server, parts)?.run().await?;
    drop(beside);
    pool.close().await;
    Ok(())
}

async fn migrate(reader: Reader) -> Result<()> {
    let pool = eduhub_pg::connect(&Config::database(reader)?).await?;
    eduhub_pg::migrate(&pool, &MIGRATOR).await?;
    Ok(())
}
