//! The program of a service: `serve | migrate | healthcheck`, the same for all.
use crate::{
    config::{Reader, TlsConfig},
    probe::{Probe, healthcheck},
    telemetry,
};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::{error::Error, path::PathBuf, process::ExitCode};

/// What a step of a program may fail with.
pub type Failure = Box<dyn Error + Send + Sync>;

/// A service as its `main` names it.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Name of the binary, as in its ready line and in traces.
    pub name: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
    /// Prefix of its settings, e.g. `EDUHUB_REGISTRY`.
    pub prefix: &'static str,
    /// Version of the build.
    pub version: &'static str,
}

#[derive(Parser)]
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
    /// Applies missing migrations and seeds.
    Migrate,
    /// Asks a running server whether it is `live` or `ready`.
    Healthcheck {
        /// URL of the server, e.g. https://localhost:7002.
        url: String,
        /// `live` or `ready`.
        #[arg(default_value = "ready")]
        probe: Probe,
    },
}

impl Program {
    /// Reads the command line and runs what it asks for. What fails is said on stderr in words, without a stack trace: it
    /// is for people at a terminal and in `kubectl logs`.
    pub async fn run<E: Into<Failure>>(
        self,
        serve: impl AsyncFnOnce(Reader) -> Result<(), E>,
        migrate: impl AsyncFnOnce(Reader) -> Result<(), E>,
    ) -> ExitCode {
        let args = self.arguments();
        crate::install_crypto_provider();
        match self.dispatch(args, serve, migrate).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                self.complain(error.as_ref());
                ExitCode::FAILURE
            }
        }
    }

    fn arguments(self) -> Args {
        let command = Args::command().name(self.name).about(self.about).version(self.version);
        Args::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }

    async fn dispatch<E: Into<Failure>>(
        self,
        args: Args,
        serve: impl AsyncFnOnce(Reader) -> Result<(), E>,
        migrate: impl AsyncFnOnce(Reader) -> Result<(), E>,
    ) -> Result<(), Failure> {
        let mut telemetry = telemetry::init_with(self.name, self.telemetry(&args.command)?)?;
        let mut reader = Reader::from_env(self.prefix);
        if let Some(path) = &args.config {
            reader = reader.with_file(path);
        }
        let outcome = match args.command {
            Command::Serve => {
                telemetry.listen().await?;
                serve(reader).await.map_err(Into::into)
            }
            Command::Migrate => migrate(reader).await.map_err(Into::into),
            Command::Healthcheck { url, probe } => {
                let tls = TlsConfig::read(&mut reader).client();
                healthcheck(&url, &tls, probe).await.map_err(Into::into)
            }
        };
        telemetry.shutdown().await;
        outcome
    }

    /// A probe tells nobody but its caller: it must not wait for a dead collector, or Kubernetes would take a living service
    /// for a dead one.
    fn telemetry(self, command: &Command) -> Result<telemetry::TelemetryConfig, Failure> {
        let mut config = telemetry::TelemetryConfig::from_env()?;
        if matches!(command, Command::Healthcheck { .. }) {
            config.otlp_endpoint = None;
        }
        Ok(config)
    }

    #[allow(clippy::print_stderr)]
    fn complain(self, error: &(dyn Error + 'static)) {
        let mut text = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            // Some errors repeat their cause in their own text.
            let cause_text = cause.to_string();
            if !text.ends_with(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            next = cause.source();
        }
        eprintln!("{}: {text}", self.name);
    }
}
