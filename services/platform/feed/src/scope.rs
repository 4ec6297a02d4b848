//! What a consumer asked for, what it may see of that, and what to tell it when that changes.
use crate::begun::Begun;
use eduhub_changelog::CursorError;
use eduhub_faults::Fault;
use eduhub_proto::common::v1::ScopeChange;
use prost::Message;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Schools whose codes stand in a cursor at most. A larger scope stands there as a fingerprint: that it changed can be told,
/// not what changed, so a resumed stream begins anew.
const LISTED: usize = 256;

/// What a consumer asked for; empty is everything. Its cursors are good for the same question only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Numbers of the kinds.
    pub kinds: BTreeSet<i32>,
    /// Schools.
    pub schools: BTreeSet<String>,
}

impl Asked {
    /// From a request's lists.
    pub fn new(kinds: Vec<i32>, schools: Vec<String>) -> Self {
        Self { kinds: kinds.into_iter().collect(), schools: schools.into_iter().collect() }
    }

    /// Fingerprint: a cursor of another question would leave out without a word what its own never asked for.
    pub(crate) fn fingerprint(&self) -> Result<u64, Fault> {
        let hash = Sha256::digest(format!("{self:?}"));
        let bytes: [u8; 8] = hash[..8].try_into().map_err(Fault::internal)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

/// What one consumer sees: the question narrowed by its grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Numbers of the kinds.
    pub kinds: BTreeSet<i32>,
    /// Schools; `None` for the whole province.
    pub schools: Option<BTreeSet<String>>,
    /// Highest `Sensitivity` number.
    pub max_class: i32,
}

#[derive(Clone, PartialEq, Message)]
struct Wire {
    #[prost(int32, repeated, tag = "1")]
    kinds: Vec<i32>,
    #[prost(bool, tag = "2")]
    limited: bool,
    #[prost(string, repeated, tag = "3")]
    schools: Vec<String>,
    #[prost(bytes = "vec", tag = "4")]
    many: Vec<u8>,
    #[prost(int32, tag = "5")]
    max_class: i32,
    #[prost(int32, repeated, tag = "6")]
    begun_kinds: Vec<i32>,
    #[prost(string, repeated, tag = "7")]
    begun_schools: Vec<String>,
}

impl View {
    /// True for a change that the consumer sees.
    pub(crate) fn shows(&self, kind: i32, school_code: &str) -> bool {
        self.kinds.contains(&kind) && self.schools.as_ref().is_none_or(|s| s.contains(school_code))
    }

    /// Schools as a list for SQL.
    pub(crate) fn school_list(&self) -> Option<Vec<String>> {
        self.schools.as_ref().map(|s| s.iter().cloned().collect())
    }

    /// For a cursor, with what is being sent beside it.
    pub(crate) fn encode(&self, begun: &Begun) -> Vec<u8> {
        let mut wire = Wire {
            kinds: self.kinds.iter().copied().collect(),
            limited: self.schools.is_some(),
            max_class: self.max_class,
            ..Wire::default()
        };
        let schools = self.school_list().unwrap_or_default();
        if schools.len() + begun.schools.len() > LISTED {
            wire.many = Sha256::digest(format!("{schools:?}{:?}", begun.schools))[..16].to_vec();
        } else {
            (wire.schools, wire.begun_schools) = (schools, begun.schools.iter().cloned().collect());
        }
        wire.begun_kinds = begun.kinds.iter().copied().collect();
        wire.encode_to_vec()
    }

    /// The view that a cursor was made under, if it can be compared with this one, and what was being sent then.
    pub(crate) fn of_cursor(&self, bytes: &[u8]) -> Result<(Self, Begun), CursorError> {
        if bytes == self.encode(&Begun::default()) {
            return Ok((self.clone(), Begun::default()));
        }
        let wire = Wire::decode(bytes).map_err(|_| CursorError::Malformed)?;
        if !wire.many.is_empty() || self.schools.as_ref().is_some_and(|s| s.len() > LISTED) {
            return Err(CursorError::Foreign);
        }
        let schools = wire.limited.then(|| wire.schools.into_iter().collect());
        let view = Self { kinds: wire.kinds.into_iter().collect(), schools, max_class: wire.max_class };
        let (kinds, schools) = (wire.begun_kinds, wire.begun_schools);
        Ok((view, Begun { kinds: kinds.into_iter().collect(), schools: schools.into_iter().collect() }))
    }

    /// What changed from this view to the next; `None` for nothing. Without its cursor.
    pub(crate) fn change_to(&self, next: &Self) -> Option<ScopeChange> {
        if self == next {
            return None;
        }
        let (Some(before), Some(after), true) =
            (self.listed(next), next.listed(self), self.max_class == next.max_class)
        else {
            return Some(ScopeChange { reset: true, ..Default::default() });
        };
        let less = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect();
        Some(ScopeChange {
            added_schools: less(after, before),
            removed_schools: less(before, after),
            added_kinds: next.kinds.difference(&self.kinds).copied().collect(),
            removed_kinds: self.kinds.difference(&next.kinds).copied().collect(),
            ..Default::default()
        })
    }

    /// The schools by name; both views of the whole province differ in none.
    fn listed<'a>(&'a self, other: &Self) -> Option<&'a BTreeSet<String>> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        match (&self.schools, &other.schools) {
            (Some(schools), Some(_)) => Some(schools),
            (None, None) => Some(&NONE),
            _ => None,
        }
    }

    /// What both see.
    pub(crate) fn within(&self, other: &Self) -> Self {
        let schools = match (&self.schools, &other.schools) {
            (Some(a), Some(b)) => Some(a.intersection(b).cloned().collect()),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        let kinds = self.kinds.intersection(&other.kinds).copied().collect();
        Self { kinds, schools, max_class: other.max_class }
    }

    /// What this view sees that another does not, as views: the schools that it lacks, and the kinds of the others.
    pub(crate) fn beyond(&self, other: &Self) -> Vec<Self> {
        let mut parts = vec![];
        if let (Some(mine), Some(theirs)) = (&self.schools, &other.schools) {
            let schools: BTreeSet<String> = mine.difference(theirs).cloned().collect();
            if !schools.is_empty() {
                parts.push(Self { schools: Some(schools), ..self.clone() });
            }
        }
        let kinds: BTreeSet<i32> = self.kinds.difference(&other.kinds).copied().collect();
        if !kinds.is_empty() {
            parts.push(Self { kinds, schools: self.within(other).schools, max_class: self.max_class });
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(kinds: &[i32], schools: Option<&[&str]>) -> View {
        let schools = schools.map(|s| s.iter().map(|x| (*x).to_owned()).collect());
        View { kinds: kinds.iter().copied().collect(), schools, max_class: 2 }
    }

    #[test]
    fn a_fingerprint_depends_on_the_question_not_on_its_order() {
        let print = |kinds: &[i32], schools: &[&str]| {
            let schools = schools.iter().map(|s| (*s).to_owned()).collect();
            Asked::new(kinds.to_vec(), schools).fingerprint().unwrap()
        };
        assert_eq!(print(&[1, 2], &["a", "b"]), print(&[2, 1, 1], &["b", "a"]));
        assert_ne!(print(&[1], &[]), print(&[1, 2], &[]));
        assert_ne!(print(&[1], &[]), print(&[1], &["a"]));
    }

    #[test]
    fn a_change_of_scope_names_what_came_and_went() {
        let (old, new) = (view(&[1, 2], Some(&["a", "b"])), view(&[2, 3], Some(&["b", "c"])));
        let change = old.change_to(&new).unwrap();
        assert_eq!(
            (change.added_schools, change.removed_schools),
            (vec!["c".to_owned()], vec!["a".to_owned()])
        );
        assert_eq!((change.added_kinds, change.removed_kinds, change.reset), (vec![3], vec![1], false));
        assert_eq!(old.within(&new), view(&[2], Some(&["b"])));
        assert_eq!(new.beyond(&old), [view(&[2, 3], Some(&["c"])), view(&[3], Some(&["b"]))]);
        assert_eq!(old.change_to(&old), None);
        assert!(view(&[1], None).change_to(&view(&[1, 2], None)).unwrap().added_kinds == [2]);
        assert!(view(&[1], None).change_to(&view(&[1], Some(&["a"]))).unwrap().reset);
        assert!(old.change_to(&View { max_class: 3, ..old.clone() }).unwrap().reset);
    }

    #[test]
    fn a_cursor_brings_its_view_back_and_a_large_one_only_if_it_is_the_same() {
        let (old, new) = (view(&[1, 2], Some(&["a"])), view(&[1], Some(&["b"])));
        let none = Begun::default();
        assert_eq!(new.of_cursor(&old.encode(&none)), Ok((old.clone(), none.clone())));
        let begun = Begun::between(&old, &view(&[1, 3], Some(&["a", "b"])));
        assert_eq!(new.of_cursor(&old.encode(&begun)), Ok((old.clone(), begun.clone())));
        let codes: Vec<String> = (0..300).map(|n| n.to_string()).collect();
        let many = |n: usize| View { schools: Some(codes[..n].iter().cloned().collect()), ..old.clone() };
        let cursor = |n: usize| many(n).encode(&none);
        assert!(cursor(300).len() < 40);
        assert_eq!(many(300).of_cursor(&cursor(300)), Ok((many(300), none.clone())));
        assert_eq!(many(299).of_cursor(&cursor(300)), Err(CursorError::Foreign));
        assert_eq!(many(2).of_cursor(&cursor(300)), Err(CursorError::Foreign));
        assert_eq!(many(300).of_cursor(&cursor(2)), Err(CursorError::Foreign));
        assert_eq!(many(256).of_cursor(&many(256).encode(&begun)), Err(CursorError::Foreign));
    }
}
