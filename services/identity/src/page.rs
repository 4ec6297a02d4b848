//! Keyset pages of lists that are in the order of ids.
use eduhub_faults::{Fault, Reason};
use uuid::Uuid;

const DEFAULT_SIZE: i64 = 100;
const LARGEST: i64 = 500;

/// One page of a list in the order of ids.
#[derive(Debug)]
pub struct Page {
    /// Ids above this one; the nil id for the first page.
    pub after: Uuid,
    /// Rows asked of the database: one more than shown, which tells whether there is a next page.
    pub fetch: i64,
    size: usize,
    filter: String,
}

impl Page {
    /// Reads size and token of a request; `filter` is everything else that decides what is in the list.
    ///
    /// # Errors
    /// INVALID_ARGUMENT/BAD_PAGE_TOKEN, INVALID_ARGUMENT/INVALID_REQUEST for a negative size.
    pub fn read(size: i32, token: &str, filter: String) -> Result<Self, Fault> {
        let size = eduhub_paging::size(size, DEFAULT_SIZE, LARGEST)?;
        let after = match eduhub_paging::after(&filter, token)? {
            Some(last) => last.parse().map_err(|_| Fault::new(Reason::BadPageToken))?,
            None => Uuid::nil(),
        };
        Ok(Self { after, fetch: size + 1, size: usize::try_from(size).unwrap_or(1), filter })
    }

    /// Cuts the extra row off and gives the token of the next page; empty at the end.
    pub fn cut<T>(&self, rows: &mut Vec<T>, id: impl Fn(&T) -> Uuid) -> String {
        if rows.len() <= self.size {
            return String::new();
        }
        rows.truncate(self.size);
        rows.last().map_or_else(String::new, |row| eduhub_paging::token(&self.filter, &id(row).to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_on_where_the_page_ended_and_only_in_its_list() {
        let ids: Vec<Uuid> = (0..4).map(|_| Uuid::now_v7()).collect();
        let page = Page::read(3, "", "a".into()).unwrap();
        let mut rows = ids.clone();
        let next = page.cut(&mut rows, |id| *id);
        assert_eq!(rows, ids[..3]);
        assert_eq!(Page::read(3, &next, "a".into()).unwrap().after, ids[2]);
        assert_eq!(Page::read(3, &next, "b".into()).unwrap_err().reason(), Reason::BadPageToken);
        assert_eq!(page.cut(&mut ids[..3].to_vec(), |id| *id), "", "no extra row, no next page");
    }

    #[test]
    fn rubbish_is_refused() {
        let no_id = eduhub_paging::token("f", "17");
        for bad in ["A", "!!!", &no_id] {
            assert_eq!(Page::read(0, bad, "f".into()).unwrap_err().reason(), Reason::BadPageToken, "{bad}");
        }
        assert!(Page::read(-1, "", String::new()).is_err());
    }
}
