//! Reads a stream ahead: while one batch is applied, the next ones are taken from the wire and prepared.
use super::{
    admission::Denied,
    inbound::{Inbound, Received},
    stream::Push,
};
use crate::{batch::Batch, incoming::Incoming};
use eduhub_changelog::RecordSet;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::PushEnd;
use futures::{Stream, StreamExt};
use prost::bytes::Bytes;
use std::sync::Arc;
use tokio::{sync::mpsc, task::JoinHandle};
use tonic::Status;
use tracing::Instrument;

/// A message after `open`, ready for the database.
pub(super) enum Prepared {
    Batch(Batch),
    End(PushEnd),
}

/// The messages of a stream, prepared by a task of their own, at most a window of them before they are taken.
pub(super) struct Ahead {
    prepared: mpsc::Receiver<Result<Prepared, Fault>>,
    reader: JoinHandle<()>,
}

/// The reader holds the client's stream: it must end with the work, not with the client.
impl Drop for Ahead {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Ahead {
    pub fn start<S, I>(push: &Arc<Push<S>>, inbound: I) -> Self
    where
        S: RecordSet,
        I: Stream<Item = Result<Inbound, Status>> + Send + Unpin + 'static,
    {
        let (tx, prepared) = mpsc::channel(push.ingest.limits.window as usize);
        let reader = tokio::spawn(read(push.clone(), inbound, tx).in_current_span());
        Self { prepared, reader }
    }

    /// The next message; `None` when the client's stream is over, by its own doing or by a broken connection.
    pub async fn next(&mut self) -> Option<Result<Prepared, Fault>> {
        self.prepared.recv().await
    }
}

async fn read<S, I>(push: Arc<Push<S>>, mut inbound: I, out: mpsc::Sender<Result<Prepared, Fault>>)
where
    S: RecordSet,
    I: Stream<Item = Result<Inbound, Status>> + Send + Unpin,
{
    loop {
        let next = tokio::time::timeout(push.ingest.limits.idle, inbound.next()).await;
        let message = match next {
            Err(_) => Err(Fault::new(Reason::Deadline).detail("no message from the client")),
            Ok(None) => return,
            // The client broke off: nothing to answer to, the session stays as its last durable batch left it.
            Ok(Some(Err(_))) => return,
            Ok(Some(Ok(inbound))) => prepare(&push, inbound).await,
        };
        let last = !matches!(message, Ok(Prepared::Batch(_)));
        if out.send(message).await.is_err() || last {
            return;
        }
    }
}

async fn prepare<S: RecordSet>(push: &Push<S>, inbound: Inbound) -> Result<Prepared, Fault> {
    match inbound {
        Inbound::Batch(batch) => prepare_batch(push, batch).await.map(Prepared::Batch),
        Inbound::End(end) => Ok(Prepared::End(end)),
        Inbound::Open(_) => Err(Fault::new(Reason::Protocol).detail("open came twice")),
        Inbound::Nothing => Err(Fault::new(Reason::Protocol).detail("empty message")),
    }
}

async fn prepare_batch<S: RecordSet>(push: &Push<S>, message: Bytes) -> Result<Batch, Fault> {
    let (limits, admitted) = (push.ingest.limits, &push.admitted);
    let Received { batch, digest, unknown } = Received::read(message)?;
    let size = batch.records.len() + batch.withdrawals.len();
    if size > limits.batch_records {
        return Err(Fault::new(Reason::BatchTooLarge).meta("max_batch_records", limits.batch_records));
    }
    let prepared = prepare_records(push, &batch.records);
    let withdrawn = || batch.withdrawals.iter().try_for_each(|w| admitted.who.require::<S>(w.kind));
    let mut incoming = match prepared.and_then(|incoming| withdrawn().map(|()| incoming)) {
        Ok(incoming) => incoming,
        Err(denied) => return Err(push.ingest.refusal(&admitted.open.school_code, denied).await),
    };
    let (school_code, school_year) = (&admitted.open.school_code, admitted.open.school_year);
    push.ingest.extra.check(school_code, school_year, &mut incoming).await?;
    Ok(Batch {
        session_id: admitted.session_id,
        mode: admitted.mode,
        number: batch.number,
        digest,
        record_count: batch.records.len() as i64,
        incoming,
        withdrawals: batch.withdrawals,
        unknown,
        school_year,
        max_held: limits.held_per_school,
    })
}

fn prepare_records<S: RecordSet>(push: &Push<S>, records: &[Bytes]) -> Result<Vec<Incoming>, Denied> {
    let codes = (push.ingest.codes)();
    let preparer = push.preparer(&codes);
    let mut incoming = Vec::with_capacity(records.len());
    for (index, record) in records.iter().enumerate() {
        let prepared = preparer.read(record, index as u32);
        let record = prepared
            .map_err(|_| {
                Fault::new(Reason::Protocol).detail("a record that can't be decoded").meta("index", index)
            })?
            .ok_or_else(|| Fault::new(Reason::UnknownKind).meta("index", index))?
            .map_err(Fault::internal)?;
        push.admitted.who.require::<S>(record.kind)?;
        incoming.push(record);
    }
    Ok(incoming)
}
