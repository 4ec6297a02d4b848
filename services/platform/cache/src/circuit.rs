use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// After a failure Redis is left alone for this long: without it every request would wait for the time limit.
pub(crate) const PAUSE: Duration = Duration::from_secs(2);

/// Lets calls pass until one fails, then one every two seconds until one succeeds.
pub(crate) struct Circuit {
    began: Instant,
    /// Milliseconds since `began` before which nothing passes; 0 while closed.
    open_until: AtomicU64,
}

impl Circuit {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), open_until: AtomicU64::new(0) }
    }

    /// Whether a call may be tried. When the pause is over one caller gets through as the probe, the others wait
    /// for its outcome another pause long.
    pub(crate) fn passes(&self) -> bool {
        let until = self.open_until.load(Ordering::Acquire);
        if until == 0 {
            return true;
        }
        let now = self.now();
        now >= until
            && self
                .open_until
                .compare_exchange(until, now + millis(PAUSE), Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    /// True when this closed an open circuit.
    pub(crate) fn succeeded(&self) -> bool {
        self.open_until.swap(0, Ordering::AcqRel) != 0
    }

    /// True when this opened a closed circuit.
    pub(crate) fn failed(&self) -> bool {
        self.open_until.swap(self.now() + millis(PAUSE), Ordering::AcqRel) == 0
    }

    fn now(&self) -> u64 {
        // Never 0, which means closed.
        millis(self.began.elapsed()) + 1
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_probe_passes_after_the_pause() {
        let circuit = Circuit::new();
        assert!(circuit.passes() && circuit.passes());
        assert!(circuit.failed());
        assert!(!circuit.passes());
        circuit.open_until.store(1, Ordering::Release); // the pause is over
        assert!(circuit.passes());
        assert!(!circuit.passes());
        assert!(circuit.succeeded());
        assert!(circuit.passes() && circuit.passes());
    }
}
