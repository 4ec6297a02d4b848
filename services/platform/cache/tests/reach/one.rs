//! One address.
use crate::pair::Pair;
use crate::server::{PASSWORD, SIGN_IN, Server, USER, free_port, until};

#[tokio::test]
async fn a_user_who_may_do_little_with_a_password_that_needs_encoding() {
    let server = Server::start(&format!("requirepass {PASSWORD}\n{}", USER)).await;
    let pair = Pair::connect(&format!("redis://{SIGN_IN}@127.0.0.1:{}/2", server.port), None);
    pair.shares(5).await;
    let keyspace: String = server.ask("INFO keyspace").await;
    assert!(keyspace.contains("db2:keys=") && !keyspace.contains("db0"), "{keyspace}");
    let wrong = Pair::connect(&format!("redis://eduhub:wrong@127.0.0.1:{}", server.port), None);
    wrong.shares_nothing().await;
}

#[tokio::test]
async fn a_server_that_comes_late_or_again_is_found() {
    let port = free_port();
    let pair = Pair::connect(&format!("redis://127.0.0.1:{port}"), None);
    pair.shares_nothing().await;
    let settings = format!("port {port}\nsave \"\"");
    let start = || Server::run(port, &settings, None);
    let mut server = start().await;
    pair.shares(3).await;
    server.kill();
    pair.shares_nothing().await;
    let again = start().await;
    pair.shares(3).await;
    until("entries are in the new server", || async { again.ask::<usize>("DBSIZE").await > 0 }).await;
}
