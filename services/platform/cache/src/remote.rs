use std::future::Future;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, RedisResult};

use crate::circuit::Circuit;

/// A cache that is slower than the database behind it (1 to 10 ms) is no help; 150 ms leaves room for a busy host.
const RESPONSE: Duration = Duration::from_millis(150);
const CONNECT: Duration = Duration::from_millis(500);
/// More is rubbish: no entry is that large, and reading it would cost memory.
const MAX_ENTRY: usize = 1 << 20;

/// Redis behind a circuit breaker. Any failure is a miss.
pub(crate) struct Remote {
    connection: ConnectionManager,
    circuit: Circuit,
}

impl Remote {
    pub(crate) fn connect(url: &str) -> RedisResult<Self> {
        // The circuit does the retrying: a caller never waits for a reconnection.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_response_timeout(Some(RESPONSE))
            .set_connection_timeout(Some(CONNECT));
        let connection = ConnectionManager::new_lazy_with_config(Client::open(url)?, config)?;
        Ok(Self { connection, circuit: Circuit::new() })
    }

    pub(crate) async fn get(&self, name: &str) -> Option<Vec<u8>> {
        let mut connection = self.connection.clone();
        let mut command = redis::cmd("GETRANGE");
        command.arg(name).arg(0).arg(MAX_ENTRY);
        let bytes: Vec<u8> = self.guarded(command.query_async(&mut connection)).await?;
        (!bytes.is_empty() && bytes.len() <= MAX_ENTRY).then_some(bytes)
    }

    pub(crate) async fn put(&self, name: &str, sealed: &[u8], ttl: Duration) {
        if sealed.len() > MAX_ENTRY {
            return;
        }
        let mut connection = self.connection.clone();
        let mut command = redis::cmd("SET");
        let millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1);
        command.arg(name).arg(sealed).arg("PX").arg(millis);
        let _: Option<()> = self.guarded(command.query_async(&mut connection)).await;
    }

    pub(crate) async fn remove(&self, name: &str) {
        let mut connection = self.connection.clone();
        let mut command = redis::cmd("DEL");
        command.arg(name);
        let _: Option<i64> = self.guarded(command.query_async(&mut connection)).await;
    }

    async fn guarded<T>(&self, command: impl Future<Output = RedisResult<T>>) -> Option<T> {
        if !self.circuit.passes() {
            return None;
        }
        // The first use connects as part of the command, so the command's own limit does not cover it.
        let outcome = match tokio::time::timeout(CONNECT + RESPONSE, command).await {
            Ok(outcome) => outcome,
            Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        };
        match outcome {
            Ok(value) => {
                if self.circuit.succeeded() {
                    tracing::info!("Redis answers again");
                }
                Some(value)
            }
            // It answered, just not with an entry (another type under our key, out of memory).
            Err(error) if answered(&error) => {
                self.circuit.succeeded();
                tracing::debug!(code = error.code(), "Redis refused a command");
                None
            }
            Err(error) => {
                if self.circuit.failed() {
                    tracing::warn!(kind = ?error.kind(), "Redis does not answer; going on without it");
                }
                None
            }
        }
    }
}

fn answered(error: &RedisError) -> bool {
    !error.is_io_error() && !error.is_timeout() && !error.is_connection_dropped() && error.code().is_some()
}
