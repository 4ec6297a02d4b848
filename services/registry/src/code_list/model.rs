//! What an import must be, and what it would change. No IO.
use super::mistake::mistake;
use eduhub_proto::{
    NESTED_FIELDS, RECORDS,
    dictionary::FieldMeta,
    registry::v1::{Code, CodeListImportMode, RowMistake},
};
use eduhub_rules::{OPEN, broken_text, fits};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use time::{Date, format_description::well_known::Iso8601};

/// Most entries of one import.
pub const MOST_ENTRIES: usize = 20_000;
/// Lists of administrative units: they come with the hub, see [`crate::admin_unit`].
pub const UNIT_LISTS: [&str; 3] = ["DM_TINH", "DM_HUYEN", "DM_XA"];

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Vietnamese name.
    pub name: String,
    /// First day; `None`: always.
    pub from: Option<Date>,
    /// Last day; `None`: still valid.
    pub to: Option<Date>,
}

/// Entries of one list by code, in the order of the codes' bytes.
pub type Entries = BTreeMap<String, Entry>;

/// A list that was asked to be imported, as far as it is sound.
#[derive(Debug)]
pub struct Import {
    /// Name of the list.
    pub list: String,
    /// Whole list, or some entries of it.
    pub whole: bool,
    /// Sound entries.
    pub entries: Entries,
    /// Rows that were given: the place of a mistake about a row that is missing.
    pub rows: usize,
}

/// What an import comes to.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Plan {
    /// Entries to write: new ones, changed ones, those that end.
    pub written: Entries,
    /// How many of them are new.
    pub added: u32,
    /// How many were there with other content.
    pub changed: u32,
    /// How many get a last day.
    pub ended: u32,
    /// Codes that are left out and end for that.
    pub dropped: BTreeSet<String>,
    /// The whole list afterwards.
    pub after: Entries,
}

impl Import {
    /// Reads an import; every mistake of its own at once.
    pub fn parse(list: &str, mode: CodeListImportMode, codes: &[Code]) -> (Self, Vec<RowMistake>) {
        let fields = fields_of(list);
        let (mut entries, mut mistakes) = (Entries::new(), Vec::new());
        for (row, code) in codes.iter().enumerate() {
            let before = mistakes.len();
            if !code.list.is_empty() && code.list != list {
                mistakes.push(mistake(row, "list", &code.list, "Danh mục khác", "another list"));
            }
            check_code(row, code, &fields, &mut mistakes);
            check_name(row, code, &mut mistakes);
            let from = date(row, "valid_from", &code.valid_from, &mut mistakes);
            let to = date(row, "valid_to", &code.valid_to, &mut mistakes);
            if let (Some(from), Some(to)) = (from, to)
                && from > to
            {
                let (vi, en) = ("Ngày cuối trước ngày đầu", "last day before the first");
                mistakes.push(mistake(row, "valid_to", &code.valid_to, vi, en));
            }
            if entries.contains_key(&code.code) {
                mistakes.push(mistake(row, "code", &code.code, "Mã lặp lại", "stands twice"));
            }
            if mistakes.len() == before {
                entries.insert(code.code.clone(), Entry { name: code.name.clone(), from, to });
            }
        }
        let whole = mode == CodeListImportMode::Whole;
        (Self { list: list.to_owned(), whole, entries, rows: codes.len() }, mistakes)
    }

    /// What it comes to on a day, with the list as it is.
    pub fn plan(&self, current: &Entries, today: Date) -> Plan {
        let mut plan = Plan { after: current.clone(), ..Plan::default() };
        for (code, entry) in &self.entries {
            match current.get(code) {
                Some(same) if same == entry => continue,
                Some(other) => {
                    plan.changed += 1;
                    plan.ended += u32::from(other.to.is_none() && entry.to.is_some());
                }
                None => plan.added += 1,
            }
            plan.written.insert(code.clone(), entry.clone());
        }
        let yesterday = today.previous_day().unwrap_or(today);
        let left_out = |code: &String| self.whole && !self.entries.contains_key(code);
        for (code, entry) in
            current.iter().filter(|(code, e)| left_out(code) && e.to.is_none_or(|to| to >= today))
        {
            // One that has not begun yet ends on its first day: it can't end before it.
            let to = entry.from.map_or(yesterday, |from| from.max(yesterday));
            plan.written.insert(code.clone(), Entry { to: Some(to), ..entry.clone() });
            plan.dropped.insert(code.clone());
            (plan.changed, plan.ended) = (plan.changed + 1, plan.ended + 1);
        }
        plan.after.extend(plan.written.clone());
        plan
    }
}

/// Digest of a list; the formula is part of the API (code_list.proto).
pub fn digest(entries: &Entries) -> [u8; 32] {
    let mut hash = Sha256::new();
    for (code, Entry { name, from, to }) in entries {
        let day = |day: &Option<Date>| day.map_or_else(String::new, |d| d.to_string());
        hash.update(format!("{code}\t{name}\t{}\t{}\n", day(from), day(to)));
    }
    hash.finalize().into()
}

/// Fields of the dictionary that take their values from a list.
pub fn fields_of(list: &str) -> Vec<&'static FieldMeta> {
    let nested = NESTED_FIELDS.iter().flat_map(|fields| fields.iter());
    RECORDS.iter().flat_map(|r| r.fields).chain(nested).filter(|f| f.code_list == list).collect()
}

fn check_code(row: usize, code: &Code, fields: &[&'static FieldMeta], mistakes: &mut Vec<RowMistake>) {
    let text = code.code.as_str();
    if text.is_empty() {
        return mistakes.push(mistake(row, "code", text, "Thiếu mã", "missing"));
    }
    // A code that no field can hold is a slip of the file: a lost zero, a header line.
    let holds = |field: &&'static FieldMeta| field.rules.iter().all(|rule| fits(rule, text));
    if text != OPEN && !fields.is_empty() && !fields.iter().any(holds) {
        let (vi, en) = ("Không trường thông tin nào nhận mã dạng này", "no field takes a code of this form");
        mistakes.push(mistake(row, "code", text, vi, en));
    }
}

fn check_name(row: usize, code: &Code, mistakes: &mut Vec<RowMistake>) {
    let length = code.name.chars().count();
    if length == 0 || length > 200 {
        mistakes.push(mistake(row, "name", &code.name, "Tên phải có 1 đến 200 ký tự", "1 to 200 characters"));
    } else if broken_text(&code.name).is_some() {
        let (vi, en) =
            ("Tên thừa khoảng trắng hoặc chưa ở dạng NFC", "outer or double spaces, or not in NFC");
        mistakes.push(mistake(row, "name", &code.name, vi, en));
    }
}

fn date(row: usize, field: &str, text: &str, mistakes: &mut Vec<RowMistake>) -> Option<Date> {
    if text.is_empty() {
        return None;
    }
    let day = Date::parse(text, &Iso8601::DATE).ok();
    if day.is_none() {
        mistakes.push(mistake(row, field, text, "Cần dạng NĂM-THÁNG-NGÀY", "not a date YYYY-MM-DD"));
    }
    day
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
