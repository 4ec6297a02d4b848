use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use redis::{RedisError, RedisResult};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::circuit::{Circuit, PAUSE};
use crate::form::{Form, Wire};

/// A whole attempt: Sentinels that are gone, then the one that answers, the primary's role, the primary.
const ATTEMPT: Duration = Duration::from_secs(5);
/// So long after the start callers wait for the first connection: those of a new process all need it.
const FIRST: Duration = Duration::from_millis(500);

/// The connection, kept open by a task of its own: when it is lost, the task looks for Redis anew (after a failover
/// where Sentinels lead now) and callers go without it at once.
pub(crate) struct Line {
    state: watch::Sender<State>,
    patience: Instant,
    /// Ends with the line.
    _keeper: JoinSet<()>,
}

#[derive(Clone)]
enum State {
    /// Not tried yet.
    New,
    Open(Connection),
    Lost,
}

/// A connection by its number, so that it is reported as lost once only, and not its successor.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) wire: Wire,
    number: u64,
}

impl Line {
    /// Begins to connect. Wants the runtime.
    pub(crate) fn new(form: Form, circuit: Arc<Circuit>) -> Self {
        let state = watch::Sender::new(State::New);
        let mut keeper = JoinSet::new();
        keeper.spawn(keep(form, state.clone(), circuit));
        Self { state, patience: Instant::now() + FIRST, _keeper: keeper }
    }

    /// The connection, if there is one now. Just after the start it is waited for.
    pub(crate) async fn connection(&self) -> Option<Connection> {
        if let State::Open(connection) = &*self.state.borrow() {
            return Some(connection.clone());
        }
        let mut state = self.state.subscribe();
        let tried = state.wait_for(|state| !matches!(state, State::New));
        match tokio::time::timeout_at(self.patience, tried).await {
            Ok(Ok(state)) => match &*state {
                State::Open(connection) => Some(connection.clone()),
                State::New | State::Lost => None,
            },
            _ => None,
        }
    }

    /// Says that a connection is no longer good.
    pub(crate) fn lost(&self, connection: &Connection) {
        self.state.send_if_modified(|state| {
            let is_it = matches!(state, State::Open(open) if open.number == connection.number);
            if is_it {
                *state = State::Lost;
            }
            is_it
        });
    }
}

async fn keep(form: Form, state: watch::Sender<State>, circuit: Arc<Circuit>) {
    let mut lost = state.subscribe();
    for number in 0.. {
        match within(ATTEMPT, form.open()).await {
            Ok(wire) => {
                state.send_replace(State::Open(Connection { wire, number }));
                if lost.wait_for(|state| matches!(state, State::Lost)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                state.send_replace(State::Lost);
                give_up(&circuit, &error);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Leaves Redis alone for a while; the first time, says why.
pub(crate) fn give_up(circuit: &Circuit, error: &RedisError) {
    if !circuit.failed() {
        return;
    }
    // What a server says may quote the command, and with it a password. An error of the connection is our own.
    let detail = error.is_io_error().then(|| error.to_string());
    tracing::warn!(kind = ?error.kind(), code = error.code(), detail, "Redis does not answer; going on without it");
}

/// The outcome, or a time-out as the library would report it.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}
