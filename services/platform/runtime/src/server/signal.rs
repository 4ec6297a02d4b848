use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// A future that resolves at SIGTERM (Kubernetes) or SIGINT (a terminal). The handlers stand when this returns, so a
/// signal that comes before the future is polled is not lost.
///
/// A handler that can't be installed is said in the log, and the other one still works.
pub fn stop_signal() -> impl Future<Output = ()> + Send {
    let terminate = handler(SignalKind::terminate());
    let interrupt = handler(SignalKind::interrupt());
    async move {
        let name = tokio::select! {
            () = caught(terminate) => "SIGTERM",
            () = caught(interrupt) => "SIGINT",
        };
        tracing::info!(signal = name, "asked to stop");
    }
}

fn handler(kind: SignalKind) -> Option<Signal> {
    signal(kind).inspect_err(|error| tracing::error!(%error, ?kind, "no handler for this signal")).ok()
}

async fn caught(signal: Option<Signal>) {
    match signal {
        Some(mut signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
