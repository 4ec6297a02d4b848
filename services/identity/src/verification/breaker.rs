//! Leaves a failing system alone for a while.
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Failed calls in a row after which nobody calls for the pause. A call is already tried several times.
const FAILURES: u32 = 3;
/// Then one call is let through to see.
const PAUSE: Duration = Duration::from_secs(10);

/// Circuit breaker.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    /// How long to wait before the next call, when one may not be made now.
    pub fn wait(&self) -> Option<Duration> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = state.open_until?;
        let now = Instant::now();
        if now < until {
            return Some(until - now);
        }
        // This caller is the probe; the others wait for its outcome.
        state.open_until = Some(now + PAUSE);
        None
    }

    /// A call was answered.
    pub fn succeeded(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    /// A call failed after all its tries.
    pub fn failed(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES {
            if state.open_until.is_none() {
                tracing::warn!("the population database fails; it is left alone for {} s", PAUSE.as_secs());
            }
            state.open_until = Some(Instant::now() + PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn opens_after_failures_in_a_row_and_lets_one_probe_through() {
        let breaker = Breaker::default();
        breaker.failed();
        breaker.failed();
        breaker.succeeded();
        breaker.failed();
        breaker.failed();
        assert_eq!(breaker.wait(), None, "not in a row");
        breaker.failed();
        assert!(breaker.wait().is_some());
        tokio::time::advance(PAUSE).await;
        assert_eq!(breaker.wait(), None, "the probe");
        assert!(breaker.wait().is_some(), "only one");
        breaker.succeeded();
        assert_eq!(breaker.wait(), None);
    }
}
