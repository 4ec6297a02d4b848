//! The data dictionary: what the proto annotations say of each record and field, and how to walk a record by it.

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
}

impl RecordMeta {
    /// Kind of the record.
    pub fn kind(&self) -> Kind {
        Kind::try_from(self.kind).unwrap_or_default()
    }

    /// Domain that a grant must hold for it.
    pub fn domain(&self) -> DataDomain {
        DataDomain::try_from(self.domain).unwrap_or_default()
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
        Dataset::Results => &[Kind::TermResult],
        Dataset::Facilities => &[Kind::Room],
    }
}

/// One field of the dictionary. Enum values are kept as their numbers.
#[derive(Debug)]
pub struct FieldMeta {
    /// Field name in proto.
    pub name: &'static str,
    /// Field number.
    pub number: u32,
    /// Vietnamese label.
    pub label: &'static str,
    /// Number of its `Sensitivity`.
    pub class: i32,
    /// Number of its `Need`.
    pub need: i32,
    /// Number of its `Shape`.
    pub shape: i32,
    /// Code list, or empty.
    pub code_list: &'static str,
    /// Number of the parent's `Kind`, 0 for none.
    pub parent: i32,
    /// Field of the Ministry's payload (QĐ 4998 symbol), or empty.
    pub ministry: &'static str,
    /// Column header in Excel, or empty.
    pub excel: &'static str,
    /// Part of the record's key.
    pub key: bool,
    /// Kept as a typed column.
    pub column: bool,
    /// Plausible range; outside it is a warning.
    pub plausible: Option<(f64, f64)>,
    /// Type of the value.
    pub ty: FieldType,
    /// Rules from `buf.validate`.
    pub rules: &'static [Rule],
}

/// Type of a field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Text, dates included.
    Text,
    /// Decimal number.
    Number,
    /// Whole number.
    Int,
    /// Yes or no.
    Flag,
    /// List of messages.
    List,
}

/// Highest sensitivity class that is stored in the clear.
pub const CLASS_SENSITIVE: i32 = 3;
/// Class of personal ID numbers.
pub const CLASS_SECRET: i32 = 4;

/// A `buf.validate` rule; lengths count characters, not bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// At least so many characters.
    MinChars(u64),
    /// At most so many characters.
    MaxChars(u64),
    /// Matches this regular expression (RE2 syntax).
    Pattern(&'static str),
    /// Greater than.
    Above(f64),
    /// Greater than or equal.
    AtLeast(f64),
    /// Less than.
    Below(f64),
    /// Less than or equal.
    AtMost(f64),
    /// At most so many entries.
    MaxItems(u64),
}

/// Value of a field while a record is walked.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// Absent: unset, or an empty text.
    Absent,
    /// Text.
    Text(&'a str),
    /// Decimal number.
    Number(f64),
    /// Whole number.
    Int(i32),
    /// Yes or no.
    Flag(bool),
    /// List of annotated messages.
    List(&'a dyn AnnotatedList),
}

impl<'a> Value<'a> {
    /// A text; empty counts as absent.
    pub fn text(v: Option<&'a str>) -> Self {
        v.filter(|s| !s.is_empty()).map_or(Value::Absent, Value::Text)
    }
    /// A decimal number.
    pub fn number(v: Option<f64>) -> Self {
        v.map_or(Value::Absent, Value::Number)
    }
    /// A whole number.
    pub fn int(v: Option<i32>) -> Self {
        v.map_or(Value::Absent, Value::Int)
    }
    /// Yes or no.
    pub fn flag(v: Option<bool>) -> Self {
        v.map_or(Value::Absent, Value::Flag)
    }
    /// The value as text for people and for difference lists; empty when absent; a list gives its entries.
    pub fn display(&self) -> String {
        match self {
            Value::Absent => String::new(),
            Value::Text(s) => (*s).to_owned(),
            Value::Number(x) => x.to_string(),
            Value::Int(x) => x.to_string(),
            Value::Flag(b) => b.to_string(),
            Value::List(l) => l.display(),
        }
    }
}

/// Receives the fields of a record in their order.
pub trait Visitor {
    /// One field with its value, [`Value::Absent`] included.
    fn field(&mut self, meta: &'static FieldMeta, value: Value<'_>);
}

impl<F: FnMut(&'static FieldMeta, Value<'_>)> Visitor for F {
    fn field(&mut self, meta: &'static FieldMeta, value: Value<'_>) {
        self(meta, value);
    }
}

/// A message whose fields are all annotated.
pub trait Annotated {
    /// The fields' annotations in the order of the message.
    fn fields(&self) -> &'static [FieldMeta];
    /// Walks every field.
    fn visit(&self, visitor: &mut dyn Visitor);
    /// Makes a field absent; unknown numbers are ignored.
    fn clear(&mut self, number: u32);
    /// Puts back a secret text; ignored for fields that are not secret.
    fn set_secret(&mut self, number: u32, value: String);
}

/// A message that is a record of the dictionary.
pub trait Record: Annotated + prost::Message + Default + Clone + Send + Sync + 'static {
    /// Its dictionary entry.
    const META: &'static RecordMeta;
}

/// List of annotated messages.
pub trait AnnotatedList {
    /// Number of entries.
    fn len(&self) -> usize;
    /// True without entries.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Entry at a position.
    fn get(&self, index: usize) -> Option<&dyn Annotated>;
    /// Entries as `[a; b]` with their present values.
    fn display(&self) -> String {
        let mut entries = Vec::new();
        for i in 0..self.len() {
            let mut values = Vec::new();
            if let Some(entry) = self.get(i) {
                entry.visit(&mut |_: &'static FieldMeta, v: Value<'_>| {
                    if !matches!(v, Value::Absent) {
                        values.push(v.display());
                    }
                });
            }
            entries.push(values.join(" "));
        }
        format!("[{}]", entries.join("; "))
    }
}

impl<T: Annotated> AnnotatedList for Vec<T> {
    fn len(&self) -> usize {
        Vec::len(self)
    }
    fn get(&self, index: usize) -> Option<&dyn Annotated> {
        self.as_slice().get(index).map(|x| x as &dyn Annotated)
    }
}

/// Clears every field above the given sensitivity class, in nested lists not (they have no class of their own above it).
pub fn mask(record: &mut dyn Annotated, highest_class: i32) {
    for field in record.fields() {
        if field.class > highest_class {
            record.clear(field.number);
        }
    }
}
