//! Record tables and their append-only change log.
//!
//! Every accepted change writes, in one statement, the row's newest image and a thin log entry; an entry that supersedes
//! an image keeps it. That one log is the feed, the history, the source of states as of a position, and the evidence of
//! what was sent (design section 3).
//!
//! Order: a transaction calls [`lock_school`] before its first write, so the transactions of one school get their ids in
//! commit order. A position is (transaction id, sequence); readers compare the pair and stay below the oldest running
//! transaction ([`page`]); what was committed above it they may have ahead of its turn, transaction by transaction
//! ([`Ahead`]), which keeps the order of each school. Tables that this crate works on are made by the migrations of the services
//! (`0001_change_log.sql`, the same text in each).

mod ahead;
mod as_of;
mod copy;
mod count;
mod cursor;
mod epochs;
mod find;
mod head;
mod history;
mod image;
mod log_point;
mod page;
mod position;
mod read;
mod records;
mod retention;
mod seal;
mod search;
mod snapshot;
mod table;
mod write;

pub use ahead::Ahead;
pub use as_of::{DiffRow, Side, diff_as_of, get_as_of, list_as_of};
pub use count::{Cell, Counting, Source, allow_whole_tables, count};
pub use cursor::{Cursor, CursorError, Phase, ahead_of};
pub use epochs::Epochs;
pub use find::{Condition, Found, LOOKED_THROUGH, Range, find};
pub use head::{Head, Standing, head};
pub use history::{Version, history};
pub use image::StoredImage;
pub use log_point::LogPoint;
pub use page::{Entry, images, news, page, page_until};
pub use position::{FeedIdentity, Position, lock_school, school_position};
pub use read::{Existing, existing_keys, get_many, list, prefetch};
pub use records::{ImageError, Opener, RecordSet, RecordVisitor, Split, split};
pub use retention::{Retention, prune};
pub use seal::{Digester, SealedState, school_digest, seal_state, sealed_at};
pub use search::{Candidate, Wanted, by_id, candidates};
pub use snapshot::{SnapshotPoint, snapshot_page};
pub use table::{Column, ColumnType, Table};
pub use write::{ColumnValue, RowChange, WriteContext, write};
