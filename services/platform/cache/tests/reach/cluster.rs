//! Three primaries, and a replica of the first.
use crate::pair::Pair;
use crate::server::{PASSWORD, SIGN_IN, Server, USER, free_port, until};
use crate::tls::Authority;

const SLOTS: [std::ops::Range<u16>; 3] = [0..5461, 5461..10923, 10923..16384];

struct Cluster {
    /// The replica is the last.
    nodes: Vec<Server>,
}

impl Cluster {
    async fn start(authority: Option<&Authority>) -> Self {
        let mut nodes = Vec::new();
        for _ in 0..=SLOTS.len() {
            let port = free_port();
            let listen = authority.map_or_else(
                || format!("port {port}\n"),
                |authority| format!("{}tls-cluster yes\n", authority.listen(port)),
            );
            let settings = format!(
                "{listen}save \"\"\ncluster-enabled yes\ncluster-node-timeout 1000\nrepl-diskless-sync-delay 0\n\
                 requirepass {PASSWORD}\nmasterauth {PASSWORD}\n{USER}"
            );
            nodes.push(Server::run(port, &settings, authority.map(|authority| authority.pem.as_str())).await);
        }
        for (node, slots) in nodes.iter().zip(SLOTS) {
            let slots: Vec<_> = slots.map(|slot| slot.to_string()).collect();
            let () = node.ask(&format!("CLUSTER ADDSLOTS {}", slots.join(" "))).await;
        }
        for node in &nodes[1..] {
            let () = nodes[0].ask(&format!("CLUSTER MEET 127.0.0.1 {}", node.port)).await;
        }
        let cluster = Self { nodes };
        until("all nodes know all slots", || cluster.is_whole()).await;
        let first: String = cluster.nodes[0].ask("CLUSTER MYID").await;
        let () = cluster.nodes[3].ask(&format!("CLUSTER REPLICATE {first}")).await;
        let replicated =
            || async { cluster.nodes[3].ask::<String>("INFO replication").await.contains("link_status:up") };
        until("the replica has what the first has", replicated).await;
        let told = || async {
            cluster.nodes[1].ask::<String>("CLUSTER NODES").await.contains(&format!("slave {first}"))
        };
        until("the others know the replica", told).await;
        cluster
    }

    async fn is_whole(&self) -> bool {
        for node in &self.nodes {
            let info: String = node.ask("CLUSTER INFO").await;
            if !info.contains("cluster_state:ok") || !info.contains("cluster_known_nodes:4") {
                return false;
            }
        }
        true
    }

    /// Some of its nodes: the others are found through them.
    fn url(&self, scheme: &str) -> String {
        format!(
            "{scheme}+cluster://{SIGN_IN}@127.0.0.1:{},127.0.0.1:{}",
            self.nodes[1].port, self.nodes[2].port
        )
    }
}

#[tokio::test]
async fn entries_are_spread_and_a_lost_node_is_replaced() {
    let mut cluster = Cluster::start(None).await;
    let pair = Pair::connect(&cluster.url("redis"), None);
    pair.shares(40).await;
    for node in &cluster.nodes[..3] {
        assert!(node.ask::<usize>("DBSIZE").await > 0, "no entry in one of the nodes");
    }
    cluster.nodes[0].kill();
    // Every call of these is timed, while the node is missed and after its replica took over.
    pair.shares(40).await;
    let role: Vec<redis::Value> = cluster.nodes[3].ask("ROLE").await;
    assert_eq!(role.first(), Some(&redis::Value::BulkString(b"master".to_vec())), "{role:?}");
}

#[tokio::test]
async fn tls_leads_to_every_node() {
    let authority = Authority::new();
    let cluster = Cluster::start(Some(&authority)).await;
    Pair::connect(&cluster.url("rediss"), Some(&authority.pem)).shares(40).await;
    let stranger = Authority::new();
    let wrong = Pair::connect(&cluster.url("rediss"), Some(&stranger.pem));
    wrong.shares_nothing().await;
}
