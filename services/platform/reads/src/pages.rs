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
use eduhub_proto::common::v1::ListRecordsRequest;

/// Records with their heads, and the token of the next page (empty at the end).
pub struct RecordList<R> {
    /// Records.
    pub records: Vec<Seen<R>>,
    /// Token of the next page.
    pub next_page_token: String,
}

impl<S: RecordSet> Reads<S> {
    /// Records of one kind in one school by key.
    ///
    /// # Errors
    /// NOT_FOUND/SCHOOL_NOT_FOUND; PERMISSION_DENIED for the domain or for a field of the filter; INVALID_ARGUMENT for the
    /// filter, size and token; those of the position.
    pub async fn list(
        &self,
        caller: &Caller,
        asked: &ListRecordsRequest,
    ) -> Result<RecordList<S::Record>, Fault> {
        let ListRecordsRequest { school_code, kind, filter, as_of, .. } = asked;
        self.gate.kind(caller, school_code, *kind).await?;
        let table = table::<S>(*kind)?;
        let size = paging::size(asked.page_size, 200, 1_000)?;
        let binding = format!("list/{school_code}/{kind}/{filter:?}/{as_of:?}");
        let after = paging::after(&binding, &asked.page_token)?.unwrap_or_default();
        let (school_year, conditions) = filter::conditions(table, caller, filter.as_ref())?;
        let mut conn = self.conn().await?;
        let found = match as_of {
            Some(_) if !conditions.is_empty() => {
                return Err(Fault::invalid("filter", "only school_year goes together with as_of"));
            }
            Some(point) => {
                let at = At::of(&mut conn, school_code, point).await?;
                let side = at.side(school_code, school_year);
                let images = list_as_of(&mut conn, table, &side, &after, size).await?;
                at.confirm(&mut conn).await?;
                let full = images.len() as i64 == size;
                let next = images.last().filter(|_| full).map(|last| last.record_key.clone());
                Found { images, next }
            }
            None => {
                let range = Range { school_code, school_year, after: &after };
                let conditions: Vec<Condition<'_>> = conditions
                    .iter()
                    .map(|(column, value)| Condition { column: column.name, value })
                    .collect();
                find(&mut conn, table, range, &conditions, size).await?
            }
        };
        drop(conn);
        let next_page_token = found.next.map(|key| paging::token(&binding, &key)).unwrap_or_default();
        Ok(RecordList { records: self.reader(caller).all::<S>(*kind, &found.images)?, next_page_token })
    }
}
