//! `eduhub-identity serve | migrate | healthcheck`.
use anyhow::{Context, Result};
use eduhub_cache::Cache;
use eduhub_identity::{
    Population,
    app::{self, NAME, Parts},
    config::{Config, PREFIX},
    metrics,
    schema::MIGRATOR,
};
use eduhub_runtime::{client, config::Reader, program::Program};
use std::process::ExitCode;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> ExitCode {
    let about = "Principals, grants, tokens and verification of personal IDs of EduHub.";
    let program = Program { name: NAME, about, prefix: PREFIX, version: env!("CARGO_PKG_VERSION") };
    program.run(serve, migrate).await
}

async fn serve(reader: Reader) -> Result<()> {
    let config = Config::read(reader)?;
    let vault = eduhub_vault::Vault::load(&config.vault_file).context("VAULT_FILE")?;
    let cache = Cache::connect(config.redis.as_ref(), "identity", vault.cache_key());
    let registry =
        client::channel(&config.registry_url, &config.server.tls.client()).context("REGISTRY_URL")?;
    let population = Population::new(config.population).context("NPD_CA")?;
    let pool = eduhub_pg::connect(&config.db).await?;
    eduhub_pg::check_schema(&pool, &MIGRATOR).await?;
    metrics::show_key(&config.keyring);
    let mut beside = JoinSet::new();
    beside.spawn(eduhub_pg::figures(pool.clone(), metrics::questions()));
    let parts = Parts {
        pool: pool.clone(),
        cache,
        keyring: config.keyring,
        mounted: config.mounted,
        registry,
        population,
        require_form2: config.require_form2,
        exclusive: config.exclusive,
    };
    app::server(config.server, parts).await?.run().await?;
    drop(beside);
    pool.close().await;
    Ok(())
}

async fn migrate(reader: Reader) -> Result<()> {
    let pool = eduhub_pg::connect(&Config::database(reader)?).await?;
    eduhub_pg::migrate(&pool, &MIGRATOR).await?;
    Ok(())
}
