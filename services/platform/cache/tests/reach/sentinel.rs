//! A primary, a replica, and a Sentinel that promotes it.
use crate::pair::Pair;
use crate::server::{PASSWORD, SIGN_IN, Server, USER, free_port, until};
use crate::tls::Authority;
use std::collections::HashMap;

/// The user that docs/operators/redis.md makes for EduHub at the Sentinels.
const WATCHER: &str = "user watcher on >of-the-sentinel -@all +sentinel|masters +role";

struct Watched {
    primary: Server,
    replica: Server,
    sentinel: Server,
    /// A Sentinel that is gone.
    gone: u16,
}

impl Watched {
    async fn start(authority: Option<&Authority>) -> Self {
        let ca = authority.map(|authority| authority.pem.as_str());
        let node = async |more: &str| {
            let port = free_port();
            let listen = listen(port, authority);
            let settings = format!(
                "{listen}save \"\"\nrequirepass {PASSWORD}\nmasterauth {PASSWORD}\n\
                 repl-diskless-sync-delay 0\n{USER}\n{more}"
            );
            Server::run(port, &settings, ca).await
        };
        let primary = node("").await;
        let replica = node(&format!("replicaof 127.0.0.1 {}", primary.port)).await;
        // A Sentinel asks every 10 s: it should see the replica the first time.
        let linked = || async { replica.ask::<String>("INFO replication").await.contains("link_status:up") };
        until("the replica has what the primary has", linked).await;
        let port = free_port();
        let settings = format!(
            "{}sentinel monitor mymaster 127.0.0.1 {} 1\nsentinel auth-pass mymaster {PASSWORD}\n\
             sentinel down-after-milliseconds mymaster 500\nsentinel failover-timeout mymaster 4000\n\
             requirepass {PASSWORD}\n{WATCHER}",
            listen(port, authority),
            primary.port
        );
        let sentinel = Server::run(port, &settings, ca).await;
        let watched = Self { primary, replica, sentinel, gone: free_port() };
        until("the Sentinel knows the replica", || watched.knows_the_replica()).await;
        watched
    }

    async fn knows_the_replica(&self) -> bool {
        let replicas: Vec<HashMap<String, String>> = self.sentinel.ask("SENTINEL REPLICAS mymaster").await;
        replicas.iter().any(|known| {
            let is = |key: &str, value: &str| known.get(key).is_some_and(|found| found == value);
            is("port", &self.replica.port.to_string())
                && is("master-link-status", "ok")
                && is("flags", "slave")
        })
    }

    fn url(&self, scheme: &str) -> String {
        format!(
            "{scheme}+sentinel://{SIGN_IN}@127.0.0.1:{},127.0.0.1:{}/mymaster/1\
             ?sentinel_user=watcher&sentinel_password=of-the-sentinel",
            self.gone, self.sentinel.port
        )
    }
}

fn listen(port: u16, authority: Option<&Authority>) -> String {
    authority.map_or_else(|| format!("port {port}\n"), |authority| authority.listen(port))
}

#[tokio::test]
async fn the_primary_is_found_and_after_its_death_the_promoted_one() {
    let mut watched = Watched::start(None).await;
    let pair = Pair::connect(&watched.url("redis"), None);
    pair.shares(5).await;
    assert!(watched.primary.ask::<String>("INFO keyspace").await.contains("db1:keys="));
    watched.primary.kill();
    // Nobody is primary for a while: every call of these is timed.
    pair.shares(5).await;
    let role: Vec<redis::Value> = watched.replica.ask("ROLE").await;
    assert_eq!(role.first(), Some(&redis::Value::BulkString(b"master".to_vec())), "{role:?}");
}

#[tokio::test]
async fn a_primary_that_hangs_is_left_for_the_promoted_one() {
    let watched = Watched::start(None).await;
    let pair = Pair::connect(&watched.url("redis"), None);
    pair.shares(5).await;
    watched.primary.hang();
    pair.shares(5).await;
    let role: Vec<redis::Value> = watched.replica.ask("ROLE").await;
    assert_eq!(role.first(), Some(&redis::Value::BulkString(b"master".to_vec())), "{role:?}");
}

#[tokio::test]
async fn a_primary_that_was_demoted_is_left() {
    let watched = Watched::start(None).await;
    let pair = Pair::connect(&watched.url("redis"), None);
    pair.shares(5).await;
    let () = watched.sentinel.ask("SENTINEL FAILOVER mymaster").await;
    let demoted = || async {
        let role: Vec<redis::Value> = watched.primary.ask("ROLE").await;
        role.first() == Some(&redis::Value::BulkString(b"slave".to_vec()))
    };
    until("the primary was demoted", demoted).await;
    pair.shares(5).await;
}

#[tokio::test]
async fn tls_leads_to_sentinels_and_primary() {
    let authority = Authority::new();
    let watched = Watched::start(Some(&authority)).await;
    Pair::connect(&watched.url("rediss"), Some(&authority.pem)).shares(5).await;
    let stranger = Authority::new();
    let wrong = Pair::connect(&watched.url("rediss"), Some(&stranger.pem));
    wrong.shares_nothing().await;
}

#[tokio::test]
async fn wrong_passwords_and_names_are_absences() {
    let watched = Watched::start(None).await;
    let good = watched.url("redis");
    for (is, instead) in [("p%40ss", "wrong"), ("of-the-sentinel", "wrong"), ("mymaster", "another")] {
        let wrong = Pair::connect(&good.replacen(is, instead, 1), None);
        wrong.shares_nothing().await;
    }
}
