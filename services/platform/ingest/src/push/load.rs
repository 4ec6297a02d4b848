//! Sharing the hub between pushes: turns at the database in the order of asking, few streams for each caller, and hints to
//! clients when the hub is behind.
use super::{ingest::Limits, pen::Pen};
use crate::metrics::Measured;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::PushHint;
use eduhub_runtime::meter::UpDownCounter;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// When a caller with too many streams may come again.
const RETRY: Duration = Duration::from_secs(2);
/// Longest pause that a hint asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The pushes of one process.
pub struct Load {
    turns: Arc<Semaphore>,
    pens: Arc<Semaphore>,
    streams: Arc<Mutex<HashMap<String, usize>>>,
    pub(super) measured: Measured,
}

impl Load {
    /// Nothing is going on yet.
    pub(super) fn new(limits: &Limits) -> Self {
        let semaphore = |places| Arc::new(Semaphore::new(places));
        let (turns, pens) = (semaphore(limits.applying), semaphore(limits.writing));
        Self { turns, pens, streams: Arc::default(), measured: Measured::new() }
    }

    /// Lets a stream of a caller in.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED/OVERLOADED with a retry hint when it has its share open already.
    pub(super) fn enter(&self, caller: &str, limits: &Limits) -> Result<Entered, Fault> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let open = streams.entry(caller.to_owned()).or_default();
        if *open >= limits.streams_per_caller {
            return Err(Fault::new(Reason::Overloaded)
                .meta("open_streams", limits.streams_per_caller)
                .retry_after(RETRY));
        }
        *open += 1;
        let sessions = self.measured.sessions.clone();
        sessions.add(1, &[]);
        Ok(Entered { caller: caller.to_owned(), streams: self.streams.clone(), sessions })
    }

    /// The pen of a transaction.
    pub(super) fn pen(&self) -> Pen {
        Pen::of(&self.pens)
    }

    /// Waits for a turn at the database. Turns are given in the order of asking, and a stream asks for one at a time: a
    /// caller with much to push waits as long for its next batch as one with little.
    pub(super) async fn turn(&self) -> Turn {
        let asked = Instant::now();
        // Closed by nobody: without a permit the turn is taken all the same.
        let permit = self.turns.clone().acquire_owned().await.ok();
        let waited = asked.elapsed();
        self.measured.waited(waited);
        Turn { waited, _permit: permit }
    }
}

/// A stream that was let in; leaves when dropped.
pub(super) struct Entered {
    caller: String,
    streams: Arc<Mutex<HashMap<String, usize>>>,
    sessions: UpDownCounter<i64>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.sessions.add(-1, &[]);
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = streams.get_mut(&self.caller) {
            *open -= 1;
            if *open == 0 {
                streams.remove(&self.caller);
            }
        }
    }
}

/// A turn at the database, given back when dropped.
pub(super) struct Turn {
    waited: Duration,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Turn {
    /// What to ask of the client: nothing while the hub keeps up; else one batch at a time, with a pause as long as the turn
    /// had to be waited for.
    pub fn hint(&self, limits: &Limits) -> Option<PushHint> {
        let behind = self.waited > limits.keeps_up;
        behind.then(|| PushHint { window: 1, pause: self.waited.min(LONGEST_PAUSE).try_into().ok() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { applying: 1, streams_per_caller: 2, ..Limits::default() }
    }

    #[test]
    fn a_caller_has_its_share_of_streams_and_gets_it_back() {
        let load = Load::new(&limits());
        let first = load.enter("vendor a", &limits()).ok().unwrap();
        let _second = load.enter("vendor a", &limits()).ok().unwrap();
        let refused = load.enter("vendor a", &limits()).err().unwrap();
        assert_eq!(refused.reason(), Reason::Overloaded);
        assert!(load.enter("vendor b", &limits()).is_ok(), "another's share is its own");
        drop(first);
        assert!(load.enter("vendor a", &limits()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waited_for_a_turn_is_asked_to_slow_down() {
        let load = Arc::new(Load::new(&limits()));
        let busy = load.turn().await;
        assert_eq!(busy.hint(&limits()), None);
        let waiting = tokio::spawn({
            let load = load.clone();
            async move { load.turn().await.hint(&limits()) }
        });
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        drop(busy);
        let hint = waiting.await.unwrap().unwrap();
        assert_eq!(hint.window, 1);
        let pause = hint.pause.unwrap();
        assert_eq!((pause.seconds, pause.nanos / 100_000_000), (1, 5));
    }
}
