//! Counts of live records.
use crate::{
    filter,
    reads::{Reads, table},
};
use eduhub_auth::Caller;
use eduhub_changelog::{Counting, RecordSet, allow_whole_tables, count};
use eduhub_faults::{Fault, Reason};
use eduhub_pg::{DbError, in_tx};
use eduhub_proto::common::v1::{CountRecordsRequest, CountRecordsResponse, RecordCount};
use std::time::Duration;

/// Counts in one answer at most.
const MOST: usize = 10_000;
/// Longest time that counting all schools may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// When to ask again while others count.
const RETRY: Duration = Duration::from_secs(2);

impl<S: RecordSet> Reads<S> {
    /// Counts of one kind, in one school or in all of the caller's scope.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND; PERMISSION_DENIED for the domain of the kind or of a parent, and for a field above the
    /// caller's class; INVALID_ARGUMENT for what the kind has no column for, and for too many counts; RESOURCE_EXHAUSTED
    /// while others count all schools.
    pub async fn count(
        &self,
        caller: &Caller,
        asked: &CountRecordsRequest,
    ) -> Result<CountRecordsResponse, Fault> {
        let table = table::<S>(asked.kind)?;
        let one_school = !asked.school_code.is_empty();
        let schools = if one_school {
            self.gate.kind(caller, &asked.school_code, asked.kind).await?;
            Some(vec![asked.school_code.clone()])
        } else {
            caller.require_domain(table.meta.domain())?;
            self.gate.reach(caller).await?.map(|schools| schools.into_iter().collect())
        };
        let filter = asked.filter.clone().unwrap_or_default();
        let conditions = filter::sources::<S>(table, caller, &filter)?;
        let by = filter::dimensions::<S>(table, caller, &asked.by)?;
        let counting = Counting { schools, school_year: filter.school_year, conditions, by };
        let limit = MOST as i64 + 1;
        let cells = if one_school {
            count(&mut *self.conn().await?, table, &counting, limit).await?
        } else {
            let _turn = self
                .wide_counts
                .try_acquire()
                .map_err(|_| Fault::new(Reason::Overloaded).retry_after(RETRY))?;
            in_tx::<_, DbError, _>(&self.pool, PATIENCE, move |conn| {
                Box::pin(async move {
                    allow_whole_tables(conn).await?;
                    count(conn, table, &counting, limit).await
                })
            })
            .await?
        };
        if cells.len() > MOST {
            return Err(Fault::invalid("by", &format!("gives more than {MOST} counts")));
        }
        let counts = cells.into_iter().map(|(values, count)| RecordCount {
            values: values.into_iter().map(Option::unwrap_or_default).collect(),
            count: count.unsigned_abs(),
        });
        let counts: Vec<RecordCount> = counts.collect();
        let total = counts.iter().map(|c| c.count).sum();
        Ok(CountRecordsResponse { counts, total })
    }
}
