//! A vendor's program, step by step.
use crate::hub::{Hub, YEAR};
use eduhub_auth::testing::Persona;
use eduhub_faults::{Reason, reason_of};
use eduhub_proto::{
    common::v1::{
        BatchReply, Kind, PushCounts, PushEnd, PushMode, PushOpen, PushReceipt, PushReply, PushWelcome,
        Withdrawal, push_reply,
    },
    registry::v1::{
        PushBatch, PushRequest, Record, ingest_service_client::IngestServiceClient, push_request,
    },
};
use eduhub_testkit::BearerChannel;
use prost::Message;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};
use uuid::Uuid;

/// A new session that patches a school.
pub fn patch(school_code: &str) -> PushOpen {
    PushOpen {
        session_id: Uuid::now_v7().to_string(),
        school_code: school_code.into(),
        school_year: YEAR,
        mode: PushMode::Patch as i32,
        full_kinds: vec![],
        ..PushOpen::default()
    }
}

/// A new session that is all there is of these kinds.
pub fn full(school_code: &str, kinds: &[Kind]) -> PushOpen {
    let full_kinds = kinds.iter().map(|k| *k as i32).collect();
    PushOpen { mode: PushMode::Full as i32, full_kinds, ..patch(school_code) }
}

/// A session that writes nothing.
pub fn validate_only(school_code: &str) -> PushOpen {
    PushOpen { mode: PushMode::ValidateOnly as i32, ..patch(school_code) }
}

pub fn batch(number: u32, records: Vec<Record>) -> PushBatch {
    PushBatch { number, records, withdrawals: vec![] }
}

pub fn withdraw(number: u32, withdrawals: Vec<Withdrawal>) -> PushBatch {
    PushBatch { number, records: vec![], withdrawals }
}

/// The end of a session of these batches, by the documented formula.
pub fn end_of(batches: &[PushBatch]) -> PushEnd {
    let mut all = Sha256::new();
    for b in batches {
        all.update(Sha256::digest(b.encode_to_vec()));
    }
    let record_count = batches.iter().map(|b| b.records.len() as u64).sum();
    PushEnd { record_count, digest: all.finalize().to_vec() }
}

/// An open push stream.
pub struct Pushing {
    to: mpsc::Sender<PushRequest>,
    from: Streaming<PushReply>,
}

impl Pushing {
    pub async fn open(
        client: IngestServiceClient<BearerChannel>,
        open: PushOpen,
    ) -> Result<(Self, PushWelcome), Status> {
        Self::open_raw(client, PushRequest::from(&open)).await
    }

    /// Opens with any first message.
    pub async fn open_raw(
        mut client: IngestServiceClient<BearerChannel>,
        first: PushRequest,
    ) -> Result<(Self, PushWelcome), Status> {
        let (to, rx) = mpsc::channel(16);
        to.send(first).await.unwrap();
        let from = client.push(ReceiverStream::new(rx)).await?.into_inner();
        let mut pushing = Self { to, from };
        match pushing.next().await? {
            push_reply::Message::Welcome(welcome) => Ok((pushing, welcome)),
            other => panic!("no welcome but {other:?}"),
        }
    }

    /// Sends without waiting for a reply.
    pub async fn send(&self, batch: PushBatch) {
        let _ = self.to.send(PushRequest::from(&batch)).await;
    }

    pub async fn send_end(&self, end: PushEnd) {
        let _ = self.to.send(PushRequest { message: Some(push_request::Message::End(end)) }).await;
    }

    pub async fn send_raw(&self, message: PushRequest) {
        let _ = self.to.send(message).await;
    }

    async fn next(&mut self) -> Result<push_reply::Message, Status> {
        let reply = self.from.message().await?.ok_or_else(|| Status::cancelled("the stream ended"))?;
        Ok(reply.message.unwrap())
    }

    pub async fn reply(&mut self) -> Result<BatchReply, Status> {
        match self.next().await? {
            push_reply::Message::Batch(reply) => Ok(reply),
            other => panic!("no reply to a batch but {other:?}"),
        }
    }

    pub async fn batch(&mut self, batch: PushBatch) -> Result<BatchReply, Status> {
        self.send(batch).await;
        self.reply().await
    }

    pub async fn receipt(&mut self) -> Result<PushReceipt, Status> {
        match self.next().await? {
            push_reply::Message::Receipt(receipt) => Ok(receipt),
            other => panic!("no receipt but {other:?}"),
        }
    }

    pub async fn end(&mut self, end: PushEnd) -> Result<PushReceipt, Status> {
        self.send_end(end).await;
        self.receipt().await
    }
}

/// A whole session: the replies and the receipt.
pub async fn push(
    hub: &Hub,
    persona: &Persona,
    open: PushOpen,
    batches: Vec<PushBatch>,
) -> Result<(Vec<BatchReply>, PushReceipt), Status> {
    let (mut pushing, welcome) = Pushing::open(hub.ingest(persona), open).await?;
    let mut replies = Vec::new();
    for b in &batches[welcome.last_batch as usize..] {
        replies.push(pushing.batch(b.clone()).await?);
    }
    let receipt = pushing.end(end_of(&batches)).await?;
    Ok((replies, receipt))
}

/// One session of one batch, as the school's vendor.
pub async fn push_one(hub: &Hub, school_code: &str, records: Vec<Record>) -> BatchReply {
    let open = patch(school_code);
    let (mut replies, _) =
        push(hub, &Persona::vendor(school_code), open, vec![batch(1, records)]).await.unwrap();
    replies.remove(0)
}

/// One session that takes records away.
pub async fn withdraw_one(hub: &Hub, school_code: &str, withdrawals: Vec<Withdrawal>) -> BatchReply {
    let batches = vec![withdraw(1, withdrawals)];
    push(hub, &Persona::vendor(school_code), patch(school_code), batches).await.unwrap().0.remove(0)
}

/// Counts as `created, updated, unchanged, rejected, held, admitted, withdrawn, warnings`.
pub fn counted(counts: &Option<PushCounts>) -> [u64; 8] {
    let c = counts.unwrap();
    [c.created, c.updated, c.unchanged, c.rejected, c.held, c.admitted, c.withdrawn, c.warnings]
}

/// Code and reason of a refusal.
pub fn refusal<T>(outcome: Result<T, Status>) -> (Code, Reason) {
    let Err(status) = outcome else { panic!("was not refused") };
    (status.code(), reason_of(&status).unwrap_or_else(|| panic!("no reason in {status:?}")))
}

/// Reason and field of each finding.
pub fn findings(reply: &BatchReply) -> Vec<(Reason, String)> {
    reply.problems.iter().map(|p| (p.reason(), p.field.clone())).collect()
}
