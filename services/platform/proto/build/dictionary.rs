//! Generates, for each annotated message, its static tables and the `Annotated` implementation that walks its fields.
use crate::annotations::{field_meta, flag, number, record_meta, text};
use crate::docs::Docs;
use crate::fields::field_table;
use crate::names::{rust_path, table_name};
use anyhow::{Result, ensure};
use prost_reflect::{Cardinality, DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use std::fmt::Write;

pub fn generate(pool: &DescriptorPool) -> Result<String> {
    let mut out = String::from("use crate::dictionary::*;\n");
    let docs = Docs::of(pool);
    let (mut records, mut nested, mut patterns) = (Vec::new(), Vec::new(), Vec::new());
    for message in pool.all_messages() {
        let annotated = message.fields().any(|f| field_meta(pool, &f).is_some());
        if !annotated || !message.full_name().starts_with("eduhub.") {
            continue;
        }
        let doc = docs.at(&message.parent_file(), message.path());
        if let Some(meta) = record_meta(pool, &message) {
            records.push(record(&mut out, pool, &message, &meta, doc)?);
        } else {
            let name = table_name(&message);
            writeln!(
                out,
                "pub static {name}_MESSAGE: MessageMeta = MessageMeta {{ name: {:?}, fields: {name}_FIELDS, doc: {doc:?} }};",
                message.name()
            )?;
            nested.push(name);
        }
        message_impl(&mut out, pool, &docs, &message, &mut patterns)?;
    }
    constants(&mut out, pool, &records, &nested, &patterns)?;
    Ok(out)
}

fn constants(
    out: &mut String,
    pool: &DescriptorPool,
    records: &[String],
    nested: &[String],
    patterns: &[String],
) -> Result<()> {
    let named = |suffix: &str, sign: &str| {
        nested.iter().map(|n| format!("{sign}{n}_{suffix}")).collect::<Vec<_>>().join(", ")
    };
    let levels = pool.get_enum_by_name("eduhub.common.v1.Level");
    let numbers = levels.iter().flat_map(|e| e.values().map(|v| v.number()).collect::<Vec<_>>());
    let all = numbers.fold(0_u32, |set, n| if n == 0 { set } else { set | 1 << n });
    writeln!(out, "/// Bits of every level.")?;
    writeln!(out, "pub const ALL_LEVELS: u32 = {all};")?;
    writeln!(out, "/// Every record of the dictionary, in the order of the files.")?;
    writeln!(out, "pub static RECORDS: &[&RecordMeta] = &[{}];", records.join(", "))?;
    writeln!(out, "/// The messages that stand inside records.")?;
    writeln!(out, "pub static MESSAGES: &[&MessageMeta] = &[{}];", named("MESSAGE", "&"))?;
    writeln!(out, "/// Fields of the messages that stand inside records.")?;
    writeln!(out, "pub static NESTED_FIELDS: &[&[FieldMeta]] = &[{}];", named("FIELDS", ""))?;
    writeln!(
        out,
        "/// The regular expressions of all fields, each once; `Pattern::index` is the place here."
    )?;
    writeln!(out, "pub static PATTERNS: &[&str] = &{patterns:?};")?;
    writeln!(
        out,
        "#[allow(dead_code)]\nconst fn day(year: i32, month: time::Month, day: u8) -> time::Date {{\n    match time::Date::from_calendar_date(year, month, day) {{ Ok(d) => d, Err(_) => panic!(\"no such day\") }}\n}}"
    )?;
    Ok(())
}

fn record(
    out: &mut String,
    pool: &DescriptorPool,
    message: &MessageDescriptor,
    meta: &DynamicMessage,
    doc: &str,
) -> Result<String> {
    let name = table_name(message);
    let kind = number(meta, "kind") as i32;
    ensure!(kind != 0, "{}: record without kind", message.full_name());
    let positions = |wanted: &dyn Fn(&DynamicMessage) -> bool| {
        let fields = message.fields().enumerate();
        let found = fields.filter(|(_, f)| field_meta(pool, f).is_some_and(|m| wanted(&m)));
        found.map(|(i, _)| i).collect::<Vec<_>>()
    };
    writeln!(
        out,
        "pub static {name}_RECORD: RecordMeta = RecordMeta {{ name: {:?}, kind: {kind}, label: {:?}, domain: {}, yearly: {}, ministry_type: {}, fields: {name}_FIELDS, keys: &{:?}, parents: &{:?}, group: {:?}, known: {}, doc: {doc:?} }};",
        message.name(),
        text(meta, "label"),
        number(meta, "domain") as i32,
        flag(meta, "yearly"),
        number(meta, "ministry_type") as i32,
        positions(&|m| flag(m, "key")),
        positions(&|m| number(m, "parent") != 0.0),
        group(message, &positions(&|m| flag(m, "group")), &positions(&|m| flag(m, "column")))?,
        known(pool, message),
    )?;
    writeln!(
        out,
        "impl Record for {} {{ const META: &'static RecordMeta = &{name}_RECORD; }}",
        rust_path(message)
    )?;
    Ok(format!("&{name}_RECORD"))
}

/// Position of the field by whose value records are compared in groups.
fn group(message: &MessageDescriptor, marked: &[usize], columns: &[usize]) -> Result<Option<usize>> {
    ensure!(marked.len() < 2, "{}: more than one group", message.full_name());
    let Some(position) = marked.first().copied() else { return Ok(None) };
    let text = message.fields().nth(position).is_some_and(|f| f.kind() == Kind::String && !f.is_list());
    ensure!(text && columns.contains(&position), "{}: its group is no text column", message.full_name());
    Ok(Some(position))
}

/// Numbers of the fields that rules speak of by name.
fn known(pool: &DescriptorPool, message: &MessageDescriptor) -> String {
    /// Number of `SHAPE_PERSONAL_ID`.
    const PERSONAL_ID: i32 = 3;
    let by_name = |name: &str| {
        let field = message.get_field_by_name(name).filter(|f| f.kind() == Kind::String);
        format!("{name}: {}", field.map_or(0, |f| f.number()))
    };
    let id = message
        .fields()
        .find(|f| field_meta(pool, f).is_some_and(|m| number(&m, "shape") as i32 == PERSONAL_ID))
        .map_or(0, |f| f.number());
    let names = ["grade", "level_group", "birth_date", "sex", "full_name"].map(by_name).join(", ");
    format!("Known {{ personal_id: {id}, {names} }}")
}

fn message_impl(
    out: &mut String,
    pool: &DescriptorPool,
    docs: &Docs,
    message: &MessageDescriptor,
    patterns: &mut Vec<String>,
) -> Result<()> {
    let name = table_name(message);
    let (mut metas, mut visits, mut values, mut lists) =
        (String::new(), String::new(), String::new(), String::new());
    let (mut clears, mut setters, mut codes) = (String::new(), String::new(), String::new());
    for (i, field) in message.fields().enumerate() {
        let meta = field_meta(pool, &field);
        let meta = meta.ok_or_else(|| anyhow::anyhow!("{}: field without annotation", field.full_name()))?;
        let doc = docs.at(&message.parent_file(), field.path());
        let (number_, id, value) = (field.number(), ident(&field), value(&field)?);
        writeln!(metas, "    {},", field_table(pool, &field, &meta, patterns, doc)?)?;
        writeln!(visits, "        v.field(&{name}_FIELDS[{i}], {value});")?;
        writeln!(values, "            {number_} => {value},")?;
        if field.cardinality() == Cardinality::Repeated {
            writeln!(lists, "        self.{id}.iter_mut().for_each(|entry| each(entry));")?;
        }
        writeln!(clears, "            {number_} => self.{id} = Default::default(),")?;
        if number(&meta, "class") as i32 == 4 {
            setters += &setter(&field, "a secret")?;
        }
        if !text(&meta, "code_list").is_empty() {
            codes += &setter(&field, "a code")?;
        }
    }
    let each = if lists.is_empty() { "_" } else { "each" };
    writeln!(
        out,
        "pub static {name}_FIELDS: &[FieldMeta] = &[
{metas}];
impl Annotated for {path} {{
    fn fields(&self) -> &'static [FieldMeta] {{ {name}_FIELDS }}
    fn visit(&self, v: &mut dyn Visitor) {{
{visits}    }}
    fn value(&self, number: u32) -> Value<'_> {{
        match number {{
{values}            _ => Value::Absent,
        }}
    }}
    fn entries(&mut self, {each}: &mut dyn FnMut(&mut dyn Annotated)) {{
{lists}    }}
    fn clear(&mut self, number: u32) {{
        match number {{
{clears}            _ => {{}}
        }}
    }}
    fn set_secret(&mut self, number: u32, value: String) {{
        match number {{
{setters}            _ => drop(value),
        }}
    }}
    fn set_code(&mut self, number: u32, value: String) {{
        match number {{
{codes}            _ => drop(value),
        }}
    }}
}}",
        path = rust_path(message),
    )?;
    Ok(())
}

/// Arm that puts a text into a field.
fn setter(field: &FieldDescriptor, what: &str) -> Result<String> {
    ensure!(field.kind() == Kind::String, "{}: {what} must be a string", field.full_name());
    let set = if field.supports_presence() { "Some(value)" } else { "value" };
    Ok(format!("            {} => self.{} = {set},\n", field.number(), ident(field)))
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
