//! The cache with Redis sound, dead, hung, flushed and filled with rubbish: answers stay right.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use eduhub_cache::{Cache, RedisSettings};

const KEY: [u8; 32] = *b"0123456789abcdef0123456789abcdef";
const TTL: Duration = Duration::from_secs(60);

#[derive(Clone, PartialEq, prost::Message)]
struct School {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Class {
    #[prost(string, tag = "1")]
    label: String,
}

fn redis_url() -> String {
    std::env::var("EDUHUB_TEST_REDIS_URL")
        .expect("EDUHUB_TEST_REDIS_URL must name a Redis for tests, such as redis://127.0.0.1:6390 (scripts/test sets it)")
}

/// A namespace of its own for each test: they share one Redis.
fn namespace() -> String {
    format!("test-{}", uuid::Uuid::new_v4().simple())
}

async fn redis() -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(redis_url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}

/// A source that counts how often it is asked.
#[derive(Clone, Default)]
struct Source(Arc<AtomicU32>);

impl Source {
    fn fetch(&self, name: &str) -> impl Future<Output = Result<School, String>> + use<> {
        let (asked, name) = (self.0.clone(), name.to_owned());
        async move {
            asked.fetch_add(1, Ordering::SeqCst);
            Ok(School { name })
        }
    }

    fn asked(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The Redis keys of a namespace. The write is done beside the answer, so this waits for `count` of them.
async fn entries(namespace: &str, count: usize) -> Vec<String> {
    let mut connection = redis().await;
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let pattern = format!("eduhub:{namespace}:*");
        let found: Vec<String> = redis::cmd("KEYS").arg(pattern).query_async(&mut connection).await.unwrap();
        if found.len() == count {
            return found;
        }
        assert!(Instant::now() < until, "{} entries, expected {count}", found.len());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn replicas_share_what_one_fetched_and_it_is_not_readable_in_redis() {
    let space = namespace();
    let (one, two) = (connect(&space), connect(&space));
    let source = Source::default();
    let name = "Trường THPT Nguyễn Trãi";
    assert_eq!(one.get_or_fetch("s", TTL, source.fetch(name)).await.unwrap().name, name);
    let keys = entries(&space, 1).await;
    let stored: Vec<u8> = redis::cmd("GET").arg(&keys[0]).query_async(&mut redis().await).await.unwrap();
    assert!(!stored.windows(name.len()).any(|part| part == name.as_bytes()));
    let left: i64 = redis::cmd("PTTL").arg(&keys[0]).query_async(&mut redis().await).await.unwrap();
    assert!(left > 0 && left <= 60_000, "{left}");
    assert_eq!(two.get_or_fetch("s", TTL, source.fetch("other")).await.unwrap().name, name);
    assert_eq!(source.asked(), 1);
}

fn connect(space: &str) -> Cache {
    Cache::connect(Some(&RedisSettings::parse(&redis_url(), None).unwrap()), space, &KEY)
}

#[tokio::test]
async fn rubbish_in_redis_is_a_miss() {
    let space = namespace();
    let source = Source::default();
    connect(&space).get_or_fetch("s", TTL, source.fetch("right")).await.unwrap();
    let key = entries(&space, 1).await.remove(0);
    let mut connection = redis().await;
    let sealed: Vec<u8> = redis::cmd("GET").arg(&key).query_async(&mut connection).await.unwrap();
    let mut flipped = sealed.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let plain = prost::Message::encode_to_vec(&School { name: "forged".into() });
    let rubbish: Vec<Vec<u8>> = vec![vec![], vec![0; 5], flipped, plain, vec![b'x'; 3 << 20]];
    for (index, bytes) in rubbish.into_iter().enumerate() {
        let () = redis::cmd("SET").arg(&key).arg(&bytes).query_async(&mut connection).await.unwrap();
        let answer = connect(&space).get_or_fetch("s", TTL, source.fetch("right")).await.unwrap();
        assert_eq!(answer.name, "right", "rubbish {index}");
        assert_eq!(
            source.asked(),
            u32::try_from(index).unwrap() + 2,
            "rubbish {index} was taken for an entry"
        );
        healed(&mut connection, &key, &bytes).await;
    }
    // A key of another type makes Redis refuse the command.
    let () = redis::pipe().del(&key).lpush(&key, "x").exec_async(&mut connection).await.unwrap();
    let cache = connect(&space);
    assert_eq!(cache.get_or_fetch("s", TTL, source.fetch("right")).await.unwrap().name, "right");
    // An entry moved to another key, and one of another type of value.
    let () = redis::cmd("SET").arg(&key).arg(&sealed).query_async(&mut connection).await.unwrap();
    let cache = connect(&space);
    let class = cache.get_or_fetch("s", TTL, async { Ok::<_, String>(Class { label: "6A".into() }) });
    assert_eq!(class.await.unwrap().label, "6A");
}

/// Waits until what was fetched has taken the place of the rubbish.
async fn healed(connection: &mut redis::aio::MultiplexedConnection, key: &str, rubbish: &[u8]) {
    let until = Instant::now() + Duration::from_secs(5);
    while redis::cmd("GET").arg(key).query_async::<Vec<u8>>(connection).await.unwrap() == rubbish {
        assert!(Instant::now() < until, "the rubbish was left in place");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_entry_copied_to_another_key_does_not_open() {
    let space = namespace();
    let cache = connect(&space);
    cache.get_or_fetch("a", TTL, Source::default().fetch("A")).await.unwrap();
    let first = entries(&space, 1).await.remove(0);
    cache.get_or_fetch("b", TTL, Source::default().fetch("B")).await.unwrap();
    let second = entries(&space, 2).await.into_iter().find(|key| *key != first).unwrap();
    let mut connection = redis().await;
    let sealed: Vec<u8> = redis::cmd("GET").arg(&first).query_async(&mut connection).await.unwrap();
    let () = redis::cmd("SET").arg(&second).arg(sealed).query_async(&mut connection).await.unwrap();
    let answer = connect(&space).get_or_fetch("b", TTL, Source::default().fetch("B")).await.unwrap();
    assert_eq!(answer.name, "B");
}

#[tokio::test]
async fn an_invalidated_key_is_fetched_again_everywhere() {
    let space = namespace();
    let (one, two) = (connect(&space), connect(&space));
    let source = Source::default();
    one.get_or_fetch("s", TTL, source.fetch("old")).await.unwrap();
    entries(&space, 1).await;
    one.invalidate("s").await;
    entries(&space, 0).await;
    assert_eq!(one.get_or_fetch("s", TTL, source.fetch("new")).await.unwrap().name, "new");
    assert_eq!(two.get_or_fetch("s", TTL, source.fetch("new")).await.unwrap().name, "new");
}

#[tokio::test]
async fn a_read_after_an_invalidation_does_not_join_an_older_fetch() {
    let cache = Cache::connect(None, "test", &KEY);
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let (begun, at_work) = tokio::sync::oneshot::channel::<()>();
    let slow = tokio::spawn({
        let cache = cache.clone();
        async move {
            let fetch = async {
                begun.send(()).unwrap();
                wait.await.unwrap();
                Ok::<_, String>(School { name: "old".into() })
            };
            cache.get_or_fetch("s", TTL, fetch).await
        }
    });
    at_work.await.unwrap();
    cache.invalidate("s").await;
    let source = Source::default();
    assert_eq!(cache.get_or_fetch("s", TTL, source.fetch("new")).await.unwrap().name, "new");
    go.send(()).unwrap();
    slow.await.unwrap().unwrap();
    assert_eq!(cache.get_or_fetch("s", TTL, source.fetch("newer")).await.unwrap().name, "new");
}

#[tokio::test]
async fn fifty_concurrent_readers_cost_one_fetch() {
    let cache = Cache::connect(None, "test", &KEY);
    let source = Source::default();
    let all = Arc::new(tokio::sync::Barrier::new(50));
    let readers: Vec<_> = (0..50)
        .map(|_| {
            let (cache, source, all) = (cache.clone(), source.clone(), all.clone());
            tokio::spawn(async move {
                all.wait().await;
                let fetch = async {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    source.fetch("one").await
                };
                cache.get_or_fetch("s", TTL, fetch).await.unwrap().name
            })
        })
        .collect();
    for reader in readers {
        assert_eq!(reader.await.unwrap(), "one");
    }
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn an_error_is_given_to_the_caller_and_not_kept() {
    let cache = Cache::connect(None, "test", &KEY);
    let failed =
        cache.get_or_fetch::<School, _, _>("s", TTL, async { Err("database down".to_owned()) }).await;
    assert_eq!(failed.unwrap_err(), "database down");
    assert_eq!(cache.get_or_fetch("s", TTL, Source::default().fetch("up")).await.unwrap().name, "up");
}

#[tokio::test]
async fn an_entry_ends_with_its_time() {
    let cache = Cache::connect(None, "test", &KEY);
    let source = Source::default();
    let short = Duration::from_millis(80);
    cache.get_or_fetch("s", short, source.fetch("a")).await.unwrap();
    assert_eq!(cache.get_or_fetch("s", short, source.fetch("b")).await.unwrap().name, "a");
    tokio::time::sleep(short * 2).await;
    assert_eq!(cache.get_or_fetch("s", short, source.fetch("b")).await.unwrap().name, "b");
}

/// Twenty distinct keys through a Redis that is not there: all right, and only the first may wait, for the first connection.
async fn costs_little_without(url: &str) {
    let cache = Cache::connect(Some(&RedisSettings::parse(url, None).unwrap()), "test", &KEY);
    let source = Source::default();
    let began = Instant::now();
    for index in 0..20 {
        let answer = cache.get_or_fetch(&format!("k{index}"), TTL, source.fetch("right")).await.unwrap();
        assert_eq!(answer.name, "right");
    }
    assert_eq!(source.asked(), 20);
    assert!(began.elapsed() < Duration::from_millis(1_800), "took {:?}", began.elapsed());
    cache.invalidate("k1").await;
    assert_eq!(cache.get_or_fetch("k1", TTL, source.fetch("new")).await.unwrap().name, "new");
}

#[tokio::test]
async fn a_dead_redis_costs_little() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    costs_little_without(&format!("redis://{free}")).await;
}

#[tokio::test]
async fn a_hung_redis_costs_little() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            held.push(socket); // accepted, never answered
        }
    });
    costs_little_without(&format!("redis://{address}")).await;
}
