//! Two processes of a service, played by two caches: what one fetched the other finds in Redis, or does not.
use crate::server::until;
use eduhub_cache::{Cache, RedisSettings};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const TTL: Duration = Duration::from_secs(600);
/// A call may cost what Redis may take to answer (150 ms) on a busy machine, and not what a connection may take.
const AT_ONCE: Duration = Duration::from_millis(1_500);

#[derive(Clone, PartialEq, prost::Message)]
struct School {
    #[prost(string, tag = "1")]
    name: String,
}

pub struct Pair {
    one: Cache,
    two: Cache,
    keys: AtomicU32,
}

impl Pair {
    pub fn connect(url: &str, ca: Option<&str>) -> Self {
        let settings = RedisSettings::parse(url, ca.map(str::as_bytes)).unwrap();
        let space = format!("reach-{}", uuid::Uuid::new_v4().simple());
        let cache = || Cache::connect(Some(&settings), &space, &[7; 32]);
        Self { one: cache(), two: cache(), keys: AtomicU32::new(0) }
    }

    /// Whether a new entry came from one to the other within `wait`: it is written beside the answer. The answers are right
    /// in any case, and there at once.
    async fn share(&self, wait: Duration) -> bool {
        let key = format!("school/{}", self.keys.fetch_add(1, Ordering::Relaxed));
        assert!(has_to_fetch(&self.one, &key).await);
        tokio::time::sleep(wait).await;
        !has_to_fetch(&self.two, &key).await
    }

    /// Until `count` new entries in a row are shared.
    pub async fn shares(&self, count: u32) {
        let tries = AtomicU32::new(1);
        let shared = || async {
            // A machine that is too busy now gets more time the next time.
            let wait = Duration::from_millis(5) * tries.fetch_add(1, Ordering::Relaxed).min(40);
            for _ in 0..count {
                if !self.share(wait).await {
                    return false;
                }
            }
            true
        };
        until("one process finds what the other put into Redis", shared).await;
    }

    /// Each goes without Redis, though there is one.
    pub async fn shares_nothing(&self) {
        for _ in 0..3 {
            assert!(!self.share(Duration::from_millis(30)).await, "an entry came through Redis");
        }
    }
}

async fn has_to_fetch(cache: &Cache, key: &str) -> bool {
    let mut fetched = false;
    let began = Instant::now();
    let fetch = async {
        fetched = true;
        Ok::<_, String>(School { name: format!("name of {key}") })
    };
    let school = cache.get_or_fetch(key, TTL, fetch).await.unwrap();
    assert_eq!(school.name, format!("name of {key}"));
    assert!(began.elapsed() < AT_ONCE, "a call took {:?}", began.elapsed());
    fetched
}
