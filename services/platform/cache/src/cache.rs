use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache as Local;
use prost::Message;

use crate::entry::{Keys, Place};
use crate::metrics::{Reads, Source};
use crate::remote::Remote;
use crate::settings::RedisSettings;

/// With Redis an entry stays this long in the process: short, because another replica's invalidation reaches Redis
/// and not this process.
const LOCAL_TTL: Duration = Duration::from_secs(2);
/// Memory of the layer in the process, in bytes of entries.
const LOCAL_BYTES: u64 = 64 << 20;
/// Invalidation counters: keys share them, so one invalidation also makes a thousandth of the others fetch again.
const STRIPES: usize = 1024;

/// The cache of one service. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    keys: Keys,
    local: Local<Slot, Held>,
    remote: Option<Remote>,
    /// Counts invalidations.
    epochs: Vec<AtomicU64>,
    reads: Reads,
}

/// The key in the process. The epoch is part of it, so that a read after an invalidation neither finds the old value
/// nor joins a fetch that began before it.
#[derive(PartialEq, Eq, Hash)]
struct Slot {
    place: Place,
    kind: &'static str,
    epoch: u64,
}

#[derive(Clone)]
struct Held {
    payload: Arc<[u8]>,
    ttl: Duration,
}

struct ByTtl;

impl Expiry<Slot, Held> for ByTtl {
    fn expire_after_create(&self, _: &Slot, held: &Held, _: Instant) -> Option<Duration> {
        Some(held.ttl)
    }
}

impl Cache {
    /// Makes the cache of the service `namespace`, sealing entries under `key` (`Vault::cache_key`). Call it inside
    /// the runtime. Redis is connected beside the start; without it the process's own layer serves alone.
    pub fn connect(redis: Option<&RedisSettings>, namespace: &str, key: &[u8; 32]) -> Self {
        let local = Local::builder()
            .max_capacity(LOCAL_BYTES)
            .weigher(|_, held: &Held| u32::try_from(held.payload.len() + 128).unwrap_or(u32::MAX))
            .expire_after(ByTtl)
            .build();
        Self(Arc::new(Inner {
            keys: Keys::new(key, namespace),
            local,
            remote: redis.map(Remote::connect),
            epochs: (0..STRIPES).map(|_| AtomicU64::new(0)).collect(),
            reads: Reads::of(namespace),
        }))
    }

    /// The value of `key`: cached, or fetched and then kept for `ttl`. Concurrent callers in this process share one
    /// fetch. An answer may be up to `ttl` old; after [`Cache::invalidate`] it is fresh in this process at once,
    /// and in the others within 2 s while Redis answers (without it, within `ttl`).
    ///
    /// # Errors
    /// The fetch's own, which is not kept. The cache adds none.
    pub async fn get_or_fetch<T, E, F>(&self, key: &str, ttl: Duration, fetch: F) -> Result<T, E>
    where
        T: Message + Default,
        E: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
    {
        let inner = &self.0;
        let place = inner.keys.place(key);
        let kind = std::any::type_name::<T>();
        let epoch = inner.epoch(&place).load(Ordering::Acquire);
        let mut fetched = None;
        let mut source = Source::Local;
        let fill = async {
            if let Some(held) = inner.recall::<T>(&place).await {
                source = Source::Redis;
                return Ok(held);
            }
            source = Source::Fetch;
            let value = fetch.await?;
            let payload: Arc<[u8]> = value.encode_to_vec().into();
            fetched = Some(value);
            self.store(Slot { place, kind, epoch }, payload.clone(), ttl);
            Ok(Held { payload, ttl: inner.local_ttl(ttl) })
        };
        let outcome = inner.local.try_get_with(Slot { place, kind, epoch }, fill).await;
        inner.reads.count(source);
        match (outcome, fetched) {
            (Err(error), _) => Err(E::clone(&error)),
            (Ok(_), Some(value)) => Ok(value),
            // The payload is what this process encoded, or was decoded once by `recall`.
            (Ok(held), None) => Ok(T::decode(&*held.payload).unwrap_or_default()),
        }
    }

    /// Forgets `key`. Call it after the commit that changed what it stands for.
    pub async fn invalidate(&self, key: &str) {
        let inner = &self.0;
        let place = inner.keys.place(key);
        inner.epoch(&place).fetch_add(1, Ordering::AcqRel);
        if let Some(remote) = &inner.remote {
            remote.remove(&inner.keys.redis_name(&place)).await;
        }
    }

    /// Writes to Redis beside the answer: nobody waits for it.
    fn store(&self, slot: Slot, payload: Arc<[u8]>, ttl: Duration) {
        if self.0.remote.is_none() {
            return;
        }
        let inner = self.0.clone();
        tokio::spawn(async move {
            let is_current = || inner.epoch(&slot.place).load(Ordering::Acquire) == slot.epoch;
            let (Some(remote), true) = (&inner.remote, is_current()) else { return };
            let Some(sealed) = inner.keys.seal(&slot.place, slot.kind, &payload, ttl) else { return };
            let name = inner.keys.redis_name(&slot.place);
            remote.put(&name, &sealed, ttl).await;
            if !is_current() {
                // Invalidated while it was written: the value may be the old one.
                remote.remove(&name).await;
            }
        });
    }
}

impl Inner {
    fn epoch(&self, place: &Place) -> &AtomicU64 {
        let stripe = usize::from(u16::from_le_bytes([place.id[0], place.id[1]])) % STRIPES;
        &self.epochs[stripe]
    }

    fn local_ttl(&self, ttl: Duration) -> Duration {
        if self.remote.is_some() { ttl.min(LOCAL_TTL) } else { ttl }
    }

    /// A live entry of Redis that decodes; one that does not was written by another release.
    async fn recall<T: Message + Default>(&self, place: &Place) -> Option<Held> {
        let sealed = self.remote.as_ref()?.get(&self.keys.redis_name(place)).await?;
        let (payload, left) = self.keys.open(place, std::any::type_name::<T>(), &sealed)?;
        T::decode(&*payload).ok()?;
        Some(Held { payload: payload.into(), ttl: self.local_ttl(left) })
    }
}
