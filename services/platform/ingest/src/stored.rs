//! Rules of a service over what is stored: they look at other records than the one that came, so they are judged in the
//! transaction that wrote it, after the write.
use crate::{marks::Mark, outcome::Outcome};
use async_trait::async_trait;
use eduhub_changelog::{RowChange, Table, WriteContext};
use eduhub_faults::{Fault, Problem};
use sqlx::PgConnection;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What a transaction wrote, by kinds. Which records is told by their entries in the log, which have its transaction id.
#[derive(Debug, Clone)]
pub struct Written {
    /// School.
    pub school_code: String,
    /// School year of the push.
    pub school_year: i32,
    /// Kinds with records that were never there before.
    pub new: BTreeSet<i32>,
    /// Kinds with records that superseded an image, withdrawals included.
    pub changed: BTreeSet<i32>,
    /// False when the batches before this one were only tried: what its records refer to may not be in the tables, so that
    /// nothing may be said to be missing.
    pub complete: bool,
}

impl Written {
    pub(crate) fn of(who: &WriteContext, school_year: i32, out: &Outcome, complete: bool) -> Self {
        let (new, changed) = (out.new_kinds.clone(), out.changed_kinds.clone());
        Self { school_code: who.school_code.clone(), school_year, new, changed, complete }
    }

    /// True when records of the kind were written.
    pub fn has(&self, kind: i32) -> bool {
        self.new.contains(&kind) || self.changed.contains(&kind)
    }

    /// True when nothing was.
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.changed.is_empty()
    }
}

/// Rules over stored data. Their findings are warnings under reasons of their own, which no other check has, and their issues
/// are theirs to open and to close, by [`settle_issues`](crate::settle_issues).
#[async_trait]
pub trait StoredRules: Send + Sync + 'static {
    /// Judges what the transaction wrote and what that changes for others. Gives the findings about records of the school, by
    /// full key. Costs nothing for kinds that were not written, and no statement per record.
    async fn judge(
        &self,
        conn: &mut PgConnection,
        written: &Written,
    ) -> Result<Vec<(String, Problem)>, Fault>;

    /// Marks of a row that is written, by which a rule finds at the session's end that another school wrote at the same moment
    /// what concerns it: [`StoredRules::judge_late`] is asked about such records. No IO.
    fn marks(&self, _table: &Table, _row: &RowChange, _add: &mut dyn FnMut(Mark)) {}

    /// Judges once more, at the end of a session, what it wrote against other schools': two that push at once do not see each
    /// other's batches before they commit, but the later end sees both.
    async fn judge_late(&self, conn: &mut PgConnection, school_code: &str, late: &Late) -> Result<(), Fault>;
}

/// What the end of a session looks at once more.
#[derive(Debug, Clone)]
pub enum Late {
    /// Records, by kind: another school wrote at the same moment what may concern them.
    Records(BTreeMap<i32, Vec<Uuid>>),
    /// Everything written to the school since a transaction: the session is so old that nobody knows what ran beside it.
    Since(i64),
}

/// No rules.
pub struct NoStoredRules;

#[async_trait]
impl StoredRules for NoStoredRules {
    async fn judge(&self, _: &mut PgConnection, _: &Written) -> Result<Vec<(String, Problem)>, Fault> {
        Ok(vec![])
    }

    async fn judge_late(&self, _: &mut PgConnection, _: &str, _: &Late) -> Result<(), Fault> {
        Ok(())
    }
}

/// Judges a transaction that wrote anything.
pub(crate) async fn judge(
    conn: &mut PgConnection,
    rules: &dyn StoredRules,
    written: &Written,
) -> Result<Vec<(String, Problem)>, Fault> {
    if written.is_empty() { Ok(vec![]) } else { rules.judge(conn, written).await }
}
