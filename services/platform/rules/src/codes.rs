//! Code lists with validity dates.
use crate::fold::fold;
use crate::nearest::{Candidate, nearest};
use eduhub_proto::registry::v1::Code;
use std::collections::HashMap;
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
    /// At most three codes that a sender may have meant by a value, valid on the day: only those that took its place when it
    /// is a code that ended; else those of this name, near codes, near names.
    fn nearest(&self, list: &str, value: &str, day: Date) -> Vec<String>;
}

/// Code lists in memory.
#[derive(Debug, Default, Clone)]
pub struct CodeTable {
    lists: HashMap<String, HashMap<String, Entry>>,
}

#[derive(Debug, Clone)]
struct Entry {
    from: Option<Date>,
    to: Option<Date>,
    /// Folded name.
    name: Box<str>,
    successors: Box<[String]>,
}

impl Entry {
    fn covers(&self, day: Date) -> bool {
        self.from.is_none_or(|from| day >= from) && self.to.is_none_or(|to| day <= to)
    }
}

impl CodeTable {
    /// Adds a code without a name, valid from the first day to the last (both included; `None` is open).
    pub fn insert(&mut self, list: &str, code: &str, from: Option<Date>, to: Option<Date>) {
        self.put(list, code, Entry { from, to, name: Box::default(), successors: Box::default() });
    }

    fn put(&mut self, list: &str, code: &str, entry: Entry) {
        // Names of lists repeat with every code: the key is made once.
        match self.lists.get_mut(list) {
            Some(codes) => drop(codes.insert(code.to_owned(), entry)),
            None => drop(self.lists.insert(list.to_owned(), HashMap::from([(code.to_owned(), entry)]))),
        }
    }

    /// Number of codes over all lists.
    pub fn len(&self) -> usize {
        self.lists.values().map(HashMap::len).sum()
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
            let (from, to) = (date(&code.valid_from), date(&code.valid_to));
            let name = fold(&code.name).into_boxed_str();
            let entry = Entry { from, to, name, successors: code.successors.into_boxed_slice() };
            table.put(&code.list, &code.code, entry);
        }
        table
    }
}

impl CodeLists for CodeTable {
    fn status(&self, list: &str, code: &str, day: Date) -> CodeStatus {
        let Some(codes) = self.lists.get(list) else { return CodeStatus::Unknown };
        match codes.get(code) {
            Some(entry) if entry.covers(day) => CodeStatus::Valid,
            Some(_) => CodeStatus::Retired,
            // A list that is closed by now does not know the codes that it took unseen.
            None if codes.get(OPEN).is_some_and(|open| open.covers(day)) => CodeStatus::Valid,
            None => CodeStatus::Unknown,
        }
    }

    fn nearest(&self, list: &str, value: &str, day: Date) -> Vec<String> {
        let Some(codes) = self.lists.get(list) else { return vec![] };
        if let Some(entry) = codes.get(value).filter(|entry| !entry.covers(day)) {
            // Codes that look like one that ended mean something else.
            return entry.successors.to_vec();
        }
        let valid = codes.iter().filter(|(code, entry)| *code != OPEN && entry.covers(day));
        let candidates: Vec<Candidate<'_>> =
            valid.map(|(code, entry)| Candidate { code, name: &entry.name }).collect();
        nearest(value, &candidates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    const TODAY: Date = date!(2026 - 01 - 01);

    fn named(list: &str, codes: &[(&str, &str)]) -> CodeTable {
        let code = |(code, name): &(&str, &str)| Code {
            list: list.to_owned(),
            code: (*code).to_owned(),
            name: (*name).to_owned(),
            ..Code::default()
        };
        codes.iter().map(code).collect()
    }

    #[test]
    fn missing_unknown_and_retired_are_different() {
        let mut t = CodeTable::default();
        t.insert("DM_X", "01", None, None);
        t.insert("DM_X", "02", None, Some(date!(2025 - 06 - 30)));
        assert_eq!(t.status("DM_X", "01", TODAY), CodeStatus::Valid);
        assert_eq!(t.status("DM_X", "02", date!(2025 - 06 - 30)), CodeStatus::Valid);
        assert_eq!(t.status("DM_X", "02", date!(2025 - 07 - 01)), CodeStatus::Retired);
        assert_eq!(t.status("DM_X", "99", TODAY), CodeStatus::Unknown);
        // What has ended is suggested to nobody.
        assert_eq!(t.nearest("DM_X", "11", date!(2025 - 01 - 01)), vec!["01".to_owned(), "02".to_owned()]);
        assert_eq!(t.nearest("DM_X", "11", TODAY), vec!["01".to_owned()]);
    }

    #[test]
    fn of_codes_equally_far_the_neighbours_come_first() {
        let codes = ["AM", "BM", "CM", "DM", "VN", "VA", "UM"].map(|c| (c, ""));
        let t = named("DM_NUOC", &codes);
        assert_eq!(t.nearest("DM_NUOC", "VM", TODAY)[..2], ["UM".to_owned(), "VN".to_owned()]);
    }

    #[test]
    fn a_name_sent_for_a_code_finds_the_code() {
        let sex = named("DM_GIOI_TINH", &[("0", "Chưa xác định"), ("1", "Nam"), ("2", "Nữ")]);
        for (sent, code) in [("Nam", "1"), ("NỮ", "2"), ("nu", "2"), ("chua xac dinh", "0")] {
            assert_eq!(sex.nearest("DM_GIOI_TINH", sent, TODAY), [code], "{sent}");
        }
        let folk =
            named("DM_DAN_TOC", &[("01", "Kinh"), ("02", "Tày"), ("22", "Xtiêng"), ("23", "Bru-Vân Kiều")]);
        assert_eq!(folk.nearest("DM_DAN_TOC", "Dân tộc Kinh", TODAY), ["01"]);
        assert_eq!(folk.nearest("DM_DAN_TOC", "Xtieeng", TODAY), ["22"]);
        assert_eq!(folk.nearest("DM_DAN_TOC", "Vân Kiều", TODAY), ["23"]);
        assert_eq!(folk.nearest("DM_DAN_TOC", "Mông cổ xa lạ", TODAY), [] as [&str; 0]);
    }

    #[test]
    fn units_go_by_their_name_with_or_without_its_first_word() {
        let units = named(
            "DM_XA",
            &[("14329", "Phường Hoa Lư"), ("14620", "Xã Phát Diệm"), ("14365", "Phường Trung Sơn")],
        );
        for sent in ["Phường Hoa Lư", "Hoa Lư", "P. Hoa Lư", "hoa lu", "Xã Hoa Lư"] {
            assert_eq!(units.nearest("DM_XA", sent, TODAY), ["14329"], "{sent}");
        }
    }

    #[test]
    fn a_code_that_ended_names_what_took_its_place() {
        let ended = Code {
            list: "DM_XA".into(),
            code: "14332".into(),
            valid_to: "2025-06-30".into(),
            successors: vec!["14329".into()],
            ..Code::default()
        };
        let t: CodeTable = [ended].into_iter().collect();
        assert_eq!(t.status("DM_XA", "14332", TODAY), CodeStatus::Retired);
        assert_eq!(t.nearest("DM_XA", "14332", TODAY), ["14329"]);
    }

    #[test]
    fn an_open_list_takes_any_code_until_it_is_closed() {
        let mut t = CodeTable::default();
        t.insert("DM_X", OPEN, None, Some(date!(2027 - 05 - 31)));
        t.insert("DM_X", "02", None, Some(date!(2025 - 06 - 30)));
        let after = date!(2027 - 06 - 01);
        assert_eq!(t.status("DM_X", "seen nowhere", TODAY), CodeStatus::Valid);
        assert_eq!(t.status("DM_X", "02", TODAY), CodeStatus::Retired);
        assert_eq!(t.status("DM_X", "seen nowhere", after), CodeStatus::Unknown);
        assert_eq!(t.status("DM_Y", "01", TODAY), CodeStatus::Unknown);
        assert_eq!(t.nearest("DM_X", "**", date!(2025 - 01 - 01)), vec!["02".to_owned()]);
    }

    #[test]
    fn a_code_that_ended_without_successor_suggests_none() {
        let mut t = CodeTable::default();
        t.insert("DM_X", "01", None, None);
        t.insert("DM_X", "02", None, Some(date!(2025 - 06 - 30)));
        assert_eq!(t.nearest("DM_X", "02", TODAY), [] as [&str; 0]);
    }

    #[test]
    fn a_list_of_ten_thousand_is_searched_by_the_ends_of_its_codes() {
        let codes: Vec<(String, String)> =
            (0..10_000).map(|n| (format!("{:05}", n * 3), format!("Xã {n} Bình"))).collect();
        let borrowed: Vec<(&str, &str)> = codes.iter().map(|(c, n)| (c.as_str(), n.as_str())).collect();
        let t = named("DM_XA", &borrowed);
        let near = t.nearest("DM_XA", "14332", TODAY);
        let slips = |code: &String| code.bytes().zip("14332".bytes()).filter(|(a, b)| a != b).count();
        assert!(near.len() == 3 && near.iter().all(|code| slips(code) == 1), "{near:?}");
        assert_eq!(t.nearest("DM_XA", "7 Bình", TODAY), ["00021"]);
    }
}
