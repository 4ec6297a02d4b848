//! Generates, for each annotated message, its static tables and the `Annotated` implementation that walks its fields.
use crate::annotations::{field_meta, flag, number, record_meta, rules, text};
use anyhow::{Result, ensure};
use prost_reflect::{Cardinality, DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use std::fmt::Write;

pub fn generate(pool: &DescriptorPool) -> Result<String> {
    let mut out = String::from("use crate::dictionary::*;\n");
    let (mut records, mut nested) = (Vec::new(), Vec::new());
    for message in pool.all_messages() {
        let annotated = message.fields().any(|f| field_meta(pool, &f).is_some());
        if !annotated || !message.full_name().starts_with("eduhub.") {
            continue;
        }
        if let Some(meta) = record_meta(pool, &message) {
            records.push(record(&mut out, &message, &meta)?);
        } else {
            nested.push(format!("{}_FIELDS", table_name(&message)));
        }
        message_impl(&mut out, pool, &message)?;
    }
    writeln!(out, "/// Every record of the dictionary, in the order of the files.")?;
    writeln!(out, "pub static RECORDS: &[&RecordMeta] = &[{}];", records.join(", "))?;
    writeln!(out, "/// Fields of the messages that stand inside records.")?;
    writeln!(out, "pub static NESTED_FIELDS: &[&[FieldMeta]] = &[{}];", nested.join(", "))?;
    Ok(out)
}

fn record(out: &mut String, message: &MessageDescriptor, meta: &DynamicMessage) -> Result<String> {
    let name = table_name(message);
    let kind = number(meta, "kind") as i32;
    ensure!(kind != 0, "{}: record without kind", message.full_name());
    writeln!(
        out,
        "pub static {name}_RECORD: RecordMeta = RecordMeta {{ name: {:?}, kind: {kind}, label: {:?}, domain: {}, yearly: {}, ministry_type: {}, fields: {name}_FIELDS }};",
        message.name(),
        text(meta, "label"),
        number(meta, "domain") as i32,
        flag(meta, "yearly"),
        number(meta, "ministry_type") as i32,
    )?;
    writeln!(
        out,
        "impl Record for {} {{ const META: &'static RecordMeta = &{name}_RECORD; }}",
        rust_path(message)
    )?;
    Ok(format!("&{name}_RECORD"))
}

fn message_impl(out: &mut String, pool: &DescriptorPool, message: &MessageDescriptor) -> Result<()> {
    let name = table_name(message);
    let (mut metas, mut visits, mut clears, mut setters) =
        (String::new(), String::new(), String::new(), String::new());
    for (i, field) in message.fields().enumerate() {
        let meta = field_meta(pool, &field);
        let meta = meta.ok_or_else(|| anyhow::anyhow!("{}: field without annotation", field.full_name()))?;
        writeln!(metas, "    {},", field_table(pool, &field, &meta)?)?;
        writeln!(visits, "        v.field(&{name}_FIELDS[{i}], {});", value(&field)?)?;
        writeln!(clears, "            {} => self.{} = Default::default(),", field.number(), ident(&field))?;
        if number(&meta, "class") as i32 == 4 {
            ensure!(field.kind() == Kind::String, "{}: a secret must be a string", field.full_name());
            let set = if field.supports_presence() { "Some(value)" } else { "value" };
            writeln!(setters, "            {} => self.{} = {set},", field.number(), ident(&field))?;
        }
    }
    writeln!(out, "pub static {name}_FIELDS: &[FieldMeta] = &[\n{metas}];")?;
    writeln!(out, "impl Annotated for {} {{", rust_path(message))?;
    writeln!(out, "    fn fields(&self) -> &'static [FieldMeta] {{ {name}_FIELDS }}")?;
    writeln!(out, "    fn visit(&self, v: &mut dyn Visitor) {{\n{visits}    }}")?;
    writeln!(
        out,
        "    fn clear(&mut self, number: u32) {{\n        match number {{\n{clears}            _ => {{}}\n        }}\n    }}"
    )?;
    writeln!(
        out,
        "    fn set_secret(&mut self, number: u32, value: String) {{\n        match number {{\n{setters}            _ => drop(value),\n        }}\n    }}\n}}"
    )?;
    Ok(())
}

fn field_table(pool: &DescriptorPool, field: &FieldDescriptor, meta: &DynamicMessage) -> Result<String> {
    let (required, rules) = rules(pool, field)?;
    let need = number(meta, "need") as i32;
    ensure!(
        required == (need == 2),
        "{}: NEED_REQUIRED and buf.validate required must agree",
        field.full_name()
    );
    ensure!(number(meta, "class") as i32 != 0, "{}: field without sensitivity class", field.full_name());
    let (min, max) = (number(meta, "plausible_min"), number(meta, "plausible_max"));
    let plausible =
        if min == 0.0 && max == 0.0 { "None".into() } else { format!("Some(({min:?}, {max:?}))") };
    Ok(format!(
        "FieldMeta {{ name: {:?}, number: {}, label: {:?}, class: {}, need: {need}, shape: {}, code_list: {:?}, parent: {}, ministry: {:?}, excel: {:?}, key: {}, column: {}, plausible: {plausible}, ty: FieldType::{}, rules: &[{}] }}",
        field.name(),
        field.number(),
        text(meta, "label"),
        number(meta, "class") as i32,
        number(meta, "shape") as i32,
        text(meta, "code_list"),
        number(meta, "parent") as i32,
        text(meta, "ministry"),
        text(meta, "excel"),
        flag(meta, "key"),
        flag(meta, "column"),
        field_type(field),
        rules.join(", "),
    ))
}

fn field_type(field: &FieldDescriptor) -> &'static str {
    match field.kind() {
        _ if field.cardinality() == Cardinality::Repeated => "List",
        Kind::Double => "Number",
        Kind::Int32 => "Int",
        Kind::Bool => "Flag",
        _ => "Text",
    }
}

/// Expression that reads a field as a `Value`.
fn value(field: &FieldDescriptor) -> Result<String> {
    let id = ident(field);
    if field.cardinality() == Cardinality::Repeated {
        ensure!(
            matches!(field.kind(), Kind::Message(_)),
            "{}: repeated scalars are not supported",
            field.full_name()
        );
        return Ok(format!("Value::List(&self.{id})"));
    }
    let optional = field.supports_presence();
    Ok(match (field.kind(), optional) {
        (Kind::String, true) => format!("Value::text(self.{id}.as_deref())"),
        (Kind::String, false) => format!("Value::text(Some(self.{id}.as_str()))"),
        (Kind::Double, true) => format!("Value::number(self.{id})"),
        (Kind::Double, false) => format!("Value::number(Some(self.{id}).filter(|x| *x != 0.0))"),
        (Kind::Int32, true) => format!("Value::int(self.{id})"),
        (Kind::Int32, false) => format!("Value::int(Some(self.{id}).filter(|x| *x != 0))"),
        (Kind::Bool, true) => format!("Value::flag(self.{id})"),
        (kind, _) => anyhow::bail!("{}: {kind:?} is not supported in a record", field.full_name()),
    })
}

fn ident(field: &FieldDescriptor) -> String {
    field.name().to_owned()
}

fn table_name(message: &MessageDescriptor) -> String {
    let mut out = String::new();
    for c in message.name().chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

fn rust_path(message: &MessageDescriptor) -> String {
    let package = message.package_name().strip_prefix("eduhub.").unwrap_or_default().replace('.', "::");
    format!("crate::{package}::{}", message.name())
}
