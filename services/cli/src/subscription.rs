//! A stored subscription beside an own copy: it tells the hub how far the copy is, so that the log is kept for it.
use crate::copy::Scope;
use crate::explain;
use crate::hub::Hub;
use crate::output;
use crate::server::Server;
use crate::watch::WatchError;
use eduhub_proto::common::v1::{AcknowledgeRequest, CreateSubscriptionRequest};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Between two acknowledgements.
const PAUSE: Duration = Duration::from_secs(10);

/// Acknowledges what the copy holds, now and then and at the end.
pub struct Subscription {
    cursor: watch::Sender<Vec<u8>>,
    end: CancellationToken,
    task: JoinHandle<()>,
}

impl Subscription {
    /// Makes the subscription of this name for a copy's scope, or takes the one that is there.
    ///
    /// # Errors
    /// The hub's refusal; the server's address.
    pub async fn open<H: Hub>(server: &Server, name: &str, scope: &Scope) -> Result<Self, WatchError> {
        let request = CreateSubscriptionRequest {
            name: name.to_owned(),
            kinds: scope.kinds.clone(),
            school_codes: scope.schools.clone(),
            cursor: vec![],
        };
        let channel = server.channel()?;
        H::subscribe(channel.clone(), request).await.map_err(|s| WatchError::Refused(Box::new(s)))?;
        let (cursor, mut kept) = watch::channel(vec![]);
        let (name, end) = (name.to_owned(), CancellationToken::new());
        let ending = end.clone();
        let task = tokio::spawn(async move {
            // Ends after the last one when the sender is gone.
            while kept.changed().await.is_ok() {
                let cursor = kept.borrow_and_update().clone();
                let request = AcknowledgeRequest { name: name.clone(), cursor };
                if let Err(status) = H::acknowledge(channel.clone(), request).await {
                    // The copy does not need it; the next one covers it.
                    output::note(format!("the subscription lags: {}", explain::short(&status)));
                }
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = ending.cancelled() => {}
                }
            }
        });
        Ok(Self { cursor, end, task })
    }

    /// The copy holds everything up to a cursor for good.
    pub fn kept(&self, cursor: &[u8]) {
        self.cursor.send_replace(cursor.to_vec());
    }

    /// Waits until the last cursor is acknowledged.
    pub async fn close(self) {
        drop(self.cursor);
        self.end.cancel();
        // Its task never panics; if it did, the log is kept a little longer.
        let _ = self.task.await;
    }
}
