//! `eduhub-facility serve | migrate | healthcheck`.
use anyhow::{Context, Result};
use eduhub_auth::{ServiceIdentity, Verifier};
use eduhub_cache::Cache;
use eduhub_facility::{
    app::{self, NAME, Parts, Peers},
    config::{Config, PREFIX},
    schema::MIGRATOR,
};
use eduhub_runtime::{client, config::Reader, program::Program};
use std::{process::ExitCode, sync::Arc};

#[tokio::main]
async fn main() -> ExitCode {
    let about = "Rooms and other facilities of EduHub.";
    let program = Program { name: NAME, about, prefix: PREFIX, version: env!("CARGO_PKG_VERSION") };
    program.run(serve, migrate).await
}

async fn serve(reader: Reader) -> Result<()> {
    let config = Config::read(reader)?;
    let vault = Arc::new(eduhub_vault::Vault::load(&config.vault_file).context("VAULT_FILE")?);
    let cache = Cache::connect(config.redis.as_ref(), "facility", vault.cache_key());
    let tls = config.server.tls.client();
    let identity = client::channel(&config.identity, &tls)?;
    let peers = Peers {
        own: ServiceIdentity::start(identity.clone(), "facility", config.secret.clone()),
        verifier: Verifier::start(identity.clone()),
        identity,
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
