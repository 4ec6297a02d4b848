//! A field is of the annex's type and takes texts at least as long, or the difference has a reason.
use super::carriers;
use super::files::{Line, annex, deviations, groups};
use crate::api::none;
use eduhub_proto::common::v1::Shape;
use eduhub_proto::dictionary::{FieldMeta, FieldType};
use std::collections::BTreeSet;

/// What a field is, in the words of `deviations.tsv`.
fn ours(field: &FieldMeta) -> &'static str {
    match field.ty {
        FieldType::List => "List",
        FieldType::Number => "Number",
        FieldType::Int => "Int",
        FieldType::Flag => "Flag",
        FieldType::Text if field.shape == Shape::Date as i32 => "Date",
        FieldType::Text if !field.code_list.is_empty() || field.parent != 0 => "Code",
        FieldType::Text => "Text",
    }
}

/// Whether a field that is `ours` can carry what the annex types so.
fn fits(annex: &str, ours: &str) -> bool {
    matches!(
        (annex, ours),
        ("String", "Text" | "Code")
            | ("Integer", "Int")
            | ("Decimal", "Number")
            | ("Boolean", "Flag")
            | ("Date", "Date")
            | ("Enumeration", "Code")
            | ("", "List")
    )
}

fn differences(message: &str, field: &FieldMeta, line: &Line) -> Vec<[String; 4]> {
    let name = format!("{message}.{}", field.name);
    let row = |what: &str, annex: String, ours: String| [name.clone(), what.to_owned(), annex, ours];
    let mut out = Vec::new();
    if !fits(&line.ty, ours(field)) {
        out.push(row("type", line.ty.clone(), ours(field).to_owned()));
    }
    if let (FieldType::Text, Some(annex), Some(most)) = (field.ty, line.length, field.max_chars)
        && most < annex
    {
        out.push(row("length", annex.to_string(), most.to_string()));
    }
    out
}

#[test]
fn every_deviation_in_type_or_length_has_a_reason() {
    let groups = groups();
    let mut found: BTreeSet<[String; 4]> = BTreeSet::new();
    let mut compared = 0;
    for line in annex() {
        let Some(group) = groups.get(&(line.section.clone(), line.group.clone())) else { continue };
        for (message, field) in carriers(group, &line.symbol) {
            compared += 1;
            found.extend(differences(message, field, &line));
        }
    }
    assert!(compared > 1_000, "only {compared} fields compared");
    let listed: BTreeSet<[String; 4]> = deviations().into_iter().map(|d| d.what).collect();
    let missing = found.difference(&listed).map(|d| format!("{}\tnot in deviations.tsv", d.join("\t")));
    let stale = listed.difference(&found).map(|d| format!("{}\tis no deviation", d.join("\t")));
    none("deviations from QĐ 4998", &missing.chain(stale).collect::<Vec<_>>());
    let silent: Vec<String> = deviations()
        .into_iter()
        .filter(|d| d.reason.chars().count() < 15)
        .map(|d| d.what.join(" "))
        .collect();
    none("deviations without a reason", &silent);
}
