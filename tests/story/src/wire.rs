//! The wire between a vendor and registry, which can be cut.
use anyhow::Result;
use rand::Rng;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// A relay on a loopback port. [`Wire::cut`] breaks every connection that goes through it, in the middle of whatever it
/// carries; new ones are let through again.
pub struct Wire {
    /// Where clients connect to.
    pub addr: SocketAddr,
    cuts: Arc<watch::Sender<u64>>,
    broken: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Wire {
    /// A relay to an address.
    pub async fn to(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let (cuts, heard) = watch::channel(0);
        let broken = Arc::new(AtomicU64::new(0));
        let count = broken.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, target, heard.clone(), count.clone()));
            }
        });
        Ok(Self { addr, cuts: Arc::new(cuts), broken, task })
    }

    /// Breaks all connections of this moment.
    pub fn cut(&self) {
        self.cuts.send_modify(|n| *n += 1);
    }

    /// Connections that were broken.
    pub fn broken(&self) -> u64 {
        self.broken.load(Ordering::Relaxed)
    }
}

async fn relay(
    mut client: TcpStream,
    target: SocketAddr,
    mut cuts: watch::Receiver<u64>,
    broken: Arc<AtomicU64>,
) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    cuts.mark_unchanged();
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        Ok(()) = cuts.changed() => {
            broken.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A batch at which a push is cut: somewhere from the first to the last.
pub fn random_batch(batches: u32) -> u32 {
    rand::rng().random_range(1..=batches.max(1))
}
