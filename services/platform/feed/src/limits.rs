//! Bounds of the feed.
use std::time::Duration;

/// Bounds of the feed.
#[derive(Debug, Clone, Copy)]
pub struct FeedLimits {
    /// How often the head is read when nobody wakes the reader: the net under what no wake-up tells of.
    pub poll: Duration,
    /// Time without a batch after which a checkpoint is sent.
    pub checkpoint: Duration,
    /// A consumer that takes nothing for so long is ended.
    pub stall: Duration,
    /// Bytes of messages that wait for one consumer at most. With what the transport holds (about 400 KiB) and one message in
    /// the making, a consumer costs less than a MiB.
    pub buffer: usize,
    /// Bytes of changes after which a message is closed.
    pub message: usize,
    /// How often an open stream looks whether the schools of its communes are still the same.
    pub scope: Duration,
}

impl Default for FeedLimits {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(50),
            checkpoint: Duration::from_secs(5),
            stall: Duration::from_secs(30),
            buffer: 256 << 10,
            message: 128 << 10,
            scope: Duration::from_secs(15),
        }
    }
}
