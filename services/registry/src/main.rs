//! `eduhub-registry serve | migrate | healthcheck`.
use anyhow::{Context, Result};
use eduhub_auth::{ServiceIdentity, Verifier};
use eduhub_cache::Cache;
use eduhub_registry::{
    app::{self, NAME, Parts},
    config::{Config, PREFIX},
    schema::MIGRATOR,
};
use eduhub_runtime::{client, config::Reader, program::Program};
use std::{process::ExitCode, sync::Arc, time::Duration};

/// How long workers, which are told when the drain begins, may take after its end: part of the chart's `closeSeconds`.
const WORKERS_END: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> ExitCode {
    let about = "Schools, pupils, staff and results of EduHub.";
    let program = Program { name: NAME, about, prefix: PREFIX, version: env!("CARGO_PKG_VERSION") };
    program.run(serve, migrate).await
}

async fn serve(reader: Reader) -> Result<()> {
    let config = Config::read(reader)?;
    let vault = Arc::new(eduhub_vault::Vault::load(&config.vault_file).context("VAULT_FILE")?);
    let cache = Cache::connect(config.redis.as_ref(), "registry", vault.cache_key());
    let tls = config.server.tls.client();
    let identity = client::channel(&config.identity, &tls)?;
    let own = ServiceIdentity::start(identity.clone(), "registry", config.secret.clone());
    let pool = eduhub_pg::connect(&config.db).await?;
    eduhub_pg::check_schema(&pool, &MIGRATOR).await?;
    let mut parts = Parts::of(&config, pool.clone(), cache, vault, Verifier::start(identity.clone()));
    parts.identity = Some(own.channel(identity));
    let (server, mut workers) = app::server(config.server, parts).await?;
    let served = server.run().await;
    if tokio::time::timeout(WORKERS_END, async { while workers.join_next().await.is_some() {} })
        .await
        .is_err()
    {
        tracing::warn!("workers were still busy after the drain");
        workers.shutdown().await;
    }
    pool.close().await;
    served.map(|_| ()).map_err(Into::into)
}

async fn migrate(reader: Reader) -> Result<()> {
    let pool = eduhub_pg::connect(&Config::database(reader)?).await?;
    app::migrate(&pool).await
}
