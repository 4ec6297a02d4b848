use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind};

use crate::circuit::Circuit;
use crate::line::{Line, give_up, within};
use crate::settings::RedisSettings;

/// A cache that is slower than the database behind it (1 to 10 ms) is no help; 150 ms leaves room for a busy host.
const RESPONSE: Duration = Duration::from_millis(150);
/// More is rubbish: no entry is that large, and reading it would cost memory.
const MAX_ENTRY: usize = 1 << 20;

/// Redis behind a circuit breaker. Any failure is a miss.
pub(crate) struct Remote {
    line: Line,
    circuit: Arc<Circuit>,
}

impl Remote {
    pub(crate) fn connect(settings: &RedisSettings) -> Self {
        let circuit = Arc::new(Circuit::new());
        Self { line: Line::new(settings.form.clone(), circuit.clone()), circuit }
    }

    pub(crate) async fn get(&self, name: &str) -> Option<Vec<u8>> {
        let bytes: Vec<u8> = self.ask(redis::cmd("GETRANGE").arg(name).arg(0).arg(MAX_ENTRY)).await?;
        (!bytes.is_empty() && bytes.len() <= MAX_ENTRY).then_some(bytes)
    }

    pub(crate) async fn put(&self, name: &str, sealed: &[u8], ttl: Duration) {
        if sealed.len() > MAX_ENTRY {
            return;
        }
        let millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1);
        let _: Option<()> = self.ask(redis::cmd("SET").arg(name).arg(sealed).arg("PX").arg(millis)).await;
    }

    pub(crate) async fn remove(&self, name: &str) {
        let _: Option<i64> = self.ask(redis::cmd("DEL").arg(name)).await;
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Option<T> {
        let mut connection = self.line.connection().await?;
        if !self.circuit.passes() {
            return None;
        }
        match within(RESPONSE, connection.wire.ask(command)).await {
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
                give_up(&self.circuit, &error);
                self.line.lost(&connection);
                None
            }
        }
    }
}

/// A replica that refuses to write was the primary before a failover: the connection is of no more use.
fn answered(error: &RedisError) -> bool {
    !error.is_io_error()
        && error.code().is_some()
        && error.kind() != ErrorKind::Server(ServerErrorKind::ReadOnly)
}
