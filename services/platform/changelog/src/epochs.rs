//! Which schools this process has written to, for whoever keeps what it has read of them.
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

/// Schools share counters: a commit to one makes a thousandth of the others be read again.
const STRIPES: usize = 1024;

/// Counts the commits of this process by school. A writer counts after its commit and before it acknowledges it; a reader
/// notes the count before it reads. So what was read under an older count may be older than something acknowledged here, and
/// what was read under the present count is not.
pub struct Epochs(Box<[AtomicU64]>);

impl Default for Epochs {
    fn default() -> Self {
        Self((0..STRIPES).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Epochs {
    fn stripe(&self, school_code: &str) -> &AtomicU64 {
        let mut hasher = DefaultHasher::new();
        school_code.hash(&mut hasher);
        let stripe = usize::try_from(hasher.finish() % STRIPES as u64).unwrap_or_default();
        &self.0[stripe]
    }

    /// The count of a school.
    pub fn of(&self, school_code: &str) -> u64 {
        self.stripe(school_code).load(Ordering::Acquire)
    }

    /// Counts a commit that may have touched a school.
    pub fn count(&self, school_code: &str) {
        self.stripe(school_code).fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_seen_by_its_school() {
        let epochs = Epochs::default();
        let before = (epochs.of("37000001"), epochs.of("37000002"));
        epochs.count("37000001");
        assert_ne!(epochs.of("37000001"), before.0);
        assert_eq!(epochs.of("37000002"), before.1);
    }
}
