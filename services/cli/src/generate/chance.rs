//! Reproducible chance: one generator per school, so that schools do not depend on each other.
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use sha2::{Digest, Sha256};

/// Source of chance.
pub type Chance = ChaCha8Rng;

/// The generator of one part of a run (a school's code, or `plan`). Changing the version changes every file.
pub fn chance(seed: u64, part: &str) -> Chance {
    let mut hash = Sha256::new();
    hash.update(b"eduhub generate 1\0");
    hash.update(seed.to_le_bytes());
    hash.update(part.as_bytes());
    ChaCha8Rng::from_seed(hash.finalize().into())
}

/// True with this probability.
pub fn happens(rng: &mut Chance, share: f64) -> bool {
    rng.random::<f64>() < share
}

/// One of several, all equally likely. `all` must not be empty.
pub fn pick<'a, T>(rng: &mut Chance, all: &'a [T]) -> &'a T {
    all.choose(rng).unwrap_or(&all[0])
}

/// One of several by share; the shares need not add up to one. `all` must not be empty.
pub fn pick_weighted<T: Copy>(rng: &mut Chance, all: &[(T, f64)]) -> T {
    let total: f64 = all.iter().map(|(_, w)| w).sum();
    let mut at = rng.random::<f64>() * total;
    for (value, weight) in all {
        at -= weight;
        if at < 0.0 {
            return *value;
        }
    }
    all[all.len() - 1].0
}

/// Normally distributed, cut at 3.5 standard deviations so that nothing true looks like a defect.
pub fn normal(rng: &mut Chance, mean: f64, sd: f64) -> f64 {
    let z: f64 = Normal::new(0.0, 1.0).map_or(0.0, |n| n.sample(rng));
    mean + sd * z.clamp(-3.5, 3.5)
}
