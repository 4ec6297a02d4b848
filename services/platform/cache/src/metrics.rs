//! What is measured of caches.
use eduhub_runtime::meter::{BoundCounter, Instrument, KeyValue, Metric};

/// Reads through a cache.
pub const READS: Metric = Metric {
    name: "eduhub.cache.reads",
    instrument: Instrument::Counter,
    unit: "{read}",
    about: "Reads through a service's cache, by where the answer was: local, redis, or fetched from its owner (fetch)",
    labels: &["cache", "source"],
};

/// The table.
pub const METRICS: &[Metric] = &[READS];

/// Where an answer was found.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    Local,
    Redis,
    Fetch,
}

/// Counts reads of one cache.
pub(crate) struct Reads([BoundCounter<u64>; 3]);

impl Reads {
    pub fn of(cache: &str) -> Self {
        let reads = READS.counter();
        let bind =
            |source| reads.bind(&[KeyValue::new("cache", cache.to_owned()), KeyValue::new("source", source)]);
        Self(["local", "redis", "fetch"].map(bind))
    }

    pub fn count(&self, source: Source) {
        self.0[source as usize].add(1);
    }
}
