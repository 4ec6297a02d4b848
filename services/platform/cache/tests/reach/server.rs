//! A redis-server of the test's own on loopback, in a directory of its own; ended by its process when dropped.
use rand::Rng;
use redis::aio::MultiplexedConnection;
use redis::{Client, FromRedisValue, TlsCertificates};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Long for a test on a busy machine; nothing waits for its end when all is well.
pub const LONG: Duration = Duration::from_secs(60);

/// What the tests themselves and the servers sign in with.
pub const PASSWORD: &str = "of-the-test";

/// The user that docs/operators/redis.md makes for EduHub, and how a URL says it.
pub const USER: &str =
    "user eduhub on >p@ss ~eduhub:* -@all +getrange +set +del +select +role +ping +cluster|slots";
pub const SIGN_IN: &str = "eduhub:p%40ss";

pub struct Server {
    pub port: u16,
    child: Child,
    client: Client,
    dir: TempDir,
}

/// Ports below those of outgoing connections, and low enough for a cluster's second port, 10,000 above.
pub fn free_port() -> u16 {
    let mut rng = rand::rng();
    for _ in 0..1_000 {
        let port = rng.random_range(20_000..30_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok()
            && TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok()
        {
            return port;
        }
    }
    panic!("no port is free");
}

/// Asks `holds` again and again until it does.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let end = Instant::now() + LONG;
    while !holds().await {
        assert!(Instant::now() < end, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

impl Server {
    /// A server in the clear with these lines of settings, which keeps nothing.
    pub async fn start(settings: &str) -> Self {
        let port = free_port();
        Self::run(port, &format!("port {port}\nsave \"\"\n{settings}"), None).await
    }

    /// `settings` say everything but where it lives, and with them whether it is a Sentinel; with `ca` the test asks it
    /// through TLS. It answers when this returns.
    pub async fn run(port: u16, settings: &str, ca: Option<&str>) -> Self {
        let dir = TempDir::new().unwrap();
        let file = dir.path().join("redis.conf");
        let place = dir.path().display();
        std::fs::write(
            &file,
            format!("bind 127.0.0.1\ndir \"{place}\"\nlogfile \"{place}/log\"\n{settings}\n"),
        )
        .unwrap();
        let child = Command::new("redis-server")
            .arg(&file)
            .args(settings.contains("sentinel monitor").then_some("--sentinel"))
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server: scripts/test installs it");
        let password = settings.lines().find_map(|line| line.strip_prefix("requirepass "));
        let server = Self { port, child, client: client(port, password, ca), dir };
        let end = Instant::now() + LONG;
        while server.connection().await.is_err() {
            assert!(Instant::now() < end, "redis-server does not answer: {}", server.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        server
    }

    pub async fn connection(&self) -> redis::RedisResult<MultiplexedConnection> {
        let mut connection = self.client.get_multiplexed_async_connection().await?;
        redis::cmd("PING").query_async::<String>(&mut connection).await?;
        Ok(connection)
    }

    /// Its answer to a command written as in redis-cli.
    pub async fn ask<T: FromRedisValue>(&self, command: &str) -> T {
        let mut parts = command.split_whitespace();
        let mut cmd = redis::cmd(parts.next().unwrap());
        for part in parts {
            cmd.arg(part);
        }
        cmd.query_async(&mut self.connection().await.unwrap()).await.unwrap()
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// It stands still, and its connections stay.
    pub fn hang(&self) {
        let done =
            Command::new("sh").args(["-c", &format!("kill -STOP {}", self.child.id())]).status().unwrap();
        assert!(done.success());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn client(port: u16, password: Option<&str>, ca: Option<&str>) -> Client {
    let secret = password.map(|password| format!(":{password}@")).unwrap_or_default();
    let Some(ca) = ca else { return Client::open(format!("redis://{secret}127.0.0.1:{port}")).unwrap() };
    eduhub_runtime::install_crypto_provider();
    let certificates = TlsCertificates { client_tls: None, root_cert: Some(ca.as_bytes().to_vec()) };
    Client::build_with_tls(format!("rediss://{secret}127.0.0.1:{port}"), certificates).unwrap()
}
