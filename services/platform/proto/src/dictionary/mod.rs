//! The data dictionary: what the proto annotations say of each record and field, and how to walk a record by it.

mod annotated;
mod field;
mod levels;
mod mask;
mod value;

pub use annotated::{Annotated, AnnotatedList, Record, Visitor};
pub use field::{FieldMeta, FieldType, Pattern, Rule};
pub use levels::Levels;
pub use mask::{mask, masks_nothing};
pub use value::Value;

use crate::common::v1::{DataDomain, Dataset, Kind};

/// One record of the dictionary.
#[derive(Debug)]
pub struct RecordMeta {
    /// Name of the message, e.g. `Pupil`.
    pub name: &'static str,
    /// Number of its [`Kind`].
    pub kind: i32,
    /// Vietnamese label.
    pub label: &'static str,
    /// Number of its [`DataDomain`].
    pub domain: i32,
    /// True when the record belongs to one school year, which is then part of its key.
    pub yearly: bool,
    /// Payload type at the Ministry; 0 for none.
    pub ministry_type: i32,
    /// Fields in the order of the message.
    pub fields: &'static [FieldMeta],
    /// Positions in `fields` of those that make up the key, in the order of the message.
    pub keys: &'static [usize],
    /// Positions in `fields` of those that name a parent.
    pub parents: &'static [usize],
    /// Position in `fields` of the one by whose value records are compared in groups; `None`: by their keys.
    pub group: Option<usize>,
    /// Numbers of the fields that rules know by name.
    pub known: Known,
    /// The comment before it in proto: the manual's words.
    pub doc: &'static str,
}

/// Numbers of fields that rules speak of by name; 0 where a record has no such field.
#[derive(Debug)]
pub struct Known {
    /// `grade`, coded as in `DM_KHOI`.
    pub grade: u32,
    /// `level_group`, coded as in `DM_NHOM_CAP_HOC`.
    pub level_group: u32,
    /// The field of the shape of a personal ID.
    pub personal_id: u32,
    /// `birth_date`.
    pub birth_date: u32,
    /// `sex`.
    pub sex: u32,
    /// `full_name`.
    pub full_name: u32,
}

/// A message that stands inside records, in lists.
#[derive(Debug)]
pub struct MessageMeta {
    /// Name of the message, e.g. `SubjectScore`.
    pub name: &'static str,
    /// Fields in the order of the message.
    pub fields: &'static [FieldMeta],
    /// The comment before it in proto.
    pub doc: &'static str,
}

impl RecordMeta {
    /// Field of this number.
    pub fn field(&self, number: u32) -> Option<&'static FieldMeta> {
        self.fields.iter().find(|f| f.number == number)
    }

    /// Kind of the record.
    pub fn kind(&self) -> Kind {
        Kind::try_from(self.kind).unwrap_or_default()
    }

    /// Domain that a grant must hold for it.
    pub fn domain(&self) -> DataDomain {
        DataDomain::try_from(self.domain).unwrap_or_default()
    }

    /// Field by whose value its records are compared in groups; `None`: by their keys.
    pub fn group_field(&self) -> Option<&'static FieldMeta> {
        self.group.and_then(|position| self.fields.get(position))
    }

    /// The record's full key from its key within the year: `2026/6A1` for yearly kinds.
    pub fn full_key(&self, school_year: i32, key: &str) -> String {
        if self.yearly { format!("{school_year}/{key}") } else { key.to_owned() }
    }
}

/// Record of a kind, if it is in the dictionary.
pub fn record_of(kind: Kind) -> Option<&'static RecordMeta> {
    crate::RECORDS.iter().find(|r| r.kind == kind as i32).copied()
}

/// Kinds that a dataset holds, in the order of their numbers (review matrix, domain.md A.5).
pub fn kinds_of(dataset: Dataset) -> &'static [Kind] {
    match dataset {
        Dataset::Unspecified => &[],
        Dataset::Pupils => {
            &[Kind::School, Kind::Campus, Kind::Class, Kind::Pupil, Kind::Enrolment, Kind::Health]
        }
        Dataset::Staff => &[Kind::Staff],
        Dataset::Results => {
            &[Kind::TermResult, Kind::Attendance, Kind::Retake, Kind::Graduation, Kind::FreeCandidate]
        }
        Dataset::Facilities => &[Kind::Room],
    }
}

/// Highest sensitivity class that is stored in the clear.
pub const CLASS_SENSITIVE: i32 = 3;
/// Class of personal ID numbers.
pub const CLASS_SECRET: i32 = 4;

#[cfg(test)]
mod tests;
