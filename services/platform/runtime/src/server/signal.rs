use tokio::signal::unix::{SignalKind, signal};

/// Resolves at SIGTERM (Kubernetes) or SIGINT (a terminal).
///
/// If a handler can't be installed it never resolves by that signal, and says so in the log.
pub async fn stop_signal() {
    let name = tokio::select! {
        () = caught(SignalKind::terminate()) => "SIGTERM",
        () = caught(SignalKind::interrupt()) => "SIGINT",
    };
    tracing::info!(signal = name, "asked to stop");
}

async fn caught(kind: SignalKind) {
    match signal(kind) {
        Ok(mut stream) => {
            stream.recv().await;
        }
        Err(error) => {
            tracing::error!(%error, ?kind, "no handler for this signal");
            std::future::pending().await
        }
    }
}
