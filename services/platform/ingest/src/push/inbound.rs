//! The client's messages, the same for every service; the first one says what the push is.
use eduhub_faults::{Fault, Problem, Reason};
use eduhub_proto::{
    RawBatch,
    common::v1::{PushEnd, PushOpen},
};
use eduhub_rules::unknown_fields;
use futures::{Stream, StreamExt};
use prost::{Message, bytes::Bytes};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tonic::Status;

/// Client's message, the same for every service.
pub enum Inbound {
    /// First message: an encoded `PushOpen`.
    Open(Bytes),
    /// Records: an encoded `PushBatch`.
    Batch(Bytes),
    /// Explicit end.
    End(PushEnd),
    /// A message without content.
    Nothing,
}

/// A batch as it came.
pub(super) struct Received {
    pub batch: RawBatch,
    /// SHA-256 of the message, byte by byte as the client sent it: what this version does not know is in it.
    pub digest: [u8; 32],
    /// Fields that this version does not know.
    pub unknown: Vec<Problem>,
}

impl Received {
    /// Reads the frame of a batch; its records stay as they are.
    ///
    /// # Errors
    /// INVALID_ARGUMENT/PROTOCOL when these are not the bytes of a batch.
    pub fn read(message: Bytes) -> Result<Self, Fault> {
        let digest = Sha256::digest(&message).into();
        let batch = RawBatch::decode(message.clone())
            .map_err(|_| Fault::new(Reason::Protocol).detail("a batch that can't be decoded"))?;
        let unknown = unknown_fields(&message, &batch);
        Ok(Self { batch, digest, unknown })
    }
}

/// How long a push may take to say what it is: until then it holds a place among the open streams for nothing.
const FIRST_MESSAGE: Duration = Duration::from_secs(30);

/// The first message of a push, with what of it this version does not know.
pub struct Opening {
    /// What it says.
    pub open: PushOpen,
    pub(super) unknown: Vec<Problem>,
}

/// Takes the first message of a push, which must be `open`.
///
/// # Errors
/// The stream's own; INVALID_ARGUMENT/PROTOCOL for another message, or none; DEADLINE_EXCEEDED when nothing comes for 30 s.
pub async fn opening<I>(inbound: &mut I) -> Result<Opening, Status>
where
    I: Stream<Item = Result<Inbound, Status>> + Unpin,
{
    let protocol = |what| Fault::new(Reason::Protocol).detail(what);
    let first = tokio::time::timeout(FIRST_MESSAGE, inbound.next()).await;
    match first.map_err(|_| Fault::new(Reason::Deadline).detail("no message from the client"))? {
        Some(Ok(Inbound::Open(message))) => {
            let open =
                PushOpen::decode(message.clone()).map_err(|_| protocol("an open that can't be decoded"))?;
            let mut unknown = unknown_fields(&message, &open);
            unknown.iter_mut().for_each(|u| u.field.insert_str(0, "open."));
            Ok(Opening { open, unknown })
        }
        Some(Err(status)) => Err(status),
        _ => Err(protocol("the first message must be open").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_faults::reason_of;

    #[tokio::test(start_paused = true)]
    async fn a_push_that_says_nothing_is_ended() {
        let mut silent = futures::stream::pending::<Result<Inbound, Status>>();
        let status = opening(&mut silent).await.err().unwrap();
        assert_eq!(reason_of(&status), Some(Reason::Deadline));
    }
}
