//! One connection of a push: from `open` to the receipt, or to the break.
use super::batches::{Batch, Source, batches};
use super::{Event, Job, PushError};
use crate::hub::Hub;
use crate::lines::LineError;
use eduhub_auth::AuthedChannel;
use eduhub_proto::common::v1::{
    BatchReply, PushEnd, PushHint, PushMode, PushOpen, PushReceipt, PushReply, PushWelcome, push_reply,
};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

/// Longest pause that a hub's hint is followed for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How a connection ended without a receipt.
pub(super) enum Broken {
    /// By the server or the network.
    Status(Box<Status>),
    /// On purpose.
    Cut,
    /// The records can't be read.
    Source(LineError),
}

impl From<Status> for Broken {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

/// What outlives a connection.
pub(super) struct Progress<'a> {
    pub job: &'a Job,
    /// Replies up to this batch were received.
    pub answered: u32,
    /// False until a connection was welcomed: then the session's earlier batches are another run's.
    pub resumed_here: bool,
    pub cuts_left: Vec<u32>,
    pub listener: &'a mut (dyn FnMut(Event<'_>) + Send),
}

/// An open stream.
struct Line<'p, 'a, H: Hub> {
    progress: &'p mut Progress<'a>,
    requests: Option<mpsc::Sender<H::PushRequest>>,
    replies: Streaming<PushReply>,
    /// Batches that may be on the way now, and at most.
    window: usize,
    most: usize,
    /// The hub has asked for a pause until then.
    not_before: Instant,
    /// First batch to send; those before only count for the digest.
    next: u32,
    /// Numbers and sizes of the batches without a reply.
    on_the_way: VecDeque<(u32, usize)>,
    digest: Sha256,
    records: u64,
}

/// Runs one connection.
pub(super) async fn attempt<H: Hub>(
    channel: AuthedChannel,
    progress: &mut Progress<'_>,
    source: Arc<dyn Source<H::Record>>,
) -> Result<PushReceipt, Broken> {
    let job = progress.job;
    let (requests, outgoing) = mpsc::channel(job.window + 2);
    let open = PushOpen {
        session_id: job.session_id.to_string(),
        school_code: job.school_code.clone(),
        school_year: job.school_year,
        mode: job.mode as i32,
        full_kinds: job.full_kinds.iter().map(|k| *k as i32).collect(),
        code_mapping: job.code_mapping.clone(),
    };
    // There is room: the channel is new.
    let _ = requests.send(H::open(open)).await;
    let mut replies = H::push(channel, ReceiverStream::new(outgoing)).await?;
    let welcome = match next(&mut replies).await? {
        push_reply::Message::Welcome(welcome) => welcome,
        _ => return Err(Status::internal("the server did not welcome the push").into()),
    };
    (progress.listener)(Event::Connected { last_batch: welcome.last_batch });
    let next = progress.first_to_send(&welcome);
    progress.resumed_here = true;
    let window = (welcome.window as usize).clamp(1, job.window.max(1));
    let size = (welcome.max_batch_records as usize).clamp(1, job.batch.max(1));
    let made = batches::<H>(source, size, window);
    let line = Line::<H> {
        progress,
        requests: Some(requests),
        replies,
        window,
        most: window,
        not_before: Instant::now(),
        next,
        on_the_way: VecDeque::new(),
        digest: Sha256::new(),
        records: 0,
    };
    line.run(made).await
}

impl Progress<'_> {
    /// Batches whose reply got lost are sent again: the same content gets the same reply. What another run pushed before is not.
    fn first_to_send(&self, welcome: &PushWelcome) -> u32 {
        if self.job.mode == PushMode::ValidateOnly {
            1
        } else if self.resumed_here {
            self.answered.min(welcome.last_batch) + 1
        } else {
            welcome.last_batch + 1
        }
    }
}

impl<H: Hub> Line<'_, '_, H> {
    async fn run(
        mut self,
        mut made: mpsc::Receiver<Result<Batch<H>, LineError>>,
    ) -> Result<PushReceipt, Broken> {
        loop {
            let room = self.on_the_way.len() < self.window && self.requests.is_some();
            let pausing = room && Instant::now() < self.not_before;
            let may_send = room && !pausing;
            tokio::select! {
                () = tokio::time::sleep_until(self.not_before), if pausing => {}
                batch = made.recv(), if may_send => match batch {
                    Some(batch) => self.take(batch.map_err(Broken::Source)?).await?,
                    None => self.end().await,
                },
                message = next(&mut self.replies) => match message? {
                    push_reply::Message::Batch(reply) => self.answer(&reply)?,
                    push_reply::Message::Receipt(receipt) => return Ok(receipt),
                    push_reply::Message::Welcome(_) => return Err(Status::internal("welcomed twice").into()),
                },
            }
        }
    }

    async fn take(&mut self, batch: Batch<H>) -> Result<(), Broken> {
        self.digest.update(batch.digest);
        self.records += batch.records as u64;
        if batch.number < self.next {
            return Ok(());
        }
        self.send(batch.request).await;
        self.on_the_way.push_back((batch.number, batch.records));
        if let Some(at) = self.progress.cuts_left.iter().position(|cut| *cut == batch.number) {
            self.progress.cuts_left.swap_remove(at);
            // A moment for the batch to leave, so that the cut meets the server at its work as well as before it.
            tokio::time::sleep(Duration::from_millis(u64::from(batch.number % 7) * 3)).await;
            return Err(Broken::Cut);
        }
        Ok(())
    }

    async fn end(&mut self) {
        let digest = std::mem::take(&mut self.digest).finalize().to_vec();
        self.send(H::end(PushEnd { record_count: self.records, digest })).await;
        self.requests = None;
    }

    /// A stream that takes nothing any more has its status among the replies: reading goes on.
    async fn send(&mut self, message: H::PushRequest) {
        if let Some(requests) = &self.requests
            && requests.send(message).await.is_err()
        {
            self.requests = None;
        }
    }

    /// The hub asks for less while it is behind.
    fn slow_down(&mut self, hint: Option<&PushHint>) {
        self.window = hint.map_or(self.most, |h| (h.window as usize).clamp(1, self.most));
        let pause = hint.and_then(|h| Duration::try_from(h.pause?).ok()).unwrap_or_default();
        self.not_before = Instant::now() + pause.min(LONGEST_PAUSE);
    }

    fn answer(&mut self, reply: &BatchReply) -> Result<(), Broken> {
        match self.on_the_way.pop_front() {
            Some((number, records)) if number == reply.number => {
                self.progress.answered = number;
                self.slow_down(reply.hint.as_ref());
                (self.progress.listener)(Event::Batch { reply, records });
                Ok(())
            }
            _ => Err(Status::internal("a reply came for a batch that was not next").into()),
        }
    }
}

async fn next(replies: &mut Streaming<PushReply>) -> Result<push_reply::Message, Status> {
    let reply = replies.message().await?;
    let reply = reply.ok_or_else(|| Status::unavailable("the server ended the push without a receipt"))?;
    reply.message.ok_or_else(|| Status::internal("an empty reply"))
}

impl Broken {
    /// The error for the user when it can't go on.
    pub(super) fn into_error(self, job: &Job) -> PushError {
        let refused = |status| PushError::Refused { school_code: job.school_code.clone(), status };
        match self {
            Broken::Status(status) => refused(status),
            Broken::Cut => refused(Box::new(Status::cancelled("cut on purpose"))),
            Broken::Source(error) => PushError::Source(error),
        }
    }
}
