//! Push sessions (design section 4; protocol in `eduhub/common/v1/push.proto`).
//!
//! [`push`] is the stream. A batch is prepared without a database ([`prepare`]), then applied in one transaction under the
//! school's lock ([`batch`]): its sound records are written with their log entries ([`records`]) or held for a parent
//! ([`held`]), what waited for them is admitted ([`waiting`]), findings become issues ([`stored`], [`issues`], [`duplicates`]), and the
//! session goes on with the reply stored ([`session`]). Only then is it acknowledged. [`end`] completes the session.
//!
//! [`compare`] stands beside it: what of a school's records need not be pushed at all. [`intake`] and the lists of [`issues`] are
//! the RPCs over all this, the same for every service.

mod batch;
mod clock;
mod compare;
mod counts;
mod duplicates;
mod end;
mod held;
mod housekeeping;
mod incoming;
mod intake;
mod issues;
mod mapping;
mod marks;
pub mod metrics;
mod outcome;
mod owners;
mod prepare;
mod push;
mod receipt;
mod records;
mod session;
mod stored;
mod timestamps;
mod waiting;

pub use clock::{Clock, Day, clock};
pub use compare::{Comparison, MAX_GROUPS, MAX_RECORDS};
pub use held::expire_held;
pub use housekeeping::{KeepDays, housekeeping};
pub use incoming::Incoming;
pub use intake::{Admits, Intake, Replies};
pub use issues::{Looked, WorkLists, close_issues, open_issues, settle_issues};
pub use mapping::{Mappings, VendorMapping};
pub use marks::Mark;
pub use owners::{GrantOwners, NoOwners, Owner, Owners};
pub use prepare::Preparer;
pub use push::{Extra, Inbound, Ingest, Limits, NoExtra, Opening, Pushing, opening};
pub use stored::{Late, NoStoredRules, StoredRules, Written};
pub use timestamps::{from_proto, to_proto};
