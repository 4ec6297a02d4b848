//! Makes an [`Incoming`] of a typed record: rules, key, digest, image, columns. No IO.
use crate::incoming::Incoming;
use eduhub_changelog::{Column, ColumnType, ColumnValue, RecordSet, RecordVisitor, split};
use eduhub_faults::Problem;
use eduhub_proto::dictionary::{FieldMeta, Record, Value};
use eduhub_rules::{Checker, parents, record_key, unknown_fields};
use eduhub_vault::{DigestKey, Vault, VaultError, record_digest};
use prost::{DecodeError, Message};
use std::{collections::HashMap, marker::PhantomData};
use time::{Date, format_description::well_known::Iso8601};

/// Prepares the records of one school and school year.
pub struct Preparer<'a, S> {
    /// Rules as of today.
    pub checker: Checker<'a>,
    /// Keys.
    pub vault: &'a Vault,
    /// School.
    pub school_code: &'a str,
    /// School year.
    pub school_year: i32,
    digest_key: DigestKey,
    set: PhantomData<S>,
}

impl<'a, S: RecordSet> Preparer<'a, S> {
    /// A preparer for one school and year.
    pub fn new(checker: Checker<'a>, vault: &'a Vault, school_code: &'a str, school_year: i32) -> Self {
        let digest_key = vault.school_digest_key(school_code);
        Self { checker, vault, school_code, school_year, digest_key, set: PhantomData }
    }

    /// The same for another school year of the school.
    pub(crate) fn for_year(&self, school_year: i32) -> Preparer<'_, S> {
        let (vault, school_code) = (self.vault, self.school_code);
        let digest_key = self.digest_key.clone();
        Preparer {
            checker: self.checker.clone().of_year(school_year),
            vault,
            school_code,
            school_year,
            digest_key,
            set: PhantomData,
        }
    }

    /// Reads and prepares the record at a position of its batch; `None` for an empty message, or one of a kind that this
    /// version does not know. What else it does not know is a warning.
    ///
    /// # Errors
    /// When these are not the bytes of a record.
    pub fn read(
        &self,
        received: &[u8],
        index: u32,
    ) -> Result<Option<Result<Incoming, VaultError>>, DecodeError> {
        let record = S::Record::decode(received)?;
        let unknown = unknown_fields(received, &record);
        Ok(S::visit(record, One { preparer: self, index: Some(index), unknown }))
    }

    /// Prepares the record at a position of its batch; `None` for an empty message.
    pub fn prepare(&self, record: S::Record, index: Option<u32>) -> Option<Result<Incoming, VaultError>> {
        S::visit(record, One { preparer: self, index, unknown: vec![] })
    }

    fn one<R: Record>(
        &self,
        record: R,
        index: Option<u32>,
        unknown: Vec<Problem>,
    ) -> Result<Incoming, VaultError> {
        let mut findings = self.checker.check(&record);
        let key = record_key(&record);
        findings.extend(unknown.into_iter().map(|f| Problem { record_key: key.clone(), ..f }));
        for f in &mut findings {
            f.index = index;
        }
        let full_key = R::META.full_key(self.school_year, &key);
        let parents = parents(&record, self.school_year);
        let table = S::table(R::META.kind);
        let mut columns = table.map(|t| column_values(&record, &t.columns)).unwrap_or_default();
        // The digest covers the secret too, under the school's key: without the key it can't be guessed back.
        let digest = record_digest(&self.digest_key, &record.encode_to_vec());
        let parts = split(record, self.vault, self.school_code, &full_key)?;
        if let (Some(table), Some(bidx)) = (table, &parts.blind_index) {
            for (column, value) in table.columns.iter().zip(&mut columns) {
                if column.ty == ColumnType::BlindIndex {
                    *value = ColumnValue::Bytes(bidx.clone());
                }
            }
        }
        Ok(Incoming {
            kind: R::META.kind,
            record_key: full_key,
            school_year: if R::META.yearly { self.school_year } else { 0 },
            digest,
            body: parts.body,
            secret: parts.secret,
            blind_index: parts.blind_index,
            columns,
            parents,
            findings,
            index,
        })
    }
}

struct One<'p, 'a, S> {
    preparer: &'p Preparer<'a, S>,
    index: Option<u32>,
    unknown: Vec<Problem>,
}

impl<S: RecordSet> RecordVisitor for One<'_, '_, S> {
    type Out = Result<Incoming, VaultError>;
    fn visit<R: Record>(self, record: R) -> Self::Out {
        self.preparer.one(record, self.index, self.unknown)
    }
}

fn column_values<R: Record>(record: &R, columns: &[Column]) -> Vec<ColumnValue> {
    let mut by_field: HashMap<u32, ColumnValue> = HashMap::with_capacity(columns.len());
    record.visit(&mut |meta: &'static FieldMeta, value: Value<'_>| {
        if !meta.column {
            return;
        }
        let Some(column) = columns.iter().find(|c| c.field == meta.number) else { return };
        by_field.insert(meta.number, column_value(column.ty, value));
    });
    columns.iter().map(|c| by_field.remove(&c.field).unwrap_or(ColumnValue::Null)).collect()
}

fn column_value(ty: ColumnType, value: Value<'_>) -> ColumnValue {
    match (ty, value) {
        (ColumnType::Text, Value::Text(s)) => ColumnValue::Text(s.to_owned()),
        (ColumnType::Date, Value::Text(s)) => {
            Date::parse(s, &Iso8601::DATE).map_or(ColumnValue::Null, ColumnValue::Date)
        }
        (ColumnType::Int, Value::Int(n)) => ColumnValue::Int(n),
        (ColumnType::Number, Value::Number(n)) => ColumnValue::Number(n),
        (ColumnType::Flag, Value::Flag(b)) => ColumnValue::Flag(b),
        // Blind indexes are set from the sealed secret; everything else is absent.
        _ => ColumnValue::Null,
    }
}
