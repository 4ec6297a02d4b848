//! Failed sign-ins of each name.
use eduhub_faults::{Fault, Reason};
use moka::future::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Failures in a window after which a name has to wait: a typing person needs fewer, a guessing program gets nowhere.
const MOST: u32 = 5;
/// The window begins with the first failure.
const WINDOW: Duration = Duration::from_secs(60);
/// Names remembered at once; a flood of made-up names pushes out others' counts and gains nothing by it.
const NAMES: u64 = 100_000;

/// Counts failures in this process. Replicas count apart: with n of them a guesser has 5n tries a minute, which is as
/// hopeless against secrets of 256 bits and passwords of twelve characters, and no database row is written for a stranger.
#[derive(Clone)]
pub struct Failures(Cache<String, Arc<AtomicU32>>);

impl Failures {
    /// Nobody has failed.
    pub fn new() -> Self {
        Self(Cache::builder().max_capacity(NAMES).time_to_live(WINDOW).build())
    }

    /// Refuses a name that failed too often, be the proof right or wrong: otherwise guessing would go on.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED/OVERLOADED.
    pub async fn admit(&self, name: &str) -> Result<(), Fault> {
        match self.0.get(name).await {
            Some(count) if count.load(Ordering::Relaxed) >= MOST => {
                Err(Fault::new(Reason::Overloaded).detail("too many failed sign-ins").retry_after(WINDOW))
            }
            _ => Ok(()),
        }
    }

    /// Counts a failure.
    pub async fn add(&self, name: &str) {
        let count = self.0.get_with_by_ref(name, async { Arc::new(AtomicU32::new(0)) }).await;
        count.fetch_add(1, Ordering::Relaxed);
    }
}

impl Default for Failures {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn five_failures_make_a_name_wait_and_no_other() {
        let failures = Failures::new();
        for _ in 0..MOST {
            assert!(failures.admit("a").await.is_ok());
            failures.add("a").await;
        }
        assert_eq!(failures.admit("a").await.unwrap_err().reason(), Reason::Overloaded);
        assert!(failures.admit("b").await.is_ok());
    }
}
