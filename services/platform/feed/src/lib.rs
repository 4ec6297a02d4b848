//! Watch streams (design section 5; contract in `eduhub/common/v1/feed.proto`).
//!
//! One task per process follows the head of the log ([`Feed::start`]). Each stream reads pages from its own cursor, through
//! a page cache: pages below the head never change, so streams that stand at the same place share one read. A stream
//! pulls only as fast as its consumer takes; one that stalls is ended with its own error.

mod filter;
mod follow;
mod head;
mod page;
mod snapshot;
mod stream;

pub use filter::{View, fingerprint};
pub use head::{Feed, FeedLimits};
pub use stream::Item;
