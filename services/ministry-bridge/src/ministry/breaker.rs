use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Circuit breaker of one process: after `threshold` failures in a row nobody calls for `pause`, then one call tries.
///
/// It also holds everyone back when the Ministry says so (429). A pass that is dropped without a word changes nothing.
#[derive(Clone)]
pub struct Breaker {
    inner: Arc<Mutex<Inner>>,
    threshold: u32,
    pause: Duration,
}

#[derive(Default)]
struct Inner {
    failures: u32,
    closed_until: Option<Instant>,
    held_until: Option<Instant>,
    probing: bool,
}

/// Leave to make one call.
pub struct Pass {
    breaker: Breaker,
    probe: bool,
}

impl Breaker {
    /// `threshold` failures in a row, `pause` without calls.
    pub fn new(threshold: u32, pause: Duration) -> Self {
        Self { inner: Arc::default(), threshold, pause }
    }

    /// Leave to call now, or when to ask again.
    ///
    /// # Errors
    /// The time at which it is worth asking again.
    pub fn pass(&self) -> Result<Pass, Instant> {
        let mut inner = self.lock();
        let now = Instant::now();
        if let Some(until) = inner.held_until.filter(|until| *until > now) {
            return Err(until);
        }
        let Some(until) = inner.closed_until else { return Ok(Pass { breaker: self.clone(), probe: false }) };
        if until > now || inner.probing {
            return Err(until.max(now + self.pause / 4));
        }
        inner.probing = true;
        Ok(Pass { breaker: self.clone(), probe: true })
    }

    /// Whether failures have stopped the calls, and no try has succeeded since.
    pub fn is_open(&self) -> bool {
        self.lock().closed_until.is_some()
    }

    /// Nobody calls for so long (429).
    pub fn hold(&self, time: Duration) {
        let mut inner = self.lock();
        let until = Instant::now() + time;
        inner.held_until = Some(inner.held_until.map_or(until, |held| held.max(until)));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics halfway through a change.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// The call was answered.
    pub fn succeeded(self) {
        let mut inner = self.breaker.lock();
        inner.failures = 0;
        inner.closed_until = None;
    }

    /// The call failed in a way that speaks against the Ministry's health.
    pub fn failed(self) {
        let mut inner = self.breaker.lock();
        inner.failures = inner.failures.saturating_add(1);
        if self.probe || inner.failures >= self.breaker.threshold {
            inner.closed_until = Some(Instant::now() + self.breaker.pause);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.probe {
            self.breaker.lock().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn opens_after_the_threshold_and_lets_one_try_after_the_pause() {
        let breaker = Breaker::new(2, Duration::from_secs(10));
        breaker.pass().ok().unwrap().failed();
        breaker.pass().ok().unwrap().failed();
        assert!(breaker.pass().is_err());
        tokio::time::advance(Duration::from_secs(11)).await;
        let probe = breaker.pass().ok().unwrap();
        assert!(breaker.pass().is_err(), "one at a time");
        probe.failed();
        assert!(breaker.pass().is_err(), "a failed probe starts the pause again");
        tokio::time::advance(Duration::from_secs(11)).await;
        breaker.pass().ok().unwrap().succeeded();
        assert!(breaker.pass().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_probe_lets_the_next_one_try() {
        let breaker = Breaker::new(1, Duration::from_secs(1));
        breaker.pass().ok().unwrap().failed();
        tokio::time::advance(Duration::from_secs(2)).await;
        drop(breaker.pass().ok().unwrap());
        assert!(breaker.pass().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn success_between_failures_keeps_it_closed() {
        let breaker = Breaker::new(2, Duration::from_secs(10));
        for _ in 0..5 {
            breaker.pass().ok().unwrap().failed();
            breaker.pass().ok().unwrap().succeeded();
        }
        assert!(breaker.pass().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_lasts_as_long_as_asked() {
        let breaker = Breaker::new(2, Duration::from_secs(10));
        breaker.hold(Duration::from_secs(3));
        assert!(breaker.pass().is_err());
        tokio::time::advance(Duration::from_secs(4)).await;
        assert!(breaker.pass().is_ok());
    }
}
