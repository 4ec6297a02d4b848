//! Shape of a record table, derived from the dictionary.
use crate::write::{ColumnValue, RowChange};
use eduhub_proto::{
    common::v1::{Kind, Shape},
    dictionary::{CLASS_SECRET, FieldType, RecordMeta},
};

/// SQL type of a column that stands beside the record's image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// `text`.
    Text,
    /// `integer`.
    Int,
    /// `double precision`.
    Number,
    /// `boolean`.
    Flag,
    /// `date`.
    Date,
    /// `bytea`: blind index of a secret.
    BlindIndex,
    /// `tsvector`: the words of a person's name, folded (decision 0013).
    Words,
}

impl ColumnType {
    /// Array type for `unnest`.
    pub(crate) fn array(self) -> &'static str {
        match self {
            Self::Text | Self::Words => "text[]",
            Self::Int => "int[]",
            Self::Number => "float8[]",
            Self::Flag => "bool[]",
            Self::Date => "date[]",
            Self::BlindIndex => "bytea[]",
        }
    }

    /// Value of a column of the input, made of one of its array's.
    pub(crate) fn input(self, column: &str) -> String {
        match self {
            Self::Words => format!("array_to_tsvector(string_to_array(nullif(i.{column}, ''), ' '))"),
            _ => format!("i.{column}"),
        }
    }
}

/// Column that stands beside the record's image, for filters, counts and look-ups.
#[derive(Debug, Clone)]
pub struct Column {
    /// Name in SQL.
    pub name: String,
    /// Type in SQL.
    pub ty: ColumnType,
    /// Number of the field it comes from.
    pub field: u32,
}

/// Table of one kind of record: common columns, the typed columns of the dictionary, and the SQL made from them once.
#[derive(Debug)]
pub struct Table {
    /// Kind of its records.
    pub kind: Kind,
    /// Dictionary entry.
    pub meta: &'static RecordMeta,
    /// Name in SQL.
    pub name: &'static str,
    /// Typed columns.
    pub columns: Vec<Column>,
    pub(crate) write_sql: String,
    pub(crate) copy_sql: String,
}

impl Table {
    /// The table `name` for a record of the dictionary. Panics never: every name comes from the program.
    pub fn new(name: &'static str, meta: &'static RecordMeta) -> Self {
        let mut columns: Vec<Column> = meta
            .fields
            .iter()
            .filter(|f| f.column)
            .map(|f| {
                let secret = f.class == CLASS_SECRET;
                let ty = match f.ty {
                    _ if secret => ColumnType::BlindIndex,
                    FieldType::Text if f.shape == Shape::Date as i32 => ColumnType::Date,
                    FieldType::Number => ColumnType::Number,
                    FieldType::Int => ColumnType::Int,
                    FieldType::Flag => ColumnType::Flag,
                    FieldType::Text | FieldType::List => ColumnType::Text,
                };
                let name = if secret { format!("{}_bidx", f.name) } else { f.name.to_owned() };
                Column { name, ty, field: f.number }
            })
            .collect();
        // What persons are found by. Last, so that a field's own column comes first.
        let named = meta.fields.iter().filter(|f| f.column && f.shape == Shape::PersonName as i32);
        columns.extend(named.map(|f| Column {
            name: format!("{}_words", f.name),
            ty: ColumnType::Words,
            field: f.number,
        }));
        let write_sql = crate::write::sql(name, meta.kind, &columns);
        let copy_sql = crate::copy::sql(name, columns.iter().map(|c| c.name.as_str()));
        Self { kind: meta.kind(), meta, name, columns, write_sql, copy_sql }
    }

    /// Column by whose value records are compared in groups, if the kind has one.
    pub fn group(&self) -> Option<&Column> {
        let field = self.meta.group_field()?.number;
        self.columns.iter().find(|c| c.field == field)
    }

    /// Value of a column in a row: `None` when it is absent, and for a withdrawal.
    pub fn value_of<'r>(&self, row: &'r RowChange, column: &str) -> Option<&'r ColumnValue> {
        let place = self.columns.iter().position(|c| c.name == column)?;
        row.columns.get(place).filter(|value| **value != ColumnValue::Null)
    }

    /// Blind index of a row.
    pub fn blind_index_of<'r>(&self, row: &'r RowChange) -> Option<&'r [u8]> {
        let place = self.columns.iter().position(|c| c.ty == ColumnType::BlindIndex)?;
        match row.columns.get(place)? {
            ColumnValue::Bytes(index) => Some(index),
            _ => None,
        }
    }

    /// Blind-index column, if the kind has one.
    pub fn blind_index(&self) -> Option<&Column> {
        self.columns.iter().find(|c| c.ty == ColumnType::BlindIndex)
    }
}
