//! Following a feed into a copy (contract: `eduhub/common/v1/feed.proto`).
use crate::copy::{Applied, CopyError, Place};
use crate::hub::{Hub, Watched};
use crate::retry::{Pauses, worth_repeating};
use crate::server::Server;
use eduhub_faults::{Reason, reason_of};
use eduhub_proto::common::v1::{Checkpoint, ScopeChange, WatchRequest};
use eduhub_runtime::client::ClientError;
use futures::FutureExt;
use prost::Message;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// The server gives a sign of life every few seconds; a line that is quiet for longer is dead.
const QUIET: Duration = Duration::from_secs(45);
/// Changes that are kept in one write at most, when they come faster than they are written.
const TOGETHER: usize = 5_000;
/// Attempts in a row without a message before giving up.
const ATTEMPTS: usize = 60;

/// What happens while following.
#[derive(Debug)]
pub enum Event<'a> {
    /// The stream is open.
    Connected {
        /// True when it goes on from the copy's cursor, false when a snapshot comes first.
        resumed: bool,
    },
    /// A batch is in the copy, on disk.
    Applied {
        /// What became of its changes.
        applied: Applied,
        /// Live records of the copy now.
        records: u64,
    },
    /// Nothing new; the copy is as recent as this tells.
    Checkpoint(&'a Checkpoint),
    /// What may be seen has changed; what left is no longer in the copy.
    Scope(&'a ScopeChange),
    /// The feed no longer knows the copy's cursor: the copy was emptied, a new snapshot comes.
    Restarted(Reason),
    /// The connection broke and is tried again after the pause.
    Lost {
        /// Why.
        status: &'a Status,
        /// Pause before the next attempt.
        pause: Duration,
    },
}

/// Why following ended.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The feed refuses it, and would again.
    #[error("the feed refused: {}", crate::explain::short(.0))]
    Refused(Box<Status>),
    /// The feed could not be reached for too long; the copy keeps its place.
    #[error("gave up: {}", crate::explain::short(.0))]
    GaveUp(Box<Status>),
    /// The copy.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The copy and the hub do not agree.
    #[error("the copy differs from the hub in schools {}", .0.join(", "))]
    Differs(Vec<String>),
    /// The server's address or certificates are not usable.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Follows a feed into a copy until `stop`. The copy's scope is the filter. Whenever this ends, also by a kill, the copy is
/// whole and following it again goes on where it stood.
///
/// # Errors
/// [`WatchError`]; after [`WatchError::Copy`] the place must be opened again.
pub async fn follow<H: Hub>(
    server: &Server,
    copy: &mut impl Place,
    stop: &CancellationToken,
    mut progress: impl FnMut(Event<'_>) + Send,
) -> Result<(), WatchError> {
    let mut pauses = Pauses::new(ATTEMPTS);
    loop {
        let ended = connection::<H>(server, copy, stop, &mut pauses, &mut progress).await;
        let status = match ended {
            Ok(()) => return Ok(()),
            Err(WatchError::Refused(status)) => status,
            Err(other) => return Err(other),
        };
        match reason_of(&status) {
            Some(reason @ (Reason::CursorExpired | Reason::CursorForeign | Reason::CursorMalformed))
                if copy.cursor().is_some() =>
            {
                copy.reset().await?;
                progress(Event::Restarted(reason));
                continue;
            }
            _ if !worth_repeating(&status) => return Err(WatchError::Refused(status)),
            _ => {}
        }
        let Some(pause) = pauses.next(Some(&status)) else { return Err(WatchError::GaveUp(status)) };
        progress(Event::Lost { status: &status, pause });
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// One connection: `Ok` when stopped, `Refused` for whatever the stream ended with.
async fn connection<H: Hub>(
    server: &Server,
    copy: &mut impl Place,
    stop: &CancellationToken,
    pauses: &mut Pauses,
    progress: &mut (impl FnMut(Event<'_>) + Send),
) -> Result<(), WatchError> {
    let refused = |status: Status| WatchError::Refused(Box::new(status));
    let request = WatchRequest {
        cursor: copy.cursor().unwrap_or_default().to_vec(),
        kinds: copy.scope().kinds.clone(),
        school_codes: copy.scope().schools.clone(),
        ..WatchRequest::default()
    };
    let opening = H::watch(server.channel()?, request);
    let mut stream = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        opened = opening => opened.map_err(refused)?,
    };
    progress(Event::Connected { resumed: copy.cursor().is_some() });
    loop {
        let message = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            message = tokio::time::timeout(QUIET, stream.message()) => message,
        };
        let quiet = |_| refused(Status::unavailable("the feed was silent for too long"));
        let ended = || refused(Status::unavailable("the server ended the feed"));
        let reply = message.map_err(quiet)?.map_err(refused)?.ok_or_else(ended)?;
        pauses.reset();
        let (mut changes, mut cursor) = match H::watched(reply) {
            Watched::Changes(changes, cursor) => (changes, cursor),
            other => {
                keep::<H>(copy, other, progress).await?;
                continue;
            }
        };
        // What has come meanwhile is one write with it; what is not changes is kept after them.
        let mut next = None;
        while next.is_none() && changes.len() < TOGETHER {
            match stream.message().now_or_never() {
                Some(Ok(Some(reply))) => match H::watched(reply) {
                    Watched::Changes(more, later) => {
                        changes.extend(more);
                        cursor = later;
                    }
                    other => next = Some(Ok(other)),
                },
                Some(Ok(None)) => next = Some(Err(ended())),
                Some(Err(status)) => next = Some(Err(refused(status))),
                None => break,
            }
        }
        keep::<H>(copy, Watched::Changes(changes, cursor), progress).await?;
        if let Some(next) = next {
            keep::<H>(copy, next?, progress).await?;
        }
    }
}

/// Keeps one message of the feed.
async fn keep<H: Hub>(
    copy: &mut impl Place,
    message: Watched<H::Change>,
    progress: &mut (impl FnMut(Event<'_>) + Send),
) -> Result<(), WatchError> {
    match message {
        Watched::Changes(changes, cursor) => {
            let changes = changes.iter().map(Message::encode_to_vec).collect();
            let applied = copy.apply(changes, cursor).await?;
            progress(Event::Applied { applied, records: copy.records() });
        }
        Watched::Checkpoint(checkpoint) => {
            copy.checkpoint(checkpoint.cursor.clone(), checkpoint.live).await?;
            progress(Event::Checkpoint(&checkpoint));
        }
        Watched::Scope(change) => {
            copy.rescope(&change).await?;
            progress(Event::Scope(&change));
        }
        Watched::Unknown => {}
    }
    Ok(())
}
