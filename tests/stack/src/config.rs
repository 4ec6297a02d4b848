use std::path::PathBuf;
use std::time::Duration;

use crate::{DatabaseName, Program};

/// What to start, and how.
#[derive(Clone, Debug)]
pub struct StackConfig {
    /// A superuser's connection to the server in which the stack makes its own database.
    pub database_url: String,
    /// The cache; without it the services keep theirs in the process.
    pub redis_url: Option<String>,
    /// Where certificates, secrets and logs go. Made when missing.
    pub dir: PathBuf,
    /// Which database: a new one that is dropped at the end, or one that is kept.
    pub database: DatabaseName,
    /// Where the executables are; see [`crate::bin_dir`].
    pub bin_dir: Option<PathBuf>,
    /// Where traces and metrics go (OTLP over gRPC).
    pub otlp_endpoint: Option<String>,
    /// Whom the simulated population database knows: a file of JSON lines, see `eduhub-simulators --help`.
    pub population: Option<PathBuf>,
    /// Which programs; all by default.
    pub programs: Vec<Program>,
    /// More environment for one program, over what the stack sets.
    pub env: Vec<(Program, String, String)>,
    /// How long a program may take to migrate, and again to be ready.
    pub start_deadline: Duration,
    /// How long a program may take to drain and end before it is killed.
    pub stop_deadline: Duration,
}

impl StackConfig {
    /// All programs, a new database, no Redis.
    pub fn new(database_url: impl Into<String>, dir: impl Into<PathBuf>) -> Self {
        Self {
            database_url: database_url.into(),
            redis_url: None,
            dir: dir.into(),
            database: DatabaseName::Fresh,
            bin_dir: None,
            otlp_endpoint: None,
            population: None,
            programs: Program::ALL.to_vec(),
            env: Vec::new(),
            start_deadline: Duration::from_secs(60),
            stop_deadline: Duration::from_secs(10),
        }
    }

    /// Sets one environment variable of one program.
    #[must_use]
    pub fn with_env(mut self, program: Program, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((program, name.into(), value.into()));
        self
    }
}
