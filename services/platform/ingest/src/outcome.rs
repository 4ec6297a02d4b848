//! What became of the records of one batch.
use eduhub_faults::Problem;
use eduhub_proto::common::v1::PushCounts;
use std::collections::{HashMap, HashSet};

/// Kind and full key of records.
pub(crate) type Keys = HashSet<(i32, String)>;

/// What happened to the records of one batch.
#[derive(Default)]
pub(crate) struct Outcome {
    pub counts: PushCounts,
    /// Findings by full key.
    pub problems: Vec<(String, Problem)>,
    /// Kind and full key of every record that was accepted, unchanged ones included.
    pub accepted: Vec<(i32, String)>,
    /// Kind and full key of every refused record.
    pub refused: Vec<(i32, String)>,
    /// Kind and full key of every record that is taken away, whether it was there or not.
    pub withdrawn: Vec<(i32, String)>,
    /// Kind and full key of every record that gave up its secret: it can share it with nobody any more.
    pub bared: Vec<(i32, String)>,
    /// Kind and full key of every record that is new, or back: others may have waited for it.
    pub arrived: Vec<(i32, String)>,
    /// Parents that held records wait for.
    pub waited_for: HashSet<(i32, String)>,
    /// Blind indexes that came or went, by kind.
    pub indexes: HashMap<i32, Vec<Vec<u8>>>,
}
