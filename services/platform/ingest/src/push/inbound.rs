//! The client's messages, the same for every service; the first one says what the push is.
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{PushEnd, PushOpen, Withdrawal};
use futures::{Stream, StreamExt};
use prost::Message;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tonic::Status;

/// Client's message, the same for every service.
pub enum Inbound<R> {
    /// First message.
    Open(PushOpen),
    /// Records.
    Batch(InboundBatch<R>),
    /// Explicit end.
    End(PushEnd),
    /// A message without content.
    Nothing,
}

/// A batch as it came, with the digest of its serialised message.
pub struct InboundBatch<R> {
    /// Number.
    pub number: u32,
    /// Records.
    pub records: Vec<R>,
    /// Records to take away.
    pub withdrawals: Vec<Withdrawal>,
    /// SHA-256 of the message.
    pub digest: [u8; 32],
}

/// Digest of a batch, over the service's own message.
pub fn digest(batch: &impl Message) -> [u8; 32] {
    Sha256::digest(batch.encode_to_vec()).into()
}

/// How long a push may take to say what it is: until then it holds a place among the open streams for nothing.
const FIRST_MESSAGE: Duration = Duration::from_secs(30);

/// Takes the first message of a push, which must be `open`.
///
/// # Errors
/// The stream's own; INVALID_ARGUMENT/PROTOCOL for another message, or none; DEADLINE_EXCEEDED when nothing comes for 30 s.
pub async fn opening<R, I>(inbound: &mut I) -> Result<PushOpen, Status>
where
    I: Stream<Item = Result<Inbound<R>, Status>> + Unpin,
{
    let first = tokio::time::timeout(FIRST_MESSAGE, inbound.next()).await;
    match first.map_err(|_| Fault::new(Reason::Deadline).detail("no message from the client"))? {
        Some(Ok(Inbound::Open(open))) => Ok(open),
        Some(Err(status)) => Err(status),
        _ => Err(Fault::new(Reason::Protocol).detail("the first message must be open").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_faults::reason_of;

    #[tokio::test(start_paused = true)]
    async fn a_push_that_says_nothing_is_ended() {
        let mut silent = futures::stream::pending::<Result<Inbound<()>, Status>>();
        let status = opening(&mut silent).await.unwrap_err();
        assert_eq!(reason_of(&status), Some(Reason::Deadline));
    }
}
