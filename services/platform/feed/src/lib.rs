//! Watch streams (design section 5; contract in `eduhub/common/v1/feed.proto`), the same for every service with records.
//!
//! One task per process follows the head of the log ([`Feed::start`]), woken after each commit here and in other processes.
//! While anybody follows, it reads the pages that come and puts them on the shelf; streams that are behind read from their
//! cursor on until they meet a page that is there. A stream that has met the head also gets what was committed while an older
//! transaction is open, ahead of its turn; its cursors name what it has so. Changes are encoded once for all consumers that see the same fields. A
//! stream's messages wait in an outbox that is bounded in bytes; a consumer that takes nothing is ended with its own error.
//!
//! [`FeedServer`] is the `FeedService` of a service, stored subscriptions included.

mod begun;
mod early;
mod event;
mod head;
mod limits;
mod live;
pub mod metrics;
mod outbox;
mod pages;
mod reach;
mod scope;
mod server;
mod shelf;
mod snapshot;
mod stream;
mod subscription;
mod wake;
mod wire;

pub use head::{Feed, Heads, Seen, State};
pub use limits::FeedLimits;
pub use server::FeedServer;
