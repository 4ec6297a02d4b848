//! The accept loop. Own rather than `axum::serve` because a fault must be able to abort the TCP
//! connection of one request without a byte of answer, which a response cannot express.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How long answers under way may take after the stop signal; hanging ones are cut then.
const GRACE: Duration = Duration::from_millis(500);

/// Pause after a failed accept (no file descriptors left), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The scissors for the connection that a request came in on; every request carries them as an extension.
#[derive(Clone, Default)]
pub(crate) struct Scissors(Arc<Notify>);

impl Scissors {
    /// Resets the connection (RST, not FIN). Never returns: the task that waits here ends with the connection.
    pub(crate) async fn cut(&self) -> Response {
        self.0.notify_one();
        std::future::pending().await
    }
}

/// Serves until `stop`, then drains within [`GRACE`].
pub(crate) async fn run(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone(), stop.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    // Whatever outlives the grace is aborted when the set is dropped.
    let _ = tokio::time::timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
}

async fn connection(stream: TcpStream, router: Router, stop: CancellationToken) {
    // Without it small answers wait for Nagle's timer; a refusal by the system only makes them slower.
    let _ = stream.set_nodelay(true);
    let scissors = Scissors::default();
    let handed_out = scissors.clone();
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(handed_out.clone());
        let answer = router.clone().oneshot(request.map(Body::new));
        async move { answer.await.map_err(|never: Infallible| never) }
    });
    let mut conn = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut stopping = false;
    loop {
        tokio::select! {
            // A client that goes away or speaks badly is its own affair.
            _ = &mut conn => return,
            () = scissors.0.notified() => return abort(conn.into_parts().io.into_inner()),
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                Pin::new(&mut conn).graceful_shutdown();
            }
        }
    }
}

/// Closes with RST: with a zero linger time the kernel throws the unsent rest away.
fn abort(stream: TcpStream) {
    // Where the option is refused the drop still closes without an answer, with FIN.
    let _ = stream.set_zero_linger();
    drop(stream);
}
