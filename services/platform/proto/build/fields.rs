//! The `FieldMeta` of one field as a Rust expression.
use crate::annotations::{bits, field_rules, flag, list, number, text};
use crate::names::table_name;
use anyhow::{Context, Result, ensure};
use prost_reflect::{Cardinality, DescriptorPool, DynamicMessage, FieldDescriptor, Kind};

/// Number of `NEED_REQUIRED`.
const REQUIRED: i32 = 2;

pub fn field_table(
    pool: &DescriptorPool,
    field: &FieldDescriptor,
    meta: &DynamicMessage,
    patterns: &mut Vec<String>,
    doc: &str,
) -> Result<String> {
    let rules = field_rules(pool, field, patterns)?;
    let need = number(meta, "need") as i32;
    let levels = bits(meta, "levels");
    let needs = needs(field, meta)?;
    // `required` has no levels: a vendor's validator refuses the record at every one of them.
    let everywhere = need == REQUIRED && levels == 0 && needs.iter().all(|(_, need)| *need == REQUIRED);
    ensure!(
        rules.required == everywhere,
        "{}: buf.validate required and NEED_REQUIRED at every level must agree",
        field.full_name()
    );
    ensure!(number(meta, "class") as i32 != 0, "{}: field without sensitivity class", field.full_name());
    let (min, max) = (number(meta, "plausible_min"), number(meta, "plausible_max"));
    let plausible =
        if min == 0.0 && max == 0.0 { "None".into() } else { format!("Some(({min:?}, {max:?}))") };
    Ok(format!(
        "FieldMeta {{ name: {:?}, number: {}, label: {:?}, class: {}, need: {need}, needs: &[{}], \
         levels: Levels::from_bits({levels}), shape: {}, code_list: {:?}, parent: {}, ministry: {:?}, \
         symbols: &[{}], source: {:?}, until: {}, excel: {:?}, key: {}, column: {}, plausible: {plausible}, \
         ty: FieldType::{}, rules: &[{}], max_chars: {:?}, entries: {}, doc: {doc:?} }}",
        field.name(),
        field.number(),
        text(meta, "label"),
        number(meta, "class") as i32,
        pairs(needs.iter().map(|(l, n)| (*l, n.to_string()))),
        number(meta, "shape") as i32,
        text(meta, "code_list"),
        number(meta, "parent") as i32,
        text(meta, "ministry"),
        pairs(symbols(field, meta)?.iter().map(|(l, s)| (*l, format!("{s:?}")))),
        text(meta, "source"),
        until(field, meta)?,
        text(meta, "excel"),
        flag(meta, "key"),
        flag(meta, "column"),
        field_type(field),
        rules.rules.join(", "),
        rules.max_chars,
        entries(field),
    ))
}

fn pairs(items: impl Iterator<Item = (u32, String)>) -> String {
    items.map(|(bits, x)| format!("(Levels::from_bits({bits}), {x})")).collect::<Vec<_>>().join(", ")
}

fn needs(field: &FieldDescriptor, meta: &DynamicMessage) -> Result<Vec<(u32, i32)>> {
    let needs: Vec<_> =
        list(meta, "needs").iter().map(|n| (bits(n, "levels"), number(n, "need") as i32)).collect();
    apart(field, "needs", meta, needs.iter().map(|n| n.0))?;
    Ok(needs)
}

fn symbols(field: &FieldDescriptor, meta: &DynamicMessage) -> Result<Vec<(u32, String)>> {
    let symbols: Vec<_> =
        list(meta, "symbols").iter().map(|s| (bits(s, "levels"), text(s, "symbol"))).collect();
    apart(field, "symbols", meta, symbols.iter().map(|s| s.0))?;
    Ok(symbols)
}

/// Every entry names levels, none of them twice, and none at which the field does not exist.
fn apart(
    field: &FieldDescriptor,
    what: &str,
    meta: &DynamicMessage,
    sets: impl Iterator<Item = u32>,
) -> Result<()> {
    let (exists, mut seen) = (bits(meta, "levels"), 0);
    for set in sets {
        ensure!(set != 0 && set & seen == 0, "{}: {what} names no level, or one twice", field.full_name());
        ensure!(
            exists == 0 || set & !exists == 0,
            "{}: {what} names a level at which the field does not exist",
            field.full_name()
        );
        seen |= set;
    }
    Ok(())
}

fn until(field: &FieldDescriptor, meta: &DynamicMessage) -> Result<String> {
    let text = text(meta, "until");
    if text.is_empty() {
        return Ok("None".to_owned());
    }
    let numbers: Vec<u16> = text.split('-').filter_map(|n| n.parse().ok()).collect();
    let [year, month, day] = numbers[..] else {
        anyhow::bail!("{}: until {text:?} is not YYYY-MM-DD", field.full_name())
    };
    let month = ["", "January", "February", "March", "April", "May", "June", "July", "August", "September"]
        .into_iter()
        .chain(["October", "November", "December"])
        .nth(usize::from(month))
        .filter(|name| !name.is_empty())
        .with_context(|| format!("{}: until {text:?}", field.full_name()))?;
    // A day that does not exist does not compile.
    Ok(format!("Some(day({year}, time::Month::{month}, {day}))"))
}

fn entries(field: &FieldDescriptor) -> String {
    match (field.cardinality(), field.kind()) {
        (Cardinality::Repeated, Kind::Message(m)) => format!("Some(&{}_MESSAGE)", table_name(&m)),
        _ => "None".to_owned(),
    }
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
