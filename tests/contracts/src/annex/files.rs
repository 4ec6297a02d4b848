//! The committed files.
use eduhub_proto::common::v1::Level;
use std::collections::BTreeMap;

/// One line of the annex.
pub struct Line {
    /// Section, e.g. `2.4`.
    pub section: String,
    /// Group, as the annex heads it.
    pub group: String,
    /// Symbol.
    pub symbol: String,
    /// Type; empty for a list.
    pub ty: String,
    /// Length, where the annex gives one.
    pub length: Option<u32>,
}

/// Messages that carry a group's fields, at one level.
pub struct Group {
    /// Level.
    pub level: Level,
    /// Messages.
    pub messages: Vec<String>,
}

/// A symbol that no field carries; `*` for all of a group.
pub struct LeftOut {
    /// Section.
    pub section: String,
    /// Group.
    pub group: String,
    /// Symbol or `*`.
    pub symbol: String,
    /// Why.
    pub reason: String,
}

/// A field that is not as the annex says.
pub struct Deviation {
    /// `Message.field`, `type` or `length`, what the annex says, what the field is.
    pub what: [String; 4],
    /// Why.
    pub reason: String,
}

/// Rows of a committed file without its head.
fn rows(tsv: &str, columns: usize) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').quoting(false).from_reader(tsv.as_bytes());
    let rows = reader.records().map(|r| r.expect("rows of equal length").iter().map(str::to_owned).collect());
    let rows: Vec<Vec<String>> = rows.collect();
    assert!(rows.iter().all(|r| r.len() == columns), "{columns} columns");
    rows
}

/// The annex.
pub fn annex() -> Vec<Line> {
    let rows = rows(include_str!("../../annex/qd4998_fields.tsv"), 7);
    let line = |r: Vec<String>| {
        // "8 2.4 Tên nhóm dữ liệu: ..." is table 8, section 2.4.
        let section = r[0].split_whitespace().nth(1).expect("a section").to_owned();
        let [_, group, symbol, _, ty, length, _] = <[String; 7]>::try_from(r).expect("seven columns");
        Line { section, group, symbol, ty, length: length.parse().ok() }
    };
    rows.into_iter().map(line).collect()
}

/// Groups by section and head.
pub fn groups() -> BTreeMap<(String, String), Group> {
    let rows = rows(include_str!("../../annex/groups.tsv"), 4);
    let group = |r: Vec<String>| {
        let level = super::level(&r[2]).unwrap_or_else(|| panic!("no level {}", r[2]));
        let messages = r[3].split(',').map(str::to_owned).collect();
        ((r[0].clone(), r[1].clone()), Group { level, messages })
    };
    rows.into_iter().map(group).collect()
}

/// What is left out.
pub fn left_out() -> Vec<LeftOut> {
    let rows = rows(include_str!("../../annex/left_out.tsv"), 4);
    let entry = |r: Vec<String>| {
        let [section, group, symbol, reason] = <[String; 4]>::try_from(r).expect("four columns");
        LeftOut { section, group, symbol, reason }
    };
    rows.into_iter().map(entry).collect()
}

/// What deviates.
pub fn deviations() -> Vec<Deviation> {
    let rows = rows(include_str!("../../annex/deviations.tsv"), 5);
    let entry = |r: Vec<String>| {
        let [field, what, annex, ours, reason] = <[String; 5]>::try_from(r).expect("five columns");
        Deviation { what: [field, what, annex, ours], reason }
    };
    rows.into_iter().map(entry).collect()
}
