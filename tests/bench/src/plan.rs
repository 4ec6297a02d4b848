//! How large a run is.
use clap::Parser;
use std::path::PathBuf;

/// Measures the hub's figures (all of them without a number).
#[derive(Parser, Clone, Debug)]
pub struct Plan {
    /// Figures to measure.
    pub figures: Vec<u8>,
    /// Pupils of figures 1, 2 and 6.
    #[arg(long, default_value_t = 200_000)]
    pub pupils: usize,
    /// Schools that the pupils belong to.
    #[arg(long, default_value_t = 8)]
    pub schools: usize,
    /// Schools that the client pushes at once in figures 1 and 2.
    #[arg(long, default_value_t = 2)]
    pub at_once: usize,
    /// Schools of figure 3: 1617 is the whole province.
    #[arg(long, default_value_t = 48)]
    pub province: usize,
    /// Records in a batch.
    #[arg(long, default_value_t = 1_000)]
    pub batch: usize,
    /// Rounds of each side; the median counts.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Tiny sizes, one round: whether everything runs, not how fast.
    #[arg(long)]
    pub smoke: bool,
    /// Adds the figures to tests/bench/RESULTS.md.
    #[arg(long)]
    pub record: bool,
    /// Leaves the services running after a figure and waits, for a profiler.
    #[arg(long)]
    pub hold: bool,
    /// Where certificates and logs go.
    #[arg(long, env = "EDUHUB_BENCH_DIR", default_value = ".eduhub/bench/run")]
    pub dir: PathBuf,
    /// Superuser's URL of a Postgres server on this machine.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Redis, if there is one.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,
}

impl Plan {
    /// The plan with its sizes cut down when only a smoke test is asked for.
    #[must_use]
    pub fn sized(mut self) -> Self {
        if self.smoke {
            (self.pupils, self.schools, self.rounds, self.batch) = (1_600, 8, 1, 100);
        }
        self
    }
}
