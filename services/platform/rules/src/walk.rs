//! Reads what a record says of itself: its key, its parents, the person it is about.
use eduhub_proto::{
    common::v1::{Kind, Shape},
    dictionary::{Annotated, FieldMeta, Record, Value, record_of},
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
pub fn record_key(record: &dyn Annotated) -> String {
    let mut key = String::new();
    record.visit(&mut |meta: &'static FieldMeta, value: Value<'_>| {
        if meta.key {
            if !key.is_empty() {
                key.push('/');
            }
            key.push_str(&value.display());
        }
    });
    key
}

/// Parents that a record names.
pub fn parents<R: Record>(record: &R, school_year: i32) -> Vec<ParentRef> {
    let mut out = Vec::new();
    record.visit(&mut |meta: &'static FieldMeta, value: Value<'_>| {
        if meta.parent != 0
            && let Value::Text(text) = value
            && let Ok(kind) = Kind::try_from(meta.parent)
        {
            let key = record_of(kind).map_or_else(|| text.to_owned(), |r| r.full_key(school_year, text));
            out.push(ParentRef { kind, key, field: meta.name });
        }
    });
    out
}

/// What the personal-ID rules need to know of a person.
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
pub fn identity(record: &dyn Annotated) -> Identity {
    let mut who = Identity::default();
    if !record.fields().iter().any(|f| f.shape == Shape::PersonalId as i32) {
        return who;
    }
    record.visit(&mut |meta: &'static FieldMeta, value: Value<'_>| {
        let Value::Text(text) = value else { return };
        match meta.name {
            _ if meta.shape == Shape::PersonalId as i32 => {
                who.personal_id = Some((text.to_owned(), meta.name, meta.number));
            }
            "birth_date" => who.birth_date = Some(text.to_owned()),
            "sex" => who.sex = Some(text.to_owned()),
            "full_name" => who.full_name = Some(text.to_owned()),
            _ => {}
        }
    });
    who
}
