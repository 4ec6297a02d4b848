//! `eduhub-ministry-bridge serve | migrate | healthcheck`.
use anyhow::Result;
use eduhub_ministry_bridge::{
    NAME, app,
    config::{Config, PREFIX},
    schema::MIGRATOR,
};
use eduhub_runtime::{config::Reader, program::Program};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let about = "Transfer of approved data to the Ministry.";
    let program = Program { name: NAME, about, prefix: PREFIX, version: env!("CARGO_PKG_VERSION") };
    program.run(serve, migrate).await
}

async fn serve(reader: Reader) -> Result<()> {
    app::serve(Config::read(reader)?).await
}

async fn migrate(reader: Reader) -> Result<()> {
    let pool = eduhub_pg::connect(&Config::database(reader)?).await?;
    eduhub_pg::migrate(&pool, &MIGRATOR).await?;
    Ok(())
}
