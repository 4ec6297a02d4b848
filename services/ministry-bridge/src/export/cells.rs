use std::collections::BTreeSet;

use eduhub_proto::common::v1::Kind;
use eduhub_proto::dictionary::{Annotated, FieldMeta, Value, record_of};

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Empty,
    /// Codes and numbers with leading zeros are texts too.
    Text(String),
    Number(f64),
}

/// Sheet of one kind.
pub(super) struct Sheet {
    pub(super) kind: Kind,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Sheet {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, rows: Vec::new() }
    }

    /// Title of the sheet: the kind's label.
    pub(super) fn title(&self) -> &'static str {
        record_of(self.kind).map_or("", |meta| meta.label)
    }

    /// The fields that have a column, in order.
    pub(super) fn columns(&self) -> Vec<&'static FieldMeta> {
        let fields = record_of(self.kind).map_or(&[][..], |meta| meta.fields);
        fields.iter().filter(|field| !field.excel.is_empty()).collect()
    }

    /// Adds a record as a row.
    pub(super) fn add(&mut self, record: &dyn Annotated) {
        let mut row = Vec::new();
        record.visit(&mut |field: &'static FieldMeta, value: Value<'_>| {
            if !field.excel.is_empty() {
                row.push(cell(value));
            }
        });
        self.rows.push(row);
    }

    /// Code lists that its columns follow.
    pub(super) fn code_lists(&self) -> BTreeSet<&'static str> {
        self.columns().into_iter().map(|field| field.code_list).filter(|list| !list.is_empty()).collect()
    }
}

fn cell(value: Value<'_>) -> Cell {
    match value {
        Value::Absent => Cell::Empty,
        Value::Text(text) => Cell::Text(text.to_owned()),
        Value::Number(number) => Cell::Number(number),
        Value::Int(number) => Cell::Number(f64::from(number)),
        // As the Ministry's forms have it.
        Value::Flag(true) => Cell::Text("Có".to_owned()),
        Value::Flag(false) => Cell::Text("Không".to_owned()),
        Value::List(list) => Cell::Text(list.display()),
    }
}

/// Highest sensitivity class among the columns of these kinds: whoever takes the workbook away must be allowed to see it.
pub(super) fn highest_class(kinds: impl IntoIterator<Item = Kind>) -> i32 {
    let columns = kinds.into_iter().flat_map(|kind| Sheet::new(kind).columns());
    columns.map(|field| field.class).max().unwrap_or(0)
}

/// A code list on a sheet of its own.
pub(super) struct CodeSheet {
    pub(super) list: &'static str,
    pub(super) codes: Vec<(String, String)>,
}
