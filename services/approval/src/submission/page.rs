//! Where a page of a list ends; the token around it is `eduhub-paging`'s, bound to the filter and to the caller's scope.

use eduhub_faults::{Fault, Reason};
use time::OffsetDateTime;
use uuid::Uuid;

use super::entity::Submission;
use super::find::Filter;
use crate::access::Sight;

/// Where a page ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) independent_group: bool,
    pub(super) submitted_at: OffsetDateTime,
    pub(super) id: Uuid,
}

impl Key {
    pub(super) fn of(last: &Submission) -> Self {
        let independent_group = last.school.independent_group;
        Self { independent_group, submitted_at: last.submitted_at, id: last.id }
    }

    /// Token of the page after this key.
    pub(super) fn token(&self, filter: &Filter, sight: &Sight) -> String {
        // Postgres keeps microseconds.
        let micros = self.submitted_at.unix_timestamp_nanos() / 1_000;
        let last = format!("{}/{micros}/{}", u8::from(self.independent_group), self.id);
        eduhub_paging::token(&binding(filter, sight), &last)
    }

    /// Reads a token; none for the first page.
    ///
    /// # Errors
    /// `BAD_PAGE_TOKEN` when it is malformed or of another filter or scope.
    pub(super) fn from_token(token: &str, filter: &Filter, sight: &Sight) -> Result<Option<Self>, Fault> {
        let Some(last) = eduhub_paging::after(&binding(filter, sight), token)? else { return Ok(None) };
        parse(&last).map(Some).ok_or_else(|| Fault::new(Reason::BadPageToken))
    }
}

fn parse(last: &str) -> Option<Key> {
    let mut parts = last.splitn(3, '/');
    let independent_group = match parts.next()? {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    let micros: i64 = parts.next()?.parse().ok()?;
    let submitted_at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok()?;
    Some(Key { independent_group, submitted_at, id: Uuid::parse_str(parts.next()?).ok()? })
}

/// Debug prints every field with its name, so that two filters never print alike.
fn binding(filter: &Filter, sight: &Sight) -> String {
    format!("{filter:?}{sight:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn sight() -> Sight {
        Sight { province: true, communes: vec![], schools: vec![], datasets: vec![1, 2], names: true }
    }

    fn key() -> Key {
        let submitted_at = datetime!(2026-09-05 07:30:00.123456 UTC);
        Key { independent_group: true, submitted_at, id: Uuid::from_u128(7) }
    }

    #[test]
    fn a_token_gives_back_its_key() {
        let filter = Filter { queue_of: Some("DIV_PRIMARY".into()), ..Filter::default() };
        let token = key().token(&filter, &sight());
        assert_eq!(Key::from_token(&token, &filter, &sight()).unwrap(), Some(key()));
        assert_eq!(Key::from_token("", &filter, &sight()).unwrap(), None);
    }

    #[test]
    fn tokens_of_others_and_forged_ones_are_refused() {
        let filter = Filter::default();
        let token = key().token(&filter, &sight());
        let narrower = Sight { datasets: vec![1], ..sight() };
        let other = Filter { school_year: Some(2026), ..Filter::default() };
        assert!(Key::from_token(&token, &other, &sight()).is_err());
        assert!(Key::from_token(&token, &filter, &narrower).is_err());
        let id = Uuid::from_u128(7);
        let forged = [
            "",
            "1",
            "2/0/x",
            &format!("2/0/{id}"),
            &format!("1/x/{id}"),
            &format!("1/{}/{id}", i64::MAX),
            "1/0/7",
        ];
        for last in forged {
            let token = eduhub_paging::token(&binding(&filter, &sight()), last);
            let fault = Key::from_token(&token, &filter, &sight()).unwrap_err();
            assert_eq!(fault.reason(), Reason::BadPageToken, "{last}");
        }
    }
}
