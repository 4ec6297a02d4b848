//! Reads the `eduhub.common.v1.field` / `.record` and `buf.validate.field` options off the descriptors.
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

/// The rules of one field as Rust expressions of `Rule`. Fails on a `buf.validate` rule that the interpreter does not
/// know: an annotation that nobody checks would be a promise that nothing keeps.
pub fn rules(pool: &DescriptorPool, field: &FieldDescriptor) -> Result<(bool, Vec<String>)> {
    let Some(v) = extension(pool, &field.options(), "buf.validate.field") else { return Ok((false, vec![])) };
    let mut out = Vec::new();
    let mut required = false;
    for (f, value) in v.fields() {
        match (f.name(), value) {
            ("required", Value::Bool(b)) => required = *b,
            (kind @ ("string" | "double" | "int32" | "repeated"), Value::Message(m)) => {
                for (r, value) in m.fields() {
                    out.push(rule(kind, r.name(), value, field)?);
                }
            }
            (other, _) => bail!("{}: buf.validate.{other} is not supported", field.full_name()),
        }
    }
    Ok((required, out))
}

fn rule(kind: &str, name: &str, value: &Value, field: &FieldDescriptor) -> Result<String> {
    Ok(match (kind, name, value) {
        ("string", "min_len", Value::U64(n)) => format!("Rule::MinChars({n})"),
        ("string", "max_len", Value::U64(n)) => format!("Rule::MaxChars({n})"),
        ("string", "pattern", Value::String(p)) => format!("Rule::Pattern({p:?})"),
        ("double", op, Value::F64(x)) => format!("Rule::{}({x:?})", bound(op, field)?),
        ("int32", op, Value::I32(x)) => format!("Rule::{}({:?})", bound(op, field)?, f64::from(*x)),
        ("repeated", "max_items", Value::U64(n)) => format!("Rule::MaxItems({n})"),
        _ => bail!("{}: buf.validate {kind}.{name} is not supported", field.full_name()),
    })
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
