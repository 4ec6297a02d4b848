//! Pages of one kind's records in one school.
use crate::{
    as_of::At,
    filter,
    reads::{Reads, table},
    view::Seen,
};
use eduhub_auth::Caller;
use eduhub_changelog::{Condition, Found, Range, RecordSet, find, list_as_of};
use eduhub_faults::Fault;
use eduhub_paging as paging;
use eduhub_proto::common::v1::{ReadPoint, RecordFilter};

/// Records with their heads, and the token of the next page (empty at the end).
pub struct RecordList<R> {
    /// Records.
    pub records: Vec<Seen<R>>,
    /// Token of the next page.
    pub next_page_token: String,
}

/// Page of a kind's records.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// School.
    pub school_code: &'a str,
    /// Number of the kind.
    pub kind: i32,
    /// At most so many; 0 for 200, at most 1,000.
    pub size: i32,
    /// Token of the page before.
    pub token: &'a str,
    /// Only these.
    pub filter: Option<&'a RecordFilter>,
    /// As of this position; `None` for the live state.
    pub as_of: Option<&'a ReadPoint>,
}

impl Page<'_> {
    /// What a token of this list is bound to.
    fn binding(&self) -> String {
        let Self { school_code, kind, filter, as_of, .. } = self;
        format!("list/{school_code}/{kind}/{filter:?}/{as_of:?}")
    }
}

impl<S: RecordSet> Reads<S> {
    /// Records of one kind in one school by key.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND; PERMISSION_DENIED for the domain or for a field of the filter; INVALID_ARGUMENT for the
    /// filter, size and token; those of the position.
    pub async fn list(&self, caller: &Caller, page: Page<'_>) -> Result<RecordList<S::Record>, Fault> {
        self.gate.kind(caller, page.school_code, page.kind).await?;
        let table = table::<S>(page.kind)?;
        let size = paging::size(page.size, 200, 1_000)?;
        let binding = page.binding();
        let after = paging::after(&binding, page.token)?.unwrap_or_default();
        let (school_year, conditions) = filter::conditions(table, caller, page.filter)?;
        let mut conn = self.conn().await?;
        let found = match page.as_of {
            Some(_) if !conditions.is_empty() => {
                return Err(Fault::invalid("filter", "only school_year goes together with as_of"));
            }
            Some(point) => {
                let at = At::of(&mut conn, page.school_code, point).await?;
                let side = at.side(page.school_code, school_year);
                let images = list_as_of(&mut conn, table, &side, &after, size).await?;
                at.confirm(&mut conn).await?;
                let full = images.len() as i64 == size;
                let next = images.last().filter(|_| full).map(|last| last.record_key.clone());
                Found { images, next }
            }
            None => {
                let range = Range { school_code: page.school_code, school_year, after: &after };
                let conditions: Vec<Condition<'_>> = conditions
                    .iter()
                    .map(|(column, value)| Condition { column: column.name, value })
                    .collect();
                find(&mut conn, table, range, &conditions, size).await?
            }
        };
        drop(conn);
        let next_page_token = found.next.map(|key| paging::token(&binding, &key)).unwrap_or_default();
        Ok(RecordList { records: self.reader(caller).all::<S>(page.kind, &found.images)?, next_page_token })
    }
}
