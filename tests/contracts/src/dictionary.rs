//! The data dictionary: every field of a record is classed and labelled, and the generated tables say what the
//! annotations say.
use crate::api::{messages, none, pool};
use eduhub_proto::common::v1::{Dataset, Kind as RecordKind};
use eduhub_proto::dictionary::{CLASS_SECRET, FieldType, kinds_of, record_of};
use eduhub_proto::{NESTED_FIELDS, RECORDS};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use std::collections::BTreeSet;

fn annotation(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    let extension = pool.get_extension_by_name(name)?;
    let value = options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())?;
    value.as_message().cloned()
}

fn text(message: &DynamicMessage, name: &str) -> String {
    message.get_field_by_name(name).and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn number(message: &DynamicMessage, name: &str) -> i32 {
    match message.get_field_by_name(name).as_deref() {
        Some(Value::EnumNumber(n) | Value::I32(n)) => *n,
        _ => 0,
    }
}

/// Messages that are records, and those inside them.
fn annotated(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    let records: Vec<_> = messages(pool)
        .into_iter()
        .filter(|m| annotation(pool, &m.options(), "eduhub.common.v1.record").is_some())
        .collect();
    let inside = records.iter().flat_map(|r| r.fields().collect::<Vec<_>>());
    let nested: Vec<_> = inside
        .filter_map(|f| match f.kind() {
            Kind::Message(m) if m.package_name().starts_with("eduhub.") => Some(m),
            _ => None,
        })
        .collect();
    [records, nested].concat()
}

fn class_and_label(pool: &DescriptorPool, field: &FieldDescriptor) -> Option<(i32, String)> {
    let meta = annotation(pool, &field.options(), "eduhub.common.v1.field")?;
    Some((number(&meta, "class"), text(&meta, "label")))
}

#[test]
fn every_field_of_a_record_has_a_label_and_a_class() {
    let pool = pool();
    let (mut gaps, mut seen) = (Vec::new(), 0);
    for message in annotated(&pool) {
        for field in message.fields() {
            seen += 1;
            match class_and_label(&pool, &field) {
                None => gaps.push(format!("{}: no annotation", field.full_name())),
                Some((class, label)) if class == 0 || label.trim().is_empty() => {
                    gaps.push(format!("{}: class {class}, label {label:?}", field.full_name()));
                }
                Some(_) => {}
            }
        }
    }
    none("fields that nobody classed or named", &gaps);
    assert!(seen > 80, "only {seen} fields in the dictionary");
}

#[test]
fn secrets_are_strings_and_their_values_are_never_a_list() {
    let pool = pool();
    let (mut gaps, mut secrets) = (Vec::new(), 0);
    for field in annotated(&pool).iter().flat_map(|m| m.fields().collect::<Vec<_>>()) {
        if class_and_label(&pool, &field).is_some_and(|(class, _)| class == CLASS_SECRET) {
            secrets += 1;
            if field.kind() != Kind::String || field.is_list() {
                gaps.push(format!("{} is a {:?}", field.full_name(), field.kind()));
            }
        }
    }
    none("secrets that the vault can't seal", &gaps);
    assert!(secrets >= 2, "the personal IDs of pupils and staff are secrets");
    // Sealing looks at the fields of the record itself only.
    let nested = NESTED_FIELDS.iter().flat_map(|fields| fields.iter());
    let deep: Vec<_> = nested.filter(|f| f.class == CLASS_SECRET).map(|f| f.name.to_owned()).collect();
    none("secrets inside lists", &deep);
}

/// A field that looks like an ID number of a person must not be classed lower.
#[test]
fn personal_ids_are_secret_by_name() {
    for record in RECORDS {
        for field in
            record.fields.iter().filter(|f| f.name.contains("personal_id") || f.name.contains("passport"))
        {
            assert_eq!(field.class, CLASS_SECRET, "{}.{}", record.name, field.name);
        }
    }
}

#[test]
fn the_generated_tables_are_the_annotations() {
    let pool = pool();
    for record in RECORDS {
        let found: Vec<_> = annotated(&pool).into_iter().filter(|m| m.name() == record.name).collect();
        let [message] = found.as_slice() else { panic!("{}: {} messages", record.name, found.len()) };
        assert_eq!(message.fields().count(), record.fields.len(), "{}", record.name);
        for field in record.fields {
            let of = message.get_field(field.number).expect("a field of the message");
            assert_eq!(of.name(), field.name);
            let (class, label) = class_and_label(&pool, &of).expect("annotated");
            assert_eq!((class, label.as_str()), (field.class, field.label), "{}", of.full_name());
        }
    }
}

#[test]
fn every_kind_has_one_record_and_belongs_to_one_dataset() {
    let kinds = pool().get_enum_by_name("eduhub.common.v1.Kind").unwrap();
    let datasets = [Dataset::Pupils, Dataset::Staff, Dataset::Results, Dataset::Facilities];
    for value in kinds.values().filter(|v| v.number() != 0) {
        let kind = RecordKind::try_from(value.number()).unwrap();
        assert_eq!(RECORDS.iter().filter(|r| r.kind == kind as i32).count(), 1, "{}", value.name());
        assert!(record_of(kind).is_some_and(|r| r.domain != 0 && !r.label.is_empty()), "{}", value.name());
        let sets = datasets.iter().filter(|set| kinds_of(**set).contains(&kind)).count();
        assert_eq!(sets, 1, "{} is in {sets} datasets: it would be sent never, or twice", value.name());
    }
}

/// What the Ministry or a template gets must be told apart there.
#[test]
fn symbols_and_headers_are_not_used_twice_in_a_record() {
    let mut gaps = Vec::new();
    for record in RECORDS {
        let (mut symbols, mut headers) = (BTreeSet::new(), BTreeSet::new());
        for field in record.fields {
            if !field.ministry.is_empty() && !symbols.insert(field.ministry) {
                gaps.push(format!("{}.{}: symbol {}", record.name, field.name, field.ministry));
            }
            if !field.excel.is_empty() && !headers.insert(field.excel) {
                gaps.push(format!("{}.{}: header {}", record.name, field.name, field.excel));
            }
        }
        let key = record.fields.iter().any(|f| f.key);
        if !key {
            gaps.push(format!("{}: no field is its key", record.name));
        }
        // A list can't be a filter.
        let lists = record.fields.iter().filter(|f| f.column && f.ty == FieldType::List);
        gaps.extend(lists.map(|f| format!("{}.{}: a list as a column", record.name, f.name)));
    }
    none("dictionary", &gaps);
}
