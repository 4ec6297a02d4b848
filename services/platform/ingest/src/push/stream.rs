//! The course of one stream: welcome, replies in the order of the batches, receipt.
use super::{
    admission::{Admitted, Pushing},
    ahead::{Ahead, Prepared},
    effect::Effect,
    inbound::{Inbound, Opening},
    ingest::Ingest,
};
use crate::{mapping::VendorMapping, prepare::Preparer};
use eduhub_changelog::RecordSet;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{PushReply, PushWelcome, push_reply::Message};
use eduhub_rules::{Checker, CodeTable, RulePack};
use futures::Stream;
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tracing::Instrument;

/// How long the error that ends a stream waits for the client to take it.
const LAST_WORD: Duration = Duration::from_secs(5);

type Replies = mpsc::Sender<Result<PushReply, Status>>;

impl<S: RecordSet> Ingest<S> {
    /// Serves one stream whose `open` was read and authorised. Batches are prepared while the one before is applied.
    /// Ends early when `ended` resolves with the reason why the caller's access is over: a revoked grant ends its open
    /// streams. What is durable stays, and the session can be resumed under a new token of the grant.
    pub fn serve<I, E>(
        self: &Arc<Self>,
        who: Pushing,
        opening: Opening,
        inbound: I,
        ended: E,
    ) -> ReceiverStream<Result<PushReply, Status>>
    where
        I: Stream<Item = Result<Inbound, Status>> + Send + Unpin + 'static,
        E: Future<Output = Fault> + Send + 'static,
    {
        let (replies, rx) = mpsc::channel(self.limits.window as usize);
        let ingest = self.clone();
        let work = async move {
            // Dropping the run cuts no transaction: each has a task of its own.
            let fault = tokio::select! {
                outcome = run(ingest, who, opening, inbound, &replies) => outcome.err(),
                fault = ended => Some(fault),
                // A client that went away gets nothing more written in its name.
                () = replies.closed() => None,
            };
            if let Some(fault) = fault {
                // A client that takes no replies has a full buffer: its error must not wait for room for ever.
                let _ = replies.send_timeout(Err(fault.into()), LAST_WORD).await;
            }
        };
        tokio::spawn(work.in_current_span());
        ReceiverStream::new(rx)
    }
}

/// From `open` to the receipt.
async fn run<S, I>(
    ingest: Arc<Ingest<S>>,
    who: Pushing,
    opening: Opening,
    inbound: I,
    replies: &Replies,
) -> Result<(), Fault>
where
    S: RecordSet,
    I: Stream<Item = Result<Inbound, Status>> + Send + Unpin + 'static,
{
    let _entered = ingest.load.enter(&who.actor, &ingest.limits)?;
    let school_code = opening.open.school_code.clone();
    let admitted = match Admitted::new::<S>(who, opening) {
        Ok(admitted) => admitted,
        Err(denied) => return Err(ingest.refusal(&school_code, denied).await),
    };
    let pack = (ingest.packs)(admitted.open.school_year, (ingest.today)());
    let mapping = (ingest.mappings)().of(&admitted.open)?;
    let push = Arc::new(Push { admitted, pack, mapping, ingest });
    let (mut effect, last_batch) = Effect::begin(&push).await?;
    send(replies, Message::Welcome(push.welcome(last_batch))).await?;
    let mut ahead = Ahead::start(&push, inbound);
    let draining = push.ingest.draining.clone();
    loop {
        let message = tokio::select! {
            biased;
            // What is applied has been answered; what was read ahead is not begun: the client sends it again elsewhere.
            () = draining.cancelled() => return Err(Fault::stopping()),
            message = ahead.next() => message,
        };
        let Some(message) = message else { break };
        match message? {
            Prepared::Batch(batch) => {
                let reply = effect.apply(&push, batch).await?;
                send(replies, Message::Batch(reply)).await?;
            }
            Prepared::End(end) => {
                let receipt = effect.complete(&push, end).await?;
                return send(replies, Message::Receipt(receipt)).await;
            }
        }
    }
    let session = push.admitted.session_id;
    tracing::info!(%session, "push stream ended without end: abandoned until it is resumed");
    Ok(())
}

async fn send(replies: &Replies, message: Message) -> Result<(), Fault> {
    // A client that went away has nobody to tell; what is durable stays so.
    let gone = replies.send(Ok(PushReply { message: Some(message) })).await.is_err();
    if gone { Err(Fault::new(Reason::Unavailable).detail("client went away")) } else { Ok(()) }
}

/// What all parts of one stream share.
pub(super) struct Push<S> {
    pub ingest: Arc<Ingest<S>>,
    pub admitted: Admitted,
    /// Rules between fields that the stream is judged by, from its beginning to its end.
    pub pack: Arc<RulePack>,
    /// What the sender's own values mean, if they are not codes of the hub.
    pub mapping: Option<Arc<VendorMapping>>,
}

impl<S: RecordSet> Push<S> {
    fn welcome(&self, last_batch: u32) -> PushWelcome {
        let limits = self.ingest.limits;
        let max_batch_records = limits.batch_records as u32;
        PushWelcome {
            last_batch,
            max_batch_records,
            window: limits.window,
            notices: self.admitted.notices.clone(),
        }
    }

    /// Prepares the records of this push by these code lists.
    pub fn preparer<'a>(&'a self, codes: &'a CodeTable) -> Preparer<'a, S> {
        let open = &self.admitted.open;
        let today = Checker::new(codes, (self.ingest.today)());
        let checker = today.of_year(open.school_year).at(self.admitted.who.levels).under(&self.pack);
        Preparer::new(checker, &self.ingest.vault, &open.school_code, open.school_year)
            .translating(self.mapping.as_deref())
    }
}
