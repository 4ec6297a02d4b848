//! Migrations: the record tables have the columns that the dictionary promises.
use crate::api::{none, upper_snake};
use eduhub_proto::RECORDS;
use eduhub_proto::common::v1::Shape;
use eduhub_proto::dictionary::{CLASS_SECRET, FieldMeta, FieldType};
use std::collections::BTreeMap;

/// Migrations that make record tables.
const SERVICES: [(&str, &str); 2] = [
    (
        "registry",
        concat!(
            include_str!("../../../services/registry/migrations/0002_records.sql"),
            include_str!("../../../services/registry/migrations/0004_dictionary.sql"),
            include_str!("../../../services/registry/migrations/0009_name_search.sql")
        ),
    ),
    ("facility", include_str!("../../../services/facility/migrations/0002_records.sql")),
];

/// Columns with their types by table, of all `create table` and `add column` statements.
fn tables(sql: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let lines =
        sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let made = regex::Regex::new(r"(?is)create\s+table\s+(\w+)\s*\((.*?)\n\);").unwrap();
    let column = regex::Regex::new(r"^(\w+)\s+([a-z0-9]+)").unwrap();
    let mut out = BTreeMap::new();
    for table in made.captures_iter(&lines) {
        let columns = table[2].lines().map(str::trim).filter(|l| !l.starts_with("constraint"));
        let columns = columns.filter_map(|l| column.captures(l).map(|c| (c[1].to_owned(), c[2].to_owned())));
        out.insert(table[1].to_owned(), columns.collect());
    }
    let altered = regex::Regex::new(r"(?is)alter\s+table\s+(\w+)\s+(add\s+column.*?);").unwrap();
    let added = regex::Regex::new(r"(?i)add\s+column\s+(\w+)\s+([a-z0-9]+)").unwrap();
    for alter in altered.captures_iter(&lines) {
        let table = out.entry(alter[1].to_owned()).or_insert_with(BTreeMap::new);
        table.extend(added.captures_iter(&alter[2]).map(|c| (c[1].to_owned(), c[2].to_owned())));
    }
    out
}

/// Name and type that a field has as a column.
fn column(field: &FieldMeta) -> (String, &'static str) {
    if field.class == CLASS_SECRET {
        // A keyed blind index (16 bytes and up), never the number.
        return (format!("{}_bidx", field.name), "bytea");
    }
    let ty = match field.ty {
        FieldType::Text if field.shape == Shape::Date as i32 => "date",
        FieldType::Text | FieldType::List => "text",
        FieldType::Number => "float8",
        FieldType::Int => "integer",
        FieldType::Flag => "boolean",
    };
    (field.name.to_owned(), ty)
}

/// Columns that a field has: its own, and for a person's name the words that it is found by.
fn columns(field: &FieldMeta) -> Vec<(String, &'static str)> {
    let mut columns = vec![column(field)];
    if field.shape == Shape::PersonName as i32 {
        columns.push((format!("{}_words", field.name), "tsvector"));
    }
    columns
}

#[test]
fn every_column_of_the_dictionary_is_in_its_table_with_a_fitting_type() {
    let all: BTreeMap<_, _> = SERVICES.iter().flat_map(|(_, sql)| tables(sql)).collect();
    let (mut gaps, mut seen) = (Vec::new(), 0);
    for record in RECORDS {
        let name = format!("{}_record", upper_snake(record.name).to_lowercase());
        let Some(table) = all.get(&name) else {
            gaps.push(format!("{name}: no such table"));
            continue;
        };
        for (name_of, ty) in record.fields.iter().filter(|f| f.column).flat_map(columns) {
            seen += 1;
            match table.get(&name_of) {
                Some(found) if found == ty => {}
                found => gaps.push(format!("{name}.{name_of}: {found:?} instead of {ty}")),
            }
        }
    }
    none("columns of the dictionary", &gaps);
    assert!(seen > 20, "only {seen} columns in the dictionary");
}

#[test]
fn record_tables_have_no_columns_beside_the_dictionary() {
    const COMMON: [&str; 12] = [
        "record_id",
        "school_code",
        "school_year",
        "record_key",
        "version",
        "digest",
        "body",
        "secret",
        "withdrawn",
        "xid",
        "seq",
        "changed_at",
    ];
    let mut gaps = Vec::new();
    for (service, sql) in SERVICES {
        for (name, columns) in tables(sql).iter().filter(|(name, _)| name.ends_with("_record")) {
            let record =
                RECORDS.iter().find(|r| format!("{}_record", upper_snake(r.name).to_lowercase()) == **name);
            let Some(record) = record else {
                gaps.push(format!("{service}: {name} holds no record of the dictionary"));
                continue;
            };
            let ours: Vec<String> = record
                .fields
                .iter()
                .filter(|f| f.column)
                .flat_map(self::columns)
                .map(|(name, _)| name)
                .collect();
            let strange = columns.keys().filter(|c| !COMMON.contains(&c.as_str()) && !ours.contains(c));
            gaps.extend(strange.map(|c| format!("{service}: {name}.{c}")));
            // A missing common column would show as a missing write; say so here already.
            let missing = COMMON.iter().filter(|c| !columns.contains_key(**c));
            gaps.extend(missing.map(|c| format!("{service}: {name} without {c}")));
        }
    }
    none("columns that no annotation asks for", &gaps);
}

/// Secrets are only ever stored sealed: no column may bear their bare name.
#[test]
fn no_secret_has_a_column_of_its_own() {
    for record in RECORDS {
        for field in record.fields.iter().filter(|f| f.class == CLASS_SECRET) {
            for (service, sql) in SERVICES {
                let named = |t: &BTreeMap<String, String>| t.contains_key(field.name);
                assert!(!tables(sql).values().any(named), "{service}: a column {}", field.name);
            }
        }
    }
}
