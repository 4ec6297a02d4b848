//! Every symbol of the annex is carried by a field or left out with a reason, and no field makes one up.
use super::files::{LeftOut, Line, annex, groups, left_out};
use super::{carriers, fields};
use crate::api::none;
use eduhub_proto::common::v1::Level;
use eduhub_proto::{MESSAGES, RECORDS};
use std::collections::{BTreeMap, BTreeSet};

/// A reason says something.
const SHORTEST_REASON: usize = 15;

fn is_about(entry: &LeftOut, line: &Line) -> bool {
    entry.section == line.section
        && entry.group == line.group
        && (entry.symbol == "*" || entry.symbol == line.symbol)
}

fn name(line: &Line) -> String {
    format!("{}\t{}\t{}", line.section, line.group, line.symbol)
}

#[test]
fn every_symbol_is_carried_or_left_out() {
    let (groups, left_out) = (groups(), left_out());
    let annex = annex();
    assert!(annex.len() > 1_500, "only {} lines of the annex", annex.len());
    let mut gaps = BTreeSet::new();
    for line in &annex {
        let group = groups.get(&(line.section.clone(), line.group.clone()));
        let carried = group.is_some_and(|g| carriers(g, &line.symbol).next().is_some());
        let left = left_out.iter().any(|entry| is_about(entry, line));
        match (carried, left) {
            (true, true) => drop(gaps.insert(format!("{}\tleft out, but carried", name(line)))),
            (false, false) => drop(gaps.insert(format!("{}\tneither carried nor left out", name(line)))),
            _ => {}
        }
    }
    none("symbols of QĐ 4998", &gaps.into_iter().collect::<Vec<_>>());
}

#[test]
fn every_line_of_the_files_is_about_something() {
    let annex = annex();
    let mut gaps = Vec::new();
    for entry in left_out() {
        if !annex.iter().any(|line| is_about(&entry, line)) {
            gaps.push(format!(
                "left_out.tsv: {} {} {}: not in the annex",
                entry.section, entry.group, entry.symbol
            ));
        }
        if entry.reason.chars().count() < SHORTEST_REASON || entry.reason.contains("not built") {
            gaps.push(format!("left_out.tsv: {} {}: no reason", entry.section, entry.symbol));
        }
    }
    for ((section, group), to) in groups() {
        if !annex.iter().any(|line| line.section == section && line.group == group) {
            gaps.push(format!("groups.tsv: {section} {group}: not in the annex"));
        }
        let unknown = to.messages.iter().filter(|m| fields(m).is_none());
        gaps.extend(unknown.map(|m| format!("groups.tsv: {section} {group}: no message {m}")));
    }
    none("entries that are about nothing", &gaps);
}

/// Symbols of the annex by message and level.
fn symbols() -> BTreeMap<(String, Level), BTreeSet<String>> {
    let groups = groups();
    let mut out: BTreeMap<(String, Level), BTreeSet<String>> = BTreeMap::new();
    for line in annex() {
        let Some(group) = groups.get(&(line.section, line.group)) else { continue };
        for message in &group.messages {
            out.entry((message.clone(), group.level)).or_default().insert(line.symbol.clone());
        }
    }
    out
}

#[test]
fn a_symbol_that_the_annex_does_not_have_says_where_it_comes_from() {
    let known = symbols();
    let mut gaps = Vec::new();
    for ((message, level), symbols) in &known {
        for field in fields(message).unwrap_or_default().iter().filter(|f| f.source.is_empty()) {
            let symbol = field.symbol_at(*level);
            if !symbol.is_empty() && !symbols.contains(symbol) {
                gaps.push(format!("{message}.{}: {symbol} at {}", field.name, level.as_str_name()));
            }
        }
    }
    none("symbols that QĐ 4998 does not have at that level, without a source", &gaps);
}

/// A field that is not of the annex at all tells its origin too; the dictionary prints it.
#[test]
fn a_field_without_a_symbol_says_where_it_comes_from() {
    let of_registry = |name: &str| symbols().keys().any(|(message, _)| message == name) && name != "Room";
    let records = RECORDS.iter().map(|r| (r.name, r.fields));
    let nested = MESSAGES.iter().map(|m| (m.name, m.fields));
    let mut gaps = Vec::new();
    for (message, fields) in records.chain(nested).filter(|(name, _)| of_registry(name)) {
        let silent = fields.iter().filter(|f| f.source.is_empty() && f.ministry.is_empty());
        let silent = silent.filter(|f| f.symbols.iter().all(|(_, symbol)| symbol.is_empty()));
        gaps.extend(silent.map(|f| format!("{message}.{}", f.name)));
    }
    none("fields with neither symbol nor source", &gaps);
}

#[test]
fn districts_end_with_june_2025_wherever_they_are() {
    let mut seen = 0;
    for field in RECORDS.iter().flat_map(|r| r.fields).filter(|f| f.ministry == "QUAN_HUYEN_ID") {
        seen += 1;
        assert_eq!(field.until.map(|day| day.to_string()).as_deref(), Some("2025-07-01"), "{}", field.name);
    }
    assert!(seen >= 3, "school, pupil and staff have one");
}
