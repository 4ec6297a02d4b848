//! The annotated proto against the annex of QĐ 4998, both ways; see `annex/README.md` for the files.

mod files;
mod mapping;
mod types;

use eduhub_proto::common::v1::Level;
use eduhub_proto::dictionary::FieldMeta;
use eduhub_proto::{MESSAGES, RECORDS};

/// Message of this name with its fields.
fn fields(message: &str) -> Option<&'static [FieldMeta]> {
    let records = RECORDS.iter().map(|r| (r.name, r.fields));
    let nested = MESSAGES.iter().map(|m| (m.name, m.fields));
    records.chain(nested).find(|(name, _)| *name == message).map(|(_, fields)| fields)
}

/// Fields of a group's messages that have this symbol at its level.
fn carriers<'f>(
    group: &'f files::Group,
    symbol: &'f str,
) -> impl Iterator<Item = (&'f str, &'static FieldMeta)> {
    let all = group
        .messages
        .iter()
        .flat_map(|m| fields(m).unwrap_or_default().iter().map(move |field| (m.as_str(), field)));
    all.filter(move |(_, field)| field.symbol_at(group.level) == symbol)
}

fn level(name: &str) -> Option<Level> {
    Level::from_str_name(&format!("LEVEL_{name}"))
}
