//! Push sessions (design section 4; protocol in `eduhub/common/v1/push.proto`).
//!
//! A batch is prepared without a database ([`prepare`]), then applied in one transaction under the school's lock
//! ([`batch`]): findings, held records, rows with log entries, issues, the session's progress and the stored reply. Only
//! then is it acknowledged.

mod apply;
mod batch;
mod clock;
mod counts;
mod duplicates;
mod end;
mod held;
mod housekeeping;
mod incoming;
mod issues;
mod prepare;
mod push;
mod session;
mod timestamps;

pub use clock::{Clock, Day, clock};
pub use held::expire_held;
pub use housekeeping::{KeepDays, housekeeping};
pub use incoming::{Inbound, InboundBatch, Incoming, digest, opening};
pub use issues::{CountedIssue, IssueRow, close_issues, count_open, list_issues, open_issues};
pub use prepare::Preparer;
pub use push::{Extra, Ingest, Limits, NoExtra, Pushing};
pub use timestamps::{from_proto, to_proto};
