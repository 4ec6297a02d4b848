//! A Redis of the test's own, which it may ruin and end.
use eduhub_stack::free_ports;
use redis::aio::MultiplexedConnection;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

/// A server on a free loopback port that writes nothing to disk; killed when dropped.
pub struct PrivateRedis {
    child: Child,
    pub url: String,
}

impl PrivateRedis {
    pub async fn start() -> Self {
        let port = free_ports(1).unwrap()[0].port();
        let mut child = Command::new("redis-server")
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("redis-server: scripts/test installs it");
        // By standard input, as scripts/lib/redis.sh does: the password is in no argument list.
        let password = uuid::Uuid::new_v4().simple().to_string();
        let settings =
            format!("bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave \"\"\nappendonly no\n");
        let mut input = child.stdin.take().unwrap();
        input.write_all(settings.as_bytes()).await.unwrap();
        drop(input);
        let redis = Self { child, url: format!("redis://:{password}@127.0.0.1:{port}/0") };
        for _ in 0..100 {
            if redis.connection().await.is_ok() {
                return redis;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("redis-server does not answer");
    }

    async fn connection(&self) -> redis::RedisResult<MultiplexedConnection> {
        redis::Client::open(self.url.as_str())?.get_multiplexed_async_connection().await
    }

    /// Puts something else under every key: noise, emptiness, another type, too much, and the entry of another key.
    /// Gives how many keys there were.
    pub async fn spoil(&self) -> usize {
        let mut redis = self.connection().await.unwrap();
        let mut keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut redis).await.unwrap();
        keys.sort();
        let mut entries: Vec<Vec<u8>> = Vec::new();
        for key in &keys {
            let entry = redis::cmd("GETRANGE").arg(key).arg(0).arg(-1).query_async(&mut redis).await;
            entries.push(entry.unwrap_or_default());
        }
        for (n, key) in keys.iter().enumerate() {
            let of_another = entries[(n + 1) % entries.len()].clone();
            let rubbish = match n % 4 {
                0 => of_another,
                1 => b"rubbish \xff\x00{}[]".to_vec(),
                2 => vec![0x5a; 2 << 20],
                _ => {
                    let _: () = redis::cmd("DEL").arg(key).query_async(&mut redis).await.unwrap();
                    let _: () = redis::cmd("LPUSH").arg(key).arg("x").query_async(&mut redis).await.unwrap();
                    continue;
                }
            };
            let _: () = redis::cmd("SET").arg(key).arg(rubbish).query_async(&mut redis).await.unwrap();
        }
        keys.len()
    }

    /// How many keys there are.
    pub async fn keys(&self) -> usize {
        let mut redis = self.connection().await.unwrap();
        redis::cmd("DBSIZE").query_async(&mut redis).await.unwrap()
    }

    /// Ends it at once, as a crash would.
    pub async fn end(&mut self) {
        self.child.kill().await.unwrap();
        assert!(self.connection().await.is_err(), "Redis still answers");
    }
}
