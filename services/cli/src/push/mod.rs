//! Pushing a school's records (protocol: `eduhub/common/v1/push.proto`).
//!
//! [`push_school`] sends a [`Source`] of records batch by batch with several batches on the way, reconnects with the same
//! session when the connection breaks and goes on where the hub's last durable batch ended, ends the session explicitly and
//! gives back the hub's receipt with everything that was found. Memory is bounded by the window, not by the school.
//! [`sync_school`] compares first and pushes only what differs.

mod attempt;
mod batches;
mod findings;
mod run;
mod sync;

pub use batches::{JsonLines, Records, Source};
pub use findings::{FindingGroup, Findings};
pub use run::push_school;
pub use sync::{SyncError, SyncOptions, Synced, SyncedKind, sync_school};

use crate::lines::LineError;
use eduhub_proto::common::v1::{BatchReply, CodeMappingUse, Kind, PushMode, PushReceipt, RootCause};
use eduhub_runtime::client::ClientError;
use std::time::Duration;
use tonic::Status;
use uuid::Uuid;

/// What to push for whom.
#[derive(Clone, Debug)]
pub struct Job {
    /// School.
    pub school_code: String,
    /// School year by its first year.
    pub school_year: i32,
    /// Meaning for absent records.
    pub mode: PushMode,
    /// With FULL: the kinds that the push covers.
    pub full_kinds: Vec<Kind>,
    /// Mapping tables by which the hub is to translate the records' values; none: they are the hub's codes.
    pub code_mapping: Option<CodeMappingUse>,
    /// Session; the same one resumes.
    pub session_id: Uuid,
    /// Records in a batch; the server's limit when that is lower. A resumed session needs the same number.
    pub batch: usize,
    /// Batches on the way without a reply; the server's limit when that is lower.
    pub window: usize,
    /// Attempts in a row without progress before giving up.
    pub attempts: usize,
    /// Findings that are kept in the outcome; all are counted and all go to the progress callback.
    pub keep_findings: usize,
    /// For rehearsals: the connection is dropped right after this batch was sent, once each.
    pub cuts: Vec<u32>,
}

impl Job {
    /// A new session: PATCH, 500 records a batch, 4 batches on the way.
    pub fn new(school_code: impl Into<String>, school_year: i32) -> Self {
        Self {
            school_code: school_code.into(),
            school_year,
            mode: PushMode::Patch,
            full_kinds: vec![],
            code_mapping: None,
            session_id: Uuid::now_v7(),
            batch: 500,
            window: 4,
            attempts: 10,
            keep_findings: 20_000,
            cuts: vec![],
        }
    }
}

/// What happens during a push.
#[derive(Debug)]
pub enum Event<'a> {
    /// The stream is open; batches up to this number are durable already.
    Connected {
        /// Last durable batch, 0 for a new session.
        last_batch: u32,
    },
    /// A batch is durable.
    Batch {
        /// The hub's answer.
        reply: &'a BatchReply,
        /// Records in it.
        records: usize,
    },
    /// The connection broke and is tried again after the pause.
    Lost {
        /// Why; `None` for a cut of [`Job::cuts`].
        status: Option<&'a Status>,
        /// Pause before the next attempt.
        pause: Duration,
    },
}

/// A complete push.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The hub's receipt, with the totals.
    pub receipt: PushReceipt,
    /// What was found.
    pub findings: Findings,
    /// Connections that it took.
    pub connections: u32,
    /// Connections cut on purpose.
    pub cuts: u32,
    /// Wall time.
    pub took: Duration,
}

impl Outcome {
    /// Records that others still wait for, the heaviest first (all sessions of the school together).
    pub fn root_causes(&self) -> Vec<RootCause> {
        let mut all = self.receipt.waiting.clone();
        all.sort_by(|a, b| b.blocked.cmp(&a.blocked).then_with(|| a.record_key.cmp(&b.record_key)));
        all
    }

    /// Records a second.
    pub fn rate(&self) -> f64 {
        self.receipt.record_count as f64 / self.took.as_secs_f64().max(1e-6)
    }
}

/// Why a push did not complete. The session can be resumed after all but `Refused`.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The hub refuses it, and would again.
    #[error("the push of school {school_code} was refused: {}", crate::explain::short(status))]
    Refused {
        /// School.
        school_code: String,
        /// Answer.
        status: Box<Status>,
    },
    /// The hub could not be reached or did not answer for too long.
    #[error(
        "gave up after {connections} connections; resume with --session {session_id}: {}",
        crate::explain::short(last)
    )]
    GaveUp {
        /// Session to resume.
        session_id: Uuid,
        /// Connections made.
        connections: u32,
        /// Last answer.
        last: Box<Status>,
    },
    /// The records can't be read.
    #[error("the records can't be read: {0}")]
    Source(#[from] LineError),
    /// The server's address or certificates are not usable.
    #[error(transparent)]
    Client(#[from] ClientError),
}
