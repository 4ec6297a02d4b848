//! Reads the `eduhub.common.v1.field` / `.record` and `buf.validate.field` options off the descriptors.
use crate::length::max_chars;
use anyhow::{Result, bail};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor, Value};

/// Annotation message of a field or record, if it has one.
pub fn extension(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    let ext = pool.get_extension_by_name(name)?;
    if !options.has_extension(&ext) {
        return None;
    }
    options.get_extension(&ext).as_message().cloned()
}

pub fn field_meta(pool: &DescriptorPool, field: &FieldDescriptor) -> Option<DynamicMessage> {
    extension(pool, &field.options(), "eduhub.common.v1.field")
}

pub fn record_meta(pool: &DescriptorPool, message: &MessageDescriptor) -> Option<DynamicMessage> {
    extension(pool, &message.options(), "eduhub.common.v1.record")
}

pub fn text(m: &DynamicMessage, name: &str) -> String {
    m.get_field_by_name(name).and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

pub fn flag(m: &DynamicMessage, name: &str) -> bool {
    m.get_field_by_name(name).and_then(|v| v.as_bool()).unwrap_or_default()
}

pub fn number(m: &DynamicMessage, name: &str) -> f64 {
    m.get_field_by_name(name)
        .and_then(|v| match v.as_ref() {
            Value::F64(x) => Some(*x),
            Value::I32(x) | Value::EnumNumber(x) => Some(f64::from(*x)),
            _ => None,
        })
        .unwrap_or_default()
}

/// Entries of a list of messages.
pub fn list(m: &DynamicMessage, name: &str) -> Vec<DynamicMessage> {
    let value = m.get_field_by_name(name);
    let entries = value.as_deref().and_then(Value::as_list).unwrap_or_default();
    entries.iter().filter_map(|v| v.as_message().cloned()).collect()
}

/// Numbers of a list of enum values as bits.
pub fn bits(m: &DynamicMessage, name: &str) -> u32 {
    let value = m.get_field_by_name(name);
    let entries = value.as_deref().and_then(Value::as_list).unwrap_or_default();
    let numbers = entries.iter().filter_map(Value::as_enum_number);
    numbers.fold(0, |set, n| if n == 0 { set } else { set | 1 << n })
}

/// What `buf.validate` says of a field.
#[derive(Default)]
pub struct FieldRules {
    /// Absent is refused.
    pub required: bool,
    /// Rust expressions of `Rule`.
    pub rules: Vec<String>,
    /// Most characters of a text.
    pub max_chars: Option<u32>,
}

/// The rules of one field. Fails on a `buf.validate` rule that the interpreter does not know: an annotation that nobody
/// checks would be a promise that nothing keeps.
pub fn field_rules(
    pool: &DescriptorPool,
    field: &FieldDescriptor,
    patterns: &mut Vec<String>,
) -> Result<FieldRules> {
    let mut out = FieldRules::default();
    let Some(v) = extension(pool, &field.options(), "buf.validate.field") else { return Ok(out) };
    for (f, value) in v.fields() {
        match (f.name(), value) {
            ("required", Value::Bool(b)) => out.required = *b,
            (kind @ ("string" | "double" | "int32" | "repeated"), Value::Message(m)) => {
                for (r, value) in m.fields() {
                    let rule = rule(kind, r.name(), value, field, patterns)?;
                    out.rules.push(rule);
                    out.max_chars = shorter(out.max_chars, longest(kind, r.name(), value)?);
                }
            }
            (other, _) => bail!("{}: buf.validate.{other} is not supported", field.full_name()),
        }
    }
    Ok(out)
}

fn longest(kind: &str, name: &str, value: &Value) -> Result<Option<u32>> {
    Ok(match (kind, name, value) {
        ("string", "max_len", Value::U64(n)) => u32::try_from(*n).ok(),
        ("string", "pattern", Value::String(p)) => max_chars(p)?,
        _ => None,
    })
}

fn shorter(a: Option<u32>, b: Option<u32>) -> Option<u32> {
    a.zip(b).map(|(a, b)| a.min(b)).or(a).or(b)
}

fn rule(
    kind: &str,
    name: &str,
    value: &Value,
    field: &FieldDescriptor,
    patterns: &mut Vec<String>,
) -> Result<String> {
    Ok(match (kind, name, value) {
        ("string", "min_len", Value::U64(n)) => format!("Rule::MinChars({n})"),
        ("string", "max_len", Value::U64(n)) => format!("Rule::MaxChars({n})"),
        ("string", "pattern", Value::String(p)) => pattern(p, patterns),
        ("double", op, Value::F64(x)) => format!("Rule::{}({x:?})", bound(op, field)?),
        ("int32", op, Value::I32(x)) => format!("Rule::{}({:?})", bound(op, field)?, f64::from(*x)),
        ("repeated", "max_items", Value::U64(n)) => format!("Rule::MaxItems({n})"),
        _ => bail!("{}: buf.validate {kind}.{name} is not supported", field.full_name()),
    })
}

fn pattern(text: &str, patterns: &mut Vec<String>) -> String {
    let index = patterns.iter().position(|p| p == text).unwrap_or_else(|| {
        patterns.push(text.to_owned());
        patterns.len() - 1
    });
    format!("Rule::Pattern(Pattern {{ index: {index}, text: {text:?} }})")
}

fn bound(op: &str, field: &FieldDescriptor) -> Result<&'static str> {
    Ok(match op {
        "gt" => "Above",
        "gte" => "AtLeast",
        "lt" => "Below",
        "lte" => "AtMost",
        _ => bail!("{}: bound {op} is not supported", field.full_name()),
    })
}
