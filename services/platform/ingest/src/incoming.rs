//! What comes in on a push stream, and a record prepared for storage.
use eduhub_changelog::ColumnValue;
use eduhub_faults::{Fault, Problem, Reason};
use eduhub_proto::common::v1::{PushEnd, PushOpen, Withdrawal};
use eduhub_rules::ParentRef;
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

/// A record prepared for storage: everything that can be known without the database.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Number of its kind.
    pub kind: i32,
    /// Full key in the school.
    pub record_key: String,
    /// School year for a yearly kind, else 0.
    pub school_year: i32,
    /// Keyed digest.
    pub digest: [u8; 16],
    /// Encoded message without secrets.
    pub body: Vec<u8>,
    /// Sealed secret.
    pub secret: Option<Vec<u8>>,
    /// Blind index of the secret.
    pub blind_index: Option<Vec<u8>>,
    /// Typed columns.
    pub columns: Vec<ColumnValue>,
    /// Records that it names.
    pub parents: Vec<ParentRef>,
    /// What was found in it.
    pub findings: Vec<Problem>,
    /// Position in its batch.
    pub index: u32,
}

impl Incoming {
    /// True when a finding refuses it.
    pub fn refused(&self) -> bool {
        eduhub_rules::refuses(&self.findings)
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
