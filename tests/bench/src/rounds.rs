//! Product and yardstick in turns.
use crate::cpu::{Cpu, Watched};
use anyhow::Result;
use std::time::{Duration, Instant};

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub struct Lap {
    /// Operations.
    pub operations: usize,
    /// Wall time.
    pub took: Duration,
    /// CPU time.
    pub cpu: Cpu,
}

impl Lap {
    /// Measures a run that says how many operations it did.
    ///
    /// # Errors
    /// The run's.
    pub async fn of(watched: &Watched, run: impl Future<Output = Result<usize>>) -> Result<Self> {
        let (before, started) = (watched.now()?, Instant::now());
        let operations = run.await?;
        let took = started.elapsed();
        Ok(Self { operations, took, cpu: watched.now()?.since(before) })
    }

    /// Operations a second.
    pub fn rate(&self) -> f64 {
        self.operations as f64 / self.took.as_secs_f64().max(1e-9)
    }
}

/// Runs of one thing.
#[derive(Clone, Debug)]
pub struct Laps {
    /// What was run.
    pub name: String,
    /// The runs in order.
    pub laps: Vec<Lap>,
}

impl Laps {
    /// No runs yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), laps: Vec::new() }
    }

    /// Median rate, operations a second.
    pub fn rate(&self) -> f64 {
        median(self.laps.iter().map(Lap::rate).collect())
    }

    /// One line for people.
    pub fn line(&self, unit: &str) -> String {
        let rates: Vec<String> = self.laps.iter().map(|l| format!("{:.0}", l.rate())).collect();
        let operations = self.laps.iter().map(|l| l.operations).sum();
        let mut cpu = Cpu::default();
        for lap in &self.laps {
            cpu.postgres += lap.cpu.postgres;
            cpu.service += lap.cpu.service;
            cpu.client += lap.cpu.client;
        }
        format!(
            "{}: {:.0} {unit}/s ({}); {} each",
            self.name,
            self.rate(),
            rates.join(", "),
            cpu.per(operations)
        )
    }
}

/// The middle value; the mean of the two middle ones of an even number.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(vec![]).abs() < 1e-9);
    }
}
