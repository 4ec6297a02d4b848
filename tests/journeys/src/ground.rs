//! What every journey stands on: a small synthetic province, the stack, and somebody who is signed in.
use anyhow::{Context, Result};
pub use eduhub_cast::Actor;
use eduhub_cast::Doors;
use eduhub_cli::generate::{self, Options, Province, School, Settings};
use eduhub_cli::server::Proof;
use eduhub_stack::{Program, Stack, StackConfig};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The autumn of the generated school year.
const TODAY: &str = "2026-11-02";

/// Generated data: three schools of 50 learners each.
pub struct Data {
    pub dir: PathBuf,
    pub province: Province,
}

impl Data {
    pub fn generate(dir: PathBuf) -> Self {
        let options = Options { schools: 3, ..Options::new(dir.clone()) };
        generate::generate(&options, &Settings::ninh_binh(), |_, _| ()).unwrap();
        let province = generate::read_province(&dir.join("province.json")).unwrap();
        Self { dir, province }
    }

    /// A file of a school, such as `registry.jsonl`.
    pub fn file(&self, school: &School, name: &str) -> PathBuf {
        self.dir.join(&school.school_code).join(name)
    }
}

/// A running stack with its data.
pub struct Ground {
    pub stack: Stack,
    pub data: Data,
}

impl Ground {
    /// Starts everything below `dir`; `change` adds to the configuration. The same directory again means the same keys.
    pub async fn start(dir: &Path, data: Data, change: impl FnOnce(StackConfig) -> StackConfig) -> Self {
        let database = std::env::var("EDUHUB_TEST_DATABASE_URL")
            .expect("EDUHUB_TEST_DATABASE_URL: run the tests by scripts/test");
        let mut config = StackConfig::new(database, dir.join("stack"));
        config.population = Some(data.dir.join("population.jsonl"));
        for program in [Program::Registry, Program::Facility] {
            config = config.with_env(program, "EDUHUB_TODAY", TODAY);
        }
        let stack = Stack::start(change(config)).await.unwrap();
        Self { stack, data }
    }

    pub fn school(&self, n: usize) -> &School {
        &self.data.province.schools[n]
    }

    pub fn year(&self) -> i32 {
        self.data.province.school_year
    }

    /// Signs somebody in.
    pub async fn sign_in(&self, proof: Proof) -> Result<Actor> {
        Actor::sign_in(&Doors::of(&self.stack)?, proof).await
    }

    /// Ends the stack; everything must end by itself.
    pub async fn stop(self) {
        assert_eq!(self.stack.stop().await.unwrap(), [], "had to be killed");
    }
}

impl Drop for Data {
    /// The directory goes with the test: whoever reads a failure wants the services' complaints before.
    fn drop(&mut self) {
        let logs = self.dir.parent().map(|dir| dir.join("stack/logs"));
        if !std::thread::panicking() {
            return;
        }
        for file in logs.into_iter().flat_map(std::fs::read_dir).flatten().flatten() {
            let text = std::fs::read_to_string(file.path()).unwrap_or_default();
            let bad = text.lines().filter(|l| l.contains("\"WARN\"") || l.contains("\"ERROR\""));
            bad.rev().take(8).for_each(|line| eprintln!("{}: {line}", file.path().display()));
        }
    }
}

/// Looks again and again until there is something; the deadline fails the test.
pub async fn wait_for<T, F>(what: &str, deadline: Duration, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<Option<T>>>,
{
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = look().await.with_context(|| what.to_owned()).unwrap() {
            return found;
        }
        assert!(Instant::now() < end, "waited {} s for {what}", deadline.as_secs());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
