//! `eduhub-stack up`: the whole of EduHub for development, until ctrl-C.
#![allow(clippy::print_stdout, reason = "it talks to a person")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use comfy_table::{Table, presets};
use eduhub_stack::{DatabaseName, Program, Stack, StackConfig, StackError};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(about = "The whole of EduHub as real processes")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts everything, prints the addresses, ends all on ctrl-C.
    Up(Up),
}

#[derive(clap::Args)]
struct Up {
    /// Where certificates, secrets and logs go.
    #[arg(long, default_value = ".eduhub/dev/stack")]
    dir: PathBuf,
    /// Goes on with the database of the last run with this flag, and keeps it at the end.
    #[arg(long)]
    keep_data: bool,
    /// A superuser's connection to PostgreSQL.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// The cache; without it the services keep theirs in the process.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    redis_url: Option<String>,
    /// Where traces and metrics go (OTLP over gRPC).
    #[arg(long, env = "EDUHUB_OTLP_ENDPOINT")]
    otlp_endpoint: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Up(up) = Cli::parse().command;
    match run(up).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(up: Up) -> Result<(), StackError> {
    let listening = |source| StackError::Io { what: "listening for signals".to_owned(), source };
    let mut terminate = signal(SignalKind::terminate()).map_err(listening)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(listening)?;
    let mut asked = std::pin::pin!(async move {
        tokio::select! { _ = terminate.recv() => (), _ = interrupt.recv() => () }
    });

    let mut stack = tokio::select! {
        started = Stack::start(config(up)) => started?,
        // What was started until here ends with the dropped future.
        () = &mut asked => return Ok(()),
    };
    println!("{}\n\n{}\n", addresses(&stack), places(&stack));
    println!("ctrl-C ends all");

    let failure = tokio::select! {
        failure = stack.first_failure() => Some(failure),
        () = &mut asked => None,
    };
    println!("ending ...");
    for program in stack.stop().await? {
        println!("{program} did not end in time and was killed");
    }
    failure.map_or(Ok(()), Err)
}

fn config(up: Up) -> StackConfig {
    let mut config = StackConfig::new(up.database_url, up.dir);
    config.redis_url = up.redis_url;
    config.otlp_endpoint = up.otlp_endpoint;
    if up.keep_data {
        config.database = DatabaseName::Kept("eduhub_dev".to_owned());
    }
    for service in Program::SERVICES {
        config = config.with_env(service, "EDUHUB_REFLECTION", "true");
    }
    config
}

fn addresses(stack: &Stack) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY).set_header(["program", "address"]);
    for service in Program::SERVICES {
        table.add_row([service.name(), &stack.url(service)]);
    }
    let simulators = stack.url(Program::Simulators);
    table.add_row(["simulated Ministry", &format!("{simulators}/moet")]);
    table.add_row(["simulated population database", &format!("{simulators}/npd")]);
    table.add_row(["what the simulators fail at", &format!("{simulators}/control")]);
    table
}

fn places(stack: &Stack) -> String {
    [
        format!("database        {}", stack.database().name()),
        format!("trust this CA   {}", stack.certs().ca.display()),
        format!("admin password  {}", stack.secrets().admin_password().display()),
        format!("logs            {}", stack.logs().display()),
    ]
    .join("\n")
}
