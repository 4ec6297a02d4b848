//! Makes an [`Incoming`] of a typed record: rules, key, digest, image, columns. No IO.
use crate::{
    incoming::Incoming,
    mapping::{Translated, VendorMapping},
};
use eduhub_changelog::{Column, ColumnType, ColumnValue, RecordSet, RecordVisitor, split};
use eduhub_faults::Problem;
use eduhub_proto::dictionary::{Record, Value};
use eduhub_rules::{Checker, name_words, parents, record_key, unknown_fields};
use eduhub_vault::{RecordDigester, Vault, VaultError};
use prost::{DecodeError, Message};
use std::{marker::PhantomData, sync::Arc};
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
    digester: Arc<RecordDigester>,
    mapping: Option<&'a VendorMapping>,
    set: PhantomData<S>,
}

impl<'a, S: RecordSet> Preparer<'a, S> {
    /// A preparer for one school and year.
    pub fn new(checker: Checker<'a>, vault: &'a Vault, school_code: &'a str, school_year: i32) -> Self {
        let digester = Arc::new(RecordDigester::new(&vault.school_digest_key(school_code)));
        Self { checker, vault, school_code, school_year, digester, mapping: None, set: PhantomData }
    }

    /// The same for records whose values are the sender's own: [`Preparer::read`] translates them.
    #[must_use]
    pub fn translating(self, mapping: Option<&'a VendorMapping>) -> Self {
        Self { mapping, ..self }
    }

    /// The same for another school year of the school.
    pub(crate) fn for_year(&self, school_year: i32) -> Preparer<'_, S> {
        let (vault, school_code) = (self.vault, self.school_code);
        let digester = self.digester.clone();
        Preparer {
            checker: self.checker.clone().of_year(school_year),
            vault,
            school_code,
            school_year,
            digester,
            // Only what comes from the sender is translated, never what the hub has read already.
            mapping: None,
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
        Ok(S::visit(record, One { preparer: self, index: Some(index), unknown, mapping: self.mapping }))
    }

    /// Prepares the record at a position of its batch; `None` for an empty message.
    pub fn prepare(&self, record: S::Record, index: Option<u32>) -> Option<Result<Incoming, VaultError>> {
        S::visit(record, One { preparer: self, index, unknown: vec![], mapping: None })
    }

    fn one<R: Record>(
        &self,
        record: R,
        index: Option<u32>,
        unknown: Vec<Problem>,
        translated: Translated,
    ) -> Result<Incoming, VaultError> {
        let mut findings = self.checker.check(&record);
        let key = record_key(&record);
        // What stands in no mapping table was judged as a code all the same: the table's word counts.
        findings.retain(|f| translated.problems.iter().all(|p| p.field != f.field));
        findings.extend(unknown.into_iter().map(|f| Problem { record_key: key.clone(), ..f }));
        let kind = R::META.kind;
        findings.extend(translated.problems.into_iter().map(|f| Problem {
            record_key: key.clone(),
            kind,
            ..f
        }));
        for f in &mut findings {
            f.index = index;
        }
        let full_key = R::META.full_key(self.school_year, &key);
        let parents = parents(&record, self.school_year);
        let table = S::table(R::META.kind);
        let mut columns = table.map(|t| column_values(&record, &t.columns)).unwrap_or_default();
        // The digest covers the secret too, under the school's key: without the key it can't be guessed back.
        let canonical = record.encode_to_vec();
        let digest = self.digester.digest(&canonical);
        let parts = split(&record, canonical, self.vault, self.school_code, &full_key)?;
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
            translated: translated.values,
        })
    }
}

struct One<'p, 'a, S> {
    preparer: &'p Preparer<'a, S>,
    index: Option<u32>,
    unknown: Vec<Problem>,
    mapping: Option<&'p VendorMapping>,
}

impl<S: RecordSet> RecordVisitor for One<'_, '_, S> {
    type Out = Result<Incoming, VaultError>;
    fn visit<R: Record>(self, mut record: R) -> Self::Out {
        let translated = self.mapping.map(|m| m.translate(&mut record)).unwrap_or_default();
        self.preparer.one(record, self.index, self.unknown, translated)
    }
}

fn column_values<R: Record>(record: &R, columns: &[Column]) -> Vec<ColumnValue> {
    columns.iter().map(|column| column_value(column.ty, record.value(column.field))).collect()
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
        (ColumnType::Words, Value::Text(s)) => ColumnValue::Words(name_words(s)),
        // Blind indexes are set from the sealed secret; everything else is absent.
        _ => ColumnValue::Null,
    }
}
