//! Values of fields, as text where people read them.
use super::AnnotatedList;

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
