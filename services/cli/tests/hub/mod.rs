//! A hub in memory that keeps push sessions by the protocol's words and breaks connections where it is told to.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use eduhub_cli::server::{Proof, Server, Session};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{
    BatchReply, CompareGroupsRequest, CompareGroupsResponse, CompareRecordsRequest, CompareRecordsResponse,
    DigestKey, GetDigestKeyRequest, GetReceiptKeysRequest, PushCounts, PushMode, PushOpen, PushReceipt,
    PushReply, PushWelcome, ReceiptKeys, push_reply,
};
use eduhub_proto::registry::v1::ingest_service_server::{IngestService, IngestServiceServer};
use eduhub_proto::registry::v1::{PushBatch, PushRequest, Record, push_request};
use eduhub_runtime::client::{self, ClientTls};
use futures::StreamExt;
use prost::Message as _;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, Streaming};

/// Where a connection breaks; one connection each, in their order.
#[derive(Clone, Debug, PartialEq)]
pub enum Break {
    /// The batch with this number is lost.
    BeforeWrite(u32),
    /// The batch is durable, its reply is lost.
    AfterWrite(u32),
    /// The stream ends as if all were well before this batch.
    SilentEnd(u32),
    /// Overload before this batch.
    Busy(u32),
    /// The end is lost.
    BeforeReceipt,
    /// The session is complete, the receipt is lost.
    AfterReceipt,
    /// The open is refused.
    Refuse(Reason),
}

#[derive(Default)]
struct Kept {
    batches: Vec<([u8; 32], BatchReply)>,
    records: Vec<Record>,
    receipt: Option<PushReceipt>,
}

#[derive(Default)]
struct State {
    sessions: HashMap<String, Kept>,
    breaks: VecDeque<Break>,
    connections: u32,
    most_unanswered: usize,
}

/// The hub.
#[derive(Clone)]
pub struct Hub {
    state: Arc<Mutex<State>>,
    url: String,
}

impl Hub {
    pub async fn start(breaks: Vec<Break>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { breaks: breaks.into(), ..State::default() }));
        let hub = Self { state, url };
        let service = IngestServiceServer::new(hub.clone());
        let serving = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(serving.serve_with_incoming(TcpListenerStream::new(listener)));
        hub
    }

    pub async fn server(&self) -> Server {
        let tls = ClientTls::default();
        let channel = client::channel(&self.url, &tls).unwrap();
        let session = Session::sign_in(channel, Proof::Token(SecretString::from("t"))).await.unwrap();
        Server::new(&self.url, tls, session)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Records of the only session, in the order they were written.
    pub fn records(&self) -> Vec<Record> {
        self.state().sessions.values().flat_map(|s| s.records.clone()).collect()
    }

    pub fn connections(&self) -> u32 {
        self.state().connections
    }

    pub fn most_unanswered(&self) -> usize {
        self.state().most_unanswered
    }

    fn apply(&self, open: &PushOpen, batch: PushBatch) -> Result<BatchReply, Status> {
        let mut state = self.state();
        let kept = state.sessions.entry(open.session_id.clone()).or_default();
        let digest: [u8; 32] = Sha256::digest(batch.encode_to_vec()).into();
        let number = batch.number as usize;
        if let Some((known, reply)) = kept.batches.get(number.wrapping_sub(1)) {
            let same = *known == digest;
            return if same {
                Ok(reply.clone())
            } else {
                Err(Fault::new(Reason::BatchContentChanged).into())
            };
        }
        if number != kept.batches.len() + 1 {
            return Err(Fault::new(Reason::BatchOutOfOrder).into());
        }
        let counts = PushCounts { created: batch.records.len() as u64, ..PushCounts::default() };
        let reply = BatchReply { number: batch.number, counts: Some(counts), ..BatchReply::default() };
        kept.records.extend(batch.records);
        kept.batches.push((digest, reply.clone()));
        Ok(reply)
    }

    async fn serve(
        self,
        open: PushOpen,
        broken: Option<Break>,
        mut inbound: Streaming<PushRequest>,
        out: mpsc::Sender<Result<PushReply, Status>>,
    ) -> Result<(), Status> {
        let lost = || Status::unavailable("connection reset");
        let last = if open.mode == PushMode::ValidateOnly as i32 { 0 } else { self.last_batch(&open) };
        let welcome = PushWelcome { last_batch: last, max_batch_records: 2_000, window: 4, notices: vec![] };
        say(&out, push_reply::Message::Welcome(welcome)).await;
        let mut unanswered = VecDeque::new();
        loop {
            // Everything that is there is taken first, to see how much the client has on the way.
            let wait = std::time::Duration::from_millis(if unanswered.is_empty() { 5_000 } else { 3 });
            match tokio::time::timeout(wait, inbound.next()).await {
                Ok(Some(Ok(PushRequest { message: Some(push_request::Message::Batch(batch)) }))) => {
                    let batch = PushBatch::decode(batch).map_err(|e| Status::internal(e.to_string()))?;
                    unanswered.push_back(batch);
                    let mut state = self.state();
                    state.most_unanswered = state.most_unanswered.max(unanswered.len());
                    continue;
                }
                Ok(Some(Ok(PushRequest { message: Some(push_request::Message::End(end)) }))) => {
                    for batch in unanswered.drain(..) {
                        say(&out, push_reply::Message::Batch(self.one(&open, broken.as_ref(), batch)?)).await;
                    }
                    if broken == Some(Break::BeforeReceipt) {
                        return Err(lost());
                    }
                    let receipt = self.complete(&open, end.record_count, end.digest)?;
                    if broken == Some(Break::AfterReceipt) {
                        return Err(lost());
                    }
                    say(&out, push_reply::Message::Receipt(receipt)).await;
                    return Ok(());
                }
                Ok(_) => return Ok(()),
                Err(_) => {}
            }
            if let Some(batch) = unanswered.pop_front() {
                if broken == Some(Break::SilentEnd(batch.number)) {
                    return Ok(());
                }
                say(&out, push_reply::Message::Batch(self.one(&open, broken.as_ref(), batch)?)).await;
            }
        }
    }

    fn one(&self, open: &PushOpen, broken: Option<&Break>, batch: PushBatch) -> Result<BatchReply, Status> {
        let number = batch.number;
        match broken {
            Some(Break::BeforeWrite(n)) if *n == number => Err(Status::unknown("h2 protocol error")),
            Some(Break::Busy(n)) if *n == number => {
                Err(Fault::new(Reason::Overloaded).retry_after(std::time::Duration::from_millis(300)).into())
            }
            Some(Break::AfterWrite(n)) if *n == number => {
                self.apply(open, batch)?;
                Err(Status::unavailable("connection reset"))
            }
            _ => self.apply(open, batch),
        }
    }

    fn last_batch(&self, open: &PushOpen) -> u32 {
        self.state().sessions.get(&open.session_id).map_or(0, |s| s.batches.len() as u32)
    }

    fn complete(&self, open: &PushOpen, count: u64, digest: Vec<u8>) -> Result<PushReceipt, Status> {
        let mut state = self.state();
        let kept = state.sessions.entry(open.session_id.clone()).or_default();
        let mut sum = Sha256::new();
        kept.batches.iter().for_each(|(d, _)| sum.update(d));
        if kept.records.len() as u64 != count || sum.finalize().to_vec() != digest {
            return Err(Fault::new(Reason::EndMismatch).into());
        }
        let receipt = PushReceipt {
            session_id: open.session_id.clone(),
            batches: kept.batches.len() as u32,
            record_count: count,
            digest,
            ..PushReceipt::default()
        };
        Ok(kept.receipt.get_or_insert(receipt).clone())
    }
}

async fn say(out: &mpsc::Sender<Result<PushReply, Status>>, message: push_reply::Message) {
    let _ = out.send(Ok(PushReply { message: Some(message) })).await;
}

#[tonic::async_trait]
impl IngestService for Hub {
    type PushStream = ReceiverStream<Result<PushReply, Status>>;

    async fn push(
        &self,
        request: Request<Streaming<PushRequest>>,
    ) -> Result<Response<Self::PushStream>, Status> {
        assert_eq!(request.metadata().get("authorization").unwrap(), "Bearer t");
        let mut inbound = request.into_inner();
        let Some(Ok(PushRequest { message: Some(push_request::Message::Open(open)) })) = inbound.next().await
        else {
            return Err(Fault::new(Reason::Protocol).into());
        };
        let open = PushOpen::decode(open).map_err(|e| Status::internal(e.to_string()))?;
        let broken = {
            let mut state = self.state();
            state.connections += 1;
            state.breaks.pop_front()
        };
        if let Some(Break::Refuse(reason)) = broken {
            return Err(Fault::new(reason).into());
        }
        let (out, replies) = mpsc::channel(4);
        let hub = self.clone();
        tokio::spawn(async move {
            if let Err(status) = hub.serve(open, broken, inbound, out.clone()).await {
                let _ = out.send(Err(status)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(replies)))
    }

    async fn get_receipt_keys(
        &self,
        _: Request<GetReceiptKeysRequest>,
    ) -> Result<Response<ReceiptKeys>, Status> {
        Err(Fault::new(Reason::Protocol).into())
    }

    async fn get_digest_key(&self, _: Request<GetDigestKeyRequest>) -> Result<Response<DigestKey>, Status> {
        Ok(Response::new(DigestKey { key: vec![7; 32], key_id: vec![7; 8] }))
    }

    /// It compares as if it had nothing.
    async fn compare_groups(
        &self,
        request: Request<CompareGroupsRequest>,
    ) -> Result<Response<CompareGroupsResponse>, Status> {
        let mut state = self.state();
        if let Some(Break::Refuse(reason)) = state.breaks.front().cloned() {
            state.breaks.pop_front();
            return Err(Fault::new(reason).into());
        }
        let only_sender = request.into_inner().groups.into_iter().map(|g| g.group).collect();
        Ok(Response::new(CompareGroupsResponse { only_sender, ..Default::default() }))
    }

    async fn compare_records(
        &self,
        _: Request<CompareRecordsRequest>,
    ) -> Result<Response<CompareRecordsResponse>, Status> {
        Err(Fault::new(Reason::Protocol).into())
    }
}
