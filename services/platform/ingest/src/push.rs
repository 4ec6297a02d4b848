//! The push stream: reads and prepares ahead, applies in order, replies when durable.
use crate::{
    apply::Keys,
    batch::{self, Batch},
    counts, end,
    incoming::{Inbound, InboundBatch, Incoming},
    prepare::Preparer,
    session::{self, Session, db},
    timestamps::to_proto,
};
use async_trait::async_trait;
use eduhub_auth::Caller;
use eduhub_changelog::{RecordSet, WriteContext, lock_school};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::in_tx;
use eduhub_proto::{
    common::v1::{PushCounts, PushEnd, PushMode, PushOpen, PushReply, PushWelcome, push_reply},
    dictionary::record_of,
};
use eduhub_rules::{Checker, CodeTable};
use eduhub_vault::Vault;
use futures::{Stream, StreamExt};
use sqlx::PgPool;
use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use time::{Date, OffsetDateTime};
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use uuid::Uuid;

/// How long the error that ends a stream waits for the client to take it.
const LAST_WORD: Duration = Duration::from_secs(5);

/// Bounds of a push.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Records in one batch.
    pub batch_records: usize,
    /// Batches that a client may have on the way; also what is read ahead.
    pub window: u32,
    /// Records that a school may have in waiting.
    pub held_per_school: i64,
    /// Longest transaction: it holds back every feed of the database.
    pub transaction: Duration,
    /// Longest wait for the client's next message.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let (transaction, idle) = (Duration::from_secs(20), Duration::from_secs(120));
        Self { batch_records: 2_000, window: 4, held_per_school: 50_000, transaction, idle }
    }
}

/// Checks of a service that need more than the record and its own tables. Run before the transaction.
#[async_trait]
pub trait Extra: Send + Sync + 'static {
    /// Adds findings to prepared records.
    async fn check(&self, school_code: &str, school_year: i32, records: &mut [Incoming])
    -> Result<(), Fault>;
}

/// No further checks.
pub struct NoExtra;

#[async_trait]
impl Extra for NoExtra {
    async fn check(&self, _: &str, _: i32, _: &mut [Incoming]) -> Result<(), Fault> {
        Ok(())
    }
}

/// The ingest of one service.
pub struct Ingest<S> {
    /// Database.
    pub pool: PgPool,
    /// Keys.
    pub vault: Arc<Vault>,
    /// Code lists in force.
    pub codes: Arc<dyn Fn() -> Arc<CodeTable> + Send + Sync>,
    /// Business date (Việt Nam).
    pub today: Arc<dyn Fn() -> Date + Send + Sync>,
    /// Further checks of the service.
    pub extra: Arc<dyn Extra>,
    /// Wakes the feed's reader after a commit.
    pub wake: Arc<Notify>,
    /// Bounds.
    pub limits: Limits,
    set: PhantomData<S>,
}

/// Who pushes, after authorisation.
#[derive(Debug, Clone)]
pub struct Pushing {
    /// Grant of the caller.
    pub grant_id: Option<Uuid>,
    /// Principal.
    pub actor: String,
    /// Numbers of the data domains that the grant covers.
    pub domains: Vec<i32>,
}

impl Pushing {
    /// The caller of a push.
    pub fn of(caller: &Caller) -> Self {
        let domains = caller.domains.iter().map(|domain| *domain as i32).collect();
        Self { grant_id: caller.grant, actor: caller.sub.clone(), domains }
    }
}

impl<S: RecordSet> Ingest<S> {
    /// An ingest with default limits and no further checks.
    pub fn new(
        pool: PgPool,
        vault: Arc<Vault>,
        codes: Arc<dyn Fn() -> Arc<CodeTable> + Send + Sync>,
        today: Arc<dyn Fn() -> Date + Send + Sync>,
    ) -> Self {
        let (extra, wake) = (Arc::new(NoExtra), Arc::new(Notify::new()));
        Self { pool, vault, codes, today, extra, wake, limits: Limits::default(), set: PhantomData }
    }

    /// Serves one stream whose `open` was read and authorised. Batches are prepared while the one before is applied.
    /// Ends early when `ended` resolves with the reason why the caller's access is over: a revoked grant ends its open
    /// streams. What is durable stays, and the session can be resumed under a new token of the grant.
    pub fn serve<I, E>(
        self: &Arc<Self>,
        who: Pushing,
        open: PushOpen,
        inbound: I,
        ended: E,
    ) -> ReceiverStream<Result<PushReply, Status>>
    where
        I: Stream<Item = Result<Inbound<S::Record>, Status>> + Send + Unpin + 'static,
        E: Future<Output = Fault> + Send + 'static,
    {
        let (tx, rx) = mpsc::channel(self.limits.window as usize);
        let this = self.clone();
        let work = async move {
            // Dropping the run cuts no transaction: each has a task of its own.
            let fault = tokio::select! {
                outcome = this.run(who, open, inbound, &tx) => outcome.err(),
                fault = ended => Some(fault),
                // A client that went away gets nothing more written in its name.
                () = tx.closed() => None,
            };
            if let Some(fault) = fault {
                // A client that takes no replies has a full buffer: its error must not wait for room for ever.
                let _ = tx.send_timeout(Err(fault.into()), LAST_WORD).await;
            }
        };
        tokio::spawn(tracing::Instrument::in_current_span(work));
        ReceiverStream::new(rx)
    }

    async fn run<I>(
        self: Arc<Self>,
        who: Pushing,
        open: PushOpen,
        inbound: I,
        replies: &mpsc::Sender<Result<PushReply, Status>>,
    ) -> Result<(), Fault>
    where
        I: Stream<Item = Result<Inbound<S::Record>, Status>> + Send + Unpin + 'static,
    {
        let session_id = check_open(&open)?;
        let stream = Arc::new(PushStream { ingest: self, who, open, session_id, tried: Mutex::default() });
        // FULL withdraws: it needs the domain of every kind it covers, not only of those it happens to send.
        for kind in &stream.open.full_kinds {
            stream.require_domain(*kind)?;
        }
        let welcome = stream.welcome().await?;
        send(replies, push_reply::Message::Welcome(welcome)).await?;
        let (tx, mut prepared) = mpsc::channel(stream.ingest.limits.window as usize);
        let reader = tokio::spawn(tracing::Instrument::in_current_span(stream.clone().read(inbound, tx)));
        // The reader holds the client's stream: it must end with this call, not with the client.
        let _stop = AbortOnDrop(reader);
        while let Some(message) = prepared.recv().await {
            match message? {
                Prepared::Batch(batch) => {
                    let reply = stream.apply(batch).await?;
                    send(replies, push_reply::Message::Batch(reply)).await?;
                }
                Prepared::End(end) => {
                    let receipt = stream.complete(end).await?;
                    return send(replies, push_reply::Message::Receipt(receipt)).await;
                }
            }
        }
        tracing::info!(session = %session_id, "push stream ended without end: abandoned until it is resumed");
        Ok(())
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

enum Prepared {
    Batch(Batch),
    End(PushEnd),
}

/// Account of a stream that writes nothing.
#[derive(Default)]
struct Tried {
    totals: PushCounts,
    /// Records that would be there by now: later batches may name them as parents.
    known: Keys,
}

struct PushStream<S> {
    ingest: Arc<Ingest<S>>,
    who: Pushing,
    open: PushOpen,
    session_id: Uuid,
    /// What VALIDATE_ONLY came to so far; it leaves no session behind.
    tried: Mutex<Tried>,
}

impl<S: RecordSet> PushStream<S> {
    fn mode(&self) -> PushMode {
        PushMode::try_from(self.open.mode).unwrap_or_default()
    }

    fn context(&self) -> WriteContext {
        WriteContext {
            school_code: self.open.school_code.clone(),
            grant_id: self.who.grant_id,
            actor: self.who.actor.clone(),
            session_id: Some(self.session_id),
        }
    }

    fn tried(&self) -> std::sync::MutexGuard<'_, Tried> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn welcome(&self) -> Result<PushWelcome, Fault> {
        let limits = self.ingest.limits;
        let last_batch =
            if self.mode() == PushMode::ValidateOnly { 0 } else { self.open_session().await?.last_batch };
        Ok(PushWelcome {
            last_batch: last_batch.unsigned_abs(),
            max_batch_records: limits.batch_records as u32,
            window: limits.window,
        })
    }

    async fn open_session(&self) -> Result<Session, Fault> {
        let (open, who, session_id) = (self.open.clone(), self.who.clone(), self.session_id);
        let traceparent = eduhub_runtime::propagation::current_traceparent();
        in_tx(&self.ingest.pool, self.ingest.limits.transaction, move |conn| {
            Box::pin(async move {
                lock_school(conn, &open.school_code).await?;
                let opener =
                    session::Opener { session_id, grant_id: who.grant_id, actor: &who.actor, traceparent };
                session::open(conn, &opener, &open).await.map_err(InTx::from)
            })
        })
        .await
        .map_err(InTx::into_fault)
    }

    async fn read<I>(self: Arc<Self>, mut inbound: I, out: mpsc::Sender<Result<Prepared, Fault>>)
    where
        I: Stream<Item = Result<Inbound<S::Record>, Status>> + Send + Unpin,
    {
        loop {
            let next = tokio::time::timeout(self.ingest.limits.idle, inbound.next()).await;
            let message = match next {
                Err(_) => Err(Fault::new(Reason::Deadline).detail("no message from the client")),
                Ok(None) => return,
                // The client broke off: nothing to answer to, the session stays as its last durable batch left it.
                Ok(Some(Err(_))) => return,
                Ok(Some(Ok(inbound))) => self.prepare(inbound).await,
            };
            let last = !matches!(message, Ok(Prepared::Batch(_)));
            if out.send(message).await.is_err() || last {
                return;
            }
        }
    }

    async fn prepare(&self, inbound: Inbound<S::Record>) -> Result<Prepared, Fault> {
        match inbound {
            Inbound::Batch(batch) => self.prepare_batch(batch).await.map(Prepared::Batch),
            Inbound::End(end) => Ok(Prepared::End(end)),
            Inbound::Open(_) => Err(Fault::new(Reason::Protocol).detail("open came twice")),
            Inbound::Nothing => Err(Fault::new(Reason::Protocol).detail("empty message")),
        }
    }

    async fn prepare_batch(&self, inbound: InboundBatch<S::Record>) -> Result<Batch, Fault> {
        let limits = self.ingest.limits;
        let size = inbound.records.len() + inbound.withdrawals.len();
        if size > limits.batch_records {
            return Err(Fault::new(Reason::BatchTooLarge).meta("max_batch_records", limits.batch_records));
        }
        let record_count = inbound.records.len() as i64;
        let codes = (self.ingest.codes)();
        let mut incoming = Vec::with_capacity(inbound.records.len());
        {
            let preparer = self.preparer(&codes);
            for (index, record) in inbound.records.into_iter().enumerate() {
                let prepared = preparer.prepare(record, index as u32);
                let record = prepared
                    .ok_or_else(|| Fault::new(Reason::UnknownKind).meta("index", index))?
                    .map_err(Fault::internal)?;
                self.require_domain(record.kind)?;
                incoming.push(record);
            }
        }
        for w in &inbound.withdrawals {
            self.require_domain(w.kind)?;
        }
        self.ingest.extra.check(&self.open.school_code, self.open.school_year, &mut incoming).await?;
        Ok(Batch {
            session_id: self.session_id,
            mode: self.mode(),
            number: inbound.number,
            digest: inbound.digest,
            record_count,
            incoming,
            withdrawals: inbound.withdrawals,
            school_year: self.open.school_year,
            max_held: limits.held_per_school,
        })
    }

    fn preparer<'a>(&'a self, codes: &'a CodeTable) -> Preparer<'a, S> {
        let checker = Checker::new(codes, (self.ingest.today)());
        Preparer::new(checker, &self.ingest.vault, &self.open.school_code, self.open.school_year)
    }

    fn require_domain(&self, kind: i32) -> Result<(), Fault> {
        let table = S::table(kind).ok_or_else(|| Fault::new(Reason::UnknownKind).meta("kind", kind))?;
        if self.who.domains.contains(&table.meta.domain) {
            Ok(())
        } else {
            Err(Fault::new(Reason::Forbidden).meta("domain", table.meta.domain().as_str_name()))
        }
    }

    async fn apply(self: &Arc<Self>, batch: Batch) -> Result<eduhub_proto::common::v1::BatchReply, Fault> {
        let (this, who) = (self.clone(), self.context());
        let validate_only = self.mode() == PushMode::ValidateOnly;
        let mut known = std::mem::take(&mut self.tried().known);
        let reply = in_tx(&self.ingest.pool, self.ingest.limits.transaction, move |conn| {
            Box::pin(async move {
                let codes = (this.ingest.codes)();
                let preparer = this.preparer(&codes);
                if validate_only {
                    // Everything is tried as it would be written; leaving with an error rolls it back.
                    lock_school(conn, &who.school_code).await.map_err(db)?;
                    let reply = batch::write::<S>(conn, &who, &preparer, batch, &mut known).await?;
                    return Err(InTx::Tried(Box::new((reply, known))));
                }
                batch::apply::<S>(conn, &who, &preparer, batch).await.map_err(InTx::from)
            })
        })
        .await;
        match reply {
            Ok(reply) => {
                self.ingest.wake.notify_waiters();
                Ok(reply)
            }
            Err(InTx::Tried(outcome)) => {
                let (reply, known) = *outcome;
                let mut tried = self.tried();
                counts::add(&mut tried.totals, reply.counts.as_ref().unwrap_or(&Default::default()));
                tried.known = known;
                Ok(reply)
            }
            Err(InTx::Failed(fault)) => Err(*fault),
        }
    }

    async fn complete(&self, end: PushEnd) -> Result<eduhub_proto::common::v1::PushReceipt, Fault> {
        if self.mode() == PushMode::ValidateOnly {
            return Ok(eduhub_proto::common::v1::PushReceipt {
                session_id: self.session_id.to_string(),
                record_count: end.record_count,
                digest: end.digest,
                totals: Some(self.tried().totals),
                completed_at: Some(to_proto(OffsetDateTime::now_utc())),
                ..Default::default()
            });
        }
        let (who, session_id, open) = (self.context(), self.session_id, self.open.clone());
        let receipt = in_tx(&self.ingest.pool, self.ingest.limits.transaction, move |conn| {
            Box::pin(async move { Ok(end::complete::<S>(conn, &who, session_id, &open, &end).await?) })
        })
        .await
        .map_err(InTx::into_fault)?;
        self.ingest.wake.notify_waiters();
        Ok(receipt)
    }
}

/// How the work of a transaction ends without commit.
enum InTx {
    Failed(Box<Fault>),
    Tried(Box<(eduhub_proto::common::v1::BatchReply, Keys)>),
}

impl InTx {
    fn into_fault(self) -> Fault {
        match self {
            Self::Failed(fault) => *fault,
            Self::Tried(_) => Fault::new(Reason::Internal),
        }
    }
}

impl From<Fault> for InTx {
    fn from(fault: Fault) -> Self {
        Self::Failed(Box::new(fault))
    }
}

impl From<eduhub_pg::DbError> for InTx {
    fn from(error: eduhub_pg::DbError) -> Self {
        db(error).into()
    }
}

async fn send(
    replies: &mpsc::Sender<Result<PushReply, Status>>,
    message: push_reply::Message,
) -> Result<(), Fault> {
    // A client that went away has nobody to tell; what is durable stays so.
    let gone = replies.send(Ok(PushReply { message: Some(message) })).await.is_err();
    if gone { Err(Fault::new(Reason::Unavailable).detail("client went away")) } else { Ok(()) }
}

/// Checks the shape of `open` and gives the session id.
fn check_open(open: &PushOpen) -> Result<Uuid, Fault> {
    let mut fault = Fault::new(Reason::InvalidRequest);
    let session_id = Uuid::parse_str(&open.session_id);
    if session_id.is_err() {
        fault = fault.violation("open.session_id", "must be a UUID");
    }
    match PushMode::try_from(open.mode) {
        Ok(PushMode::Patch | PushMode::ValidateOnly) => {}
        Ok(PushMode::Full) if open.full_kinds.is_empty() => {
            fault = fault.violation("open.full_kinds", "FULL must name the kinds that it covers");
        }
        Ok(PushMode::Full) => {}
        Ok(PushMode::Unspecified) | Err(_) => {
            fault = fault.violation("open.mode", "PATCH, FULL or VALIDATE_ONLY")
        }
    }
    let unknown = |k: &i32| eduhub_proto::common::v1::Kind::try_from(*k).ok().and_then(record_of).is_none();
    if open.full_kinds.iter().any(unknown) {
        fault = fault.violation("open.full_kinds", "unknown kind");
    }
    fault.into_result()?;
    session_id.map_err(|_| Fault::new(Reason::InvalidRequest))
}
