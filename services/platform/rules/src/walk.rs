//! Reads what a record says of itself: its key, its parents, the person it is about.
use eduhub_proto::{
    common::v1::Kind,
    dictionary::{Record, Value, record_of},
};

/// A reference from a record to a parent record of the same school.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParentRef {
    /// Kind of the parent.
    pub kind: Kind,
    /// Full key of the parent (with the school year for yearly kinds).
    pub key: String,
    /// Field that names it.
    pub field: &'static str,
}

/// Key of a record in its school as the sender knows it (without the school year): its key fields joined by `/`.
pub fn record_key<R: Record>(record: &R) -> String {
    let mut key = String::new();
    for (n, position) in R::META.keys.iter().enumerate() {
        if n > 0 {
            key.push('/');
        }
        match R::META.fields.get(*position).map_or(Value::Absent, |meta| record.value(meta.number)) {
            Value::Text(text) => key.push_str(text),
            other => key.push_str(&other.display()),
        }
    }
    key
}

/// Parents that a record names.
pub fn parents<R: Record>(record: &R, school_year: i32) -> Vec<ParentRef> {
    let mut out = Vec::new();
    for meta in R::META.parents.iter().filter_map(|position| R::META.fields.get(*position)) {
        if let Value::Text(text) = record.value(meta.number)
            && let Ok(kind) = Kind::try_from(meta.parent)
        {
            let key = record_of(kind).map_or_else(|| text.to_owned(), |r| r.full_key(school_year, text));
            out.push(ParentRef { kind, key, field: meta.name });
        }
    }
    out
}

/// What identifies a person, as the verification with the population database needs it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Personal ID with its field's name and number.
    pub personal_id: Option<(String, &'static str, u32)>,
    /// Birth date in ISO form.
    pub birth_date: Option<String>,
    /// Sex code (D.1).
    pub sex: Option<String>,
    /// Full name.
    pub full_name: Option<String>,
}

/// Person that a record is about; all `None` for records that are not about a person.
pub fn identity<R: Record>(record: &R) -> Identity {
    let known = &R::META.known;
    let Some(field) = R::META.field(known.personal_id) else { return Identity::default() };
    let text = |number| match record.value(number) {
        Value::Text(text) => Some(text.to_owned()),
        _ => None,
    };
    Identity {
        personal_id: text(field.number).map(|id| (id, field.name, field.number)),
        birth_date: text(known.birth_date),
        sex: text(known.sex),
        full_name: text(known.full_name),
    }
}
