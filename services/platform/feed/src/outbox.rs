//! Messages that wait for one consumer, bounded in bytes.
use crate::wire::Reply;
use eduhub_faults::{Fault, Reason};
use futures::Stream;
use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tonic::Status;

struct Waiting {
    reply: Result<Reply, Status>,
    /// Its place, given back when the transport takes it.
    _room: Option<OwnedSemaphorePermit>,
}

/// The stream's end.
pub(crate) struct Outbox {
    to: mpsc::UnboundedSender<Waiting>,
    room: Arc<Semaphore>,
    bytes: usize,
    stall: Duration,
    /// Cursor of the last message that was put here.
    cursor: Mutex<Vec<u8>>,
}

/// The transport's end.
pub(crate) struct Replies(mpsc::UnboundedReceiver<Waiting>);

impl Stream for Replies {
    type Item = Result<Reply, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|waiting| waiting.map(|w| w.reply))
    }
}

/// An outbox for so many bytes, whose consumer is given up when it takes nothing for `stall`; `cursor` is where it stands.
pub(crate) fn outbox(bytes: usize, stall: Duration, cursor: Vec<u8>) -> (Outbox, Replies) {
    let (to, from) = mpsc::unbounded_channel();
    let room = Arc::new(Semaphore::new(bytes));
    (Outbox { to, room, bytes, stall, cursor: Mutex::new(cursor) }, Replies(from))
}

impl Outbox {
    /// Puts a message in if there is room; gives it back otherwise.
    pub fn offer(&self, reply: Reply, cursor: &[u8]) -> Result<(), Reply> {
        match self.room.clone().try_acquire_many_owned(self.places(&reply)) {
            Ok(room) => {
                self.hand_over(reply, cursor, room);
                Ok(())
            }
            Err(_) => Err(reply),
        }
    }

    /// Puts a message in, waiting for room.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED/CONSUMER_TOO_SLOW with the last cursor when the consumer takes nothing for too long. It still gets what
    /// is waiting, so this cursor is that of the last message before the error.
    pub async fn put(&self, reply: Reply, cursor: &[u8]) -> Result<(), Fault> {
        let room = self.room.clone().acquire_many_owned(self.places(&reply));
        match tokio::time::timeout(self.stall, room).await {
            Ok(Ok(room)) => {
                self.hand_over(reply, cursor, room);
                Ok(())
            }
            Ok(Err(_)) => Err(Fault::new(Reason::Unavailable)),
            Err(_) => {
                let last = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
                Err(Fault::new(Reason::ConsumerTooSlow).meta("cursor", hex::encode(&*last)))
            }
        }
    }

    /// Ends the stream with an error, whatever waits.
    pub fn end(&self, fault: Fault) {
        let _ = self.to.send(Waiting { reply: Err(fault.into()), _room: None });
    }

    /// Resolves when the consumer is gone.
    pub async fn closed(&self) {
        self.to.closed().await;
    }

    /// A message that is larger than all the room takes all of it.
    fn places(&self, reply: &Reply) -> u32 {
        u32::try_from(reply.0.len().min(self.bytes)).unwrap_or(u32::MAX)
    }

    fn hand_over(&self, reply: Reply, cursor: &[u8], room: OwnedSemaphorePermit) {
        let mut last = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        last.clear();
        last.extend_from_slice(cursor);
        // A consumer that is gone is noticed by `closed`.
        let _ = self.to.send(Waiting { reply: Ok(reply), _room: Some(room) });
    }
}
