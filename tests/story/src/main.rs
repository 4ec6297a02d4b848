//! `eduhub-story`: plays the main job end to end on real components and checks that all figures agree.

mod act;
mod defects;
mod ending;
mod figures;
mod keep;
mod ministry;
mod people;
mod push;
mod review;
mod stage;
mod truth;
mod watch;
mod wire;

use anyhow::{Context, Result};
use clap::Parser;
use std::{path::PathBuf, process::ExitCode};

/// Plays the story of the data from a vendor's push to the Ministry and to the operations centre.
#[derive(Parser, Clone)]
pub struct Args {
    /// Institutions: 16 is a hundredth of a province, 1617 the whole, 3 the quick one.
    #[arg(long, default_value_t = 16)]
    schools: usize,
    /// Seed of the synthetic data.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only the planted defects: generate, push with eight vendors, verify, and compare the work lists with what was planted.
    #[arg(long, conflicts_with = "keep")]
    defects_only: bool,
    /// Leave all running at the end and print addresses, tokens and commands to try.
    #[arg(long)]
    keep: bool,
    /// Where data, logs and exports go.
    #[arg(long, env = "EDUHUB_STORY_DIR", default_value = ".eduhub/story")]
    dir: PathBuf,
    /// Superuser's URL of a Postgres server.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// Redis, if there is one.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    redis_url: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    match play(&args).await {
        Ok(wrong) if wrong.is_empty() => {
            say("story: ok");
            ExitCode::SUCCESS
        }
        Ok(wrong) => {
            for line in &wrong {
                say(&format!("  disagreement: {line}"));
            }
            say(&format!("story: FAILED: {} disagreements", wrong.len()));
            ExitCode::FAILURE
        }
        Err(error) => {
            // A refused call says more than its one line: which field, which grant.
            if let Some(status) = error.chain().find_map(|e| e.downcast_ref::<tonic::Status>()) {
                say(&eduhub_cli::explain::full(status));
            }
            say(&format!("story: FAILED: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn play(args: &Args) -> Result<Vec<String>> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let stage = stage::Stage::new();
    let story = async {
        if args.defects_only { defects::play(args, &stage).await } else { act::play(args, &stage).await }
    };
    tokio::select! {
        outcome = story => outcome,
        () = stage.interrupted() => anyhow::bail!("interrupted; everything it started has ended"),
    }
    .context("the story broke off; the logs named above say more")
}

fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}
