//! Code lists with validity dates.
use eduhub_proto::registry::v1::Code;
use std::collections::{BTreeMap, HashMap};
use time::{Date, format_description::well_known::Iso8601};

/// Whether a code may be used on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeStatus {
    /// In the list and valid on the day.
    Valid,
    /// In the list, but not valid on the day.
    Retired,
    /// Not in the list.
    Unknown,
}

/// Code that opens its list: the Ministry has not published the list's values (or not all), so any code of the field's pattern
/// is valid while this row is. Ending its validity closes the list.
pub const OPEN: &str = "*";

/// Answers about codes.
pub trait CodeLists: Send + Sync {
    /// Status of a code of a list on a day.
    fn status(&self, list: &str, code: &str, day: Date) -> CodeStatus;
    /// At most three codes nearest to the given one.
    fn nearest(&self, list: &str, code: &str) -> Vec<String>;
}

/// Code lists in memory.
#[derive(Debug, Default, Clone)]
pub struct CodeTable {
    lists: HashMap<String, BTreeMap<String, Validity>>,
}

#[derive(Debug, Clone, Copy)]
struct Validity {
    from: Option<Date>,
    to: Option<Date>,
}

impl Validity {
    fn covers(self, day: Date) -> bool {
        self.from.is_none_or(|from| day >= from) && self.to.is_none_or(|to| day <= to)
    }
}

impl CodeTable {
    /// Adds a code, valid from the first day to the last (both included; `None` is open).
    pub fn insert(&mut self, list: &str, code: &str, from: Option<Date>, to: Option<Date>) {
        self.lists.entry(list.to_owned()).or_default().insert(code.to_owned(), Validity { from, to });
    }

    /// Number of codes over all lists.
    pub fn len(&self) -> usize {
        self.lists.values().map(BTreeMap::len).sum()
    }

    /// True without any code.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }
}

/// As registry gives them. A date that can't be read is an open end.
impl FromIterator<Code> for CodeTable {
    fn from_iter<I: IntoIterator<Item = Code>>(codes: I) -> Self {
        let date = |text: &str| Date::parse(text, &Iso8601::DATE).ok();
        let mut table = Self::default();
        for code in codes {
            table.insert(&code.list, &code.code, date(&code.valid_from), date(&code.valid_to));
        }
        table
    }
}

impl CodeLists for CodeTable {
    fn status(&self, list: &str, code: &str, day: Date) -> CodeStatus {
        let Some(codes) = self.lists.get(list) else { return CodeStatus::Unknown };
        match codes.get(code).or_else(|| codes.get(OPEN)) {
            Some(v) if v.covers(day) => CodeStatus::Valid,
            // A list that is closed by now does not know the codes that it took unseen.
            Some(_) if codes.contains_key(code) => CodeStatus::Retired,
            _ => CodeStatus::Unknown,
        }
    }

    fn nearest(&self, list: &str, code: &str) -> Vec<String> {
        let Some(codes) = self.lists.get(list) else { return vec![] };
        let known = codes.keys().filter(|c| *c != OPEN);
        let mut near: Vec<_> =
            known.map(|c| (strsim::damerau_levenshtein(c, code), letters_apart(c, code), c)).collect();
        near.sort();
        near.into_iter().filter(|(d, ..)| *d <= 2).take(3).map(|(.., c)| c.clone()).collect()
    }
}

/// How far the letters of two codes are from each other: in a long list of short codes many are one edit away, and of those
/// the neighbouring letter or number is the likelier slip.
fn letters_apart(a: &str, b: &str) -> u32 {
    a.bytes().zip(b.bytes()).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn missing_unknown_and_retired_are_different() {
        let mut t = CodeTable::default();
        t.insert("DM_X", "01", None, None);
        t.insert("DM_X", "02", None, Some(date!(2025 - 06 - 30)));
        assert_eq!(t.status("DM_X", "01", date!(2026 - 01 - 01)), CodeStatus::Valid);
        assert_eq!(t.status("DM_X", "02", date!(2025 - 06 - 30)), CodeStatus::Valid);
        assert_eq!(t.status("DM_X", "02", date!(2025 - 07 - 01)), CodeStatus::Retired);
        assert_eq!(t.status("DM_X", "99", date!(2026 - 01 - 01)), CodeStatus::Unknown);
        assert_eq!(t.nearest("DM_X", "11"), vec!["01".to_owned(), "02".to_owned()]);
    }

    #[test]
    fn of_codes_equally_far_the_neighbours_come_first() {
        let mut t = CodeTable::default();
        for code in ["AM", "BM", "CM", "DM", "VN", "VA", "UM"] {
            t.insert("DM_NUOC", code, None, None);
        }
        assert_eq!(t.nearest("DM_NUOC", "VM")[..2], ["UM".to_owned(), "VN".to_owned()]);
    }

    #[test]
    fn an_open_list_takes_any_code_until_it_is_closed() {
        let mut t = CodeTable::default();
        t.insert("DM_X", OPEN, None, Some(date!(2027 - 05 - 31)));
        t.insert("DM_X", "02", None, Some(date!(2025 - 06 - 30)));
        let (before, after) = (date!(2026 - 01 - 01), date!(2027 - 06 - 01));
        assert_eq!(t.status("DM_X", "seen nowhere", before), CodeStatus::Valid);
        assert_eq!(t.status("DM_X", "02", before), CodeStatus::Retired);
        assert_eq!(t.status("DM_X", "seen nowhere", after), CodeStatus::Unknown);
        assert_eq!(t.status("DM_Y", "01", before), CodeStatus::Unknown);
        assert_eq!(t.nearest("DM_X", "**"), vec!["02".to_owned()]);
    }
}
