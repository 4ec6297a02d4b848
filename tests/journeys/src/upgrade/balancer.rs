//! Connections to whichever instance takes them, in turns, bytes untouched: what a Kubernetes service does.
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// A listener in front of several servers. An instance that refuses the connection is passed over.
pub struct Balancer {
    pub url: String,
    behind: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Balancer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let behind = Arc::<Mutex<Vec<_>>>::default();
        let servers = behind.clone();
        tokio::spawn(async move {
            let turn = Arc::new(AtomicUsize::new(0));
            while let Ok((client, _)) = listener.accept().await {
                let servers: Vec<_> = servers.lock().unwrap().clone();
                tokio::spawn(pass(client, servers, turn.clone()));
            }
        });
        Self { url, behind }
    }

    pub fn put(&self, server: SocketAddr) {
        self.behind.lock().unwrap().push(server);
    }
}

async fn pass(mut client: TcpStream, servers: Vec<SocketAddr>, turn: Arc<AtomicUsize>) {
    let first = turn.fetch_add(1, Ordering::Relaxed);
    for n in 0..servers.len() {
        if let Ok(mut server) = TcpStream::connect(servers[(first + n) % servers.len()]).await {
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let _ = copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}
