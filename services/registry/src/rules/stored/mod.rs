//! Rules over what is stored (domain.md C.3 to C.10): judged in the transaction that wrote, for what it wrote and what that
//! changes for others. One file per rule; each asks for what may break it in one statement or two, whatever the number of
//! records, and not at all when no kind that it is about was written.

mod age;
mod assigned;
mod class_size;
mod conduct;
mod context;
mod double;
mod enrolled;
mod family;
mod height;
mod likely;
mod status;
mod teacher;

use crate::rules::pack::PackBook;
use async_trait::async_trait;
use context::Context;
use eduhub_changelog::{RowChange, Table};
use eduhub_faults::{Fault, Problem};
use eduhub_ingest::{Late, Mark, StoredRules, Written, settle_issues};
use eduhub_pg::DbError;
use eduhub_rules::RulePack;
use sqlx::PgConnection;
use std::sync::Arc;
use time::Date;

/// The rules, under the pack in force.
pub struct Stored {
    /// Packs.
    pub packs: PackBook,
    /// Business date.
    pub today: Arc<dyn Fn() -> Date + Send + Sync>,
}

#[async_trait]
impl StoredRules for Stored {
    async fn judge(
        &self,
        conn: &mut PgConnection,
        written: &Written,
    ) -> Result<Vec<(String, Problem)>, Fault> {
        let pack = self.packs.in_force(written.school_year, (self.today)());
        let mut context = Context::of_batch(conn, written, pack).await?;
        all(conn, &mut context).await?;
        settle_issues(conn, &context.closing(), &context.found).await?;
        Ok(context.own_findings())
    }

    fn marks(&self, table: &Table, row: &RowChange, add: &mut dyn FnMut(Mark)) {
        double::marks(table, row, add);
        likely::marks(table, row, add);
    }

    async fn judge_late(&self, conn: &mut PgConnection, school_code: &str, late: &Late) -> Result<(), Fault> {
        if matches!(late, Late::Records(shared) if shared.is_empty()) {
            return Ok(());
        }
        // The year decides nothing here: rules are on or off, and what an old year's pack left off is not looked at.
        let today = (self.today)();
        let pack = self.packs.in_force(today.year(), today);
        let mut context = Context::late(conn, school_code, late, pack).await?;
        double::judge(conn, &mut context).await?;
        likely::judge(conn, &mut context).await?;
        settle_issues(conn, &context.closing(), &context.found).await?;
        Ok(())
    }
}

/// Findings about all records of a school, by full key, under a pack. Opens and closes nothing. What happened before, as a change
/// of status, is not judged again.
///
/// # Errors
/// The database's.
pub async fn whole_school(
    conn: &mut PgConnection,
    school_code: &str,
    school_year: i32,
    pack: Arc<RulePack>,
) -> Result<Vec<(String, Problem)>, DbError> {
    let mut context = Context::of_school(conn, school_code, school_year, pack).await?;
    all(conn, &mut context).await?;
    Ok(context.own_findings())
}

/// In one order everywhere, so that two schools whose pupils concern each other do not wait for each other.
async fn all(conn: &mut PgConnection, context: &mut Context) -> Result<(), DbError> {
    status::judge(conn, context).await?;
    double::judge(conn, context).await?;
    age::judge(conn, context).await?;
    class_size::judge(conn, context).await?;
    teacher::judge(conn, context).await?;
    assigned::judge(conn, context).await?;
    height::judge(conn, context).await?;
    enrolled::judge(conn, context).await?;
    conduct::judge(conn, context).await?;
    likely::judge(conn, context).await
}
