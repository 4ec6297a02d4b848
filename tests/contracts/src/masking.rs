//! Where the feed passes stored images on unread, reading and masking them would have changed nothing.
use crate::api::pool;
use eduhub_changelog::{RecordSet, RecordVisitor};
use eduhub_facility::records::FacilityRecords;
use eduhub_proto::dictionary::{CLASS_SECRET, CLASS_SENSITIVE, Record, mask, masks_nothing};
use eduhub_registry::records::RegistryRecords;
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value};

/// The record with everything in it that is stored in the clear.
fn filled(message: MessageDescriptor, secrets: &[u32]) -> DynamicMessage {
    let mut out = DynamicMessage::new(message.clone());
    for field in message.fields().filter(|f| !secrets.contains(&f.number())) {
        let one = value(&field);
        out.set_field(&field, if field.is_list() { Value::List(vec![one]) } else { one });
    }
    out
}

fn value(field: &FieldDescriptor) -> Value {
    match field.kind() {
        Kind::String => Value::String("x".to_owned()),
        Kind::Int32 | Kind::Sint32 => Value::I32(1),
        Kind::Int64 => Value::I64(1),
        Kind::Uint32 => Value::U32(1),
        Kind::Double => Value::F64(1.5),
        Kind::Bool => Value::Bool(true),
        Kind::Enum(_) => Value::EnumNumber(1),
        Kind::Message(message) => Value::Message(filled(message, &[])),
        other => panic!("{}: a {other:?}", field.full_name()),
    }
}

struct Masked(i32);

impl RecordVisitor for Masked {
    type Out = Vec<u8>;

    fn visit<R: Record>(self, mut record: R) -> Vec<u8> {
        mask(&mut record, self.0);
        record.encode_to_vec()
    }
}

fn images_are_passed_on_only_unmasked<S: RecordSet>(package: &str) {
    let pool = pool();
    let envelope = pool.get_message_by_name(&format!("{package}.Record")).unwrap();
    let (mut unread, mut read) = (0, 0);
    for table in S::tables() {
        let secrets: Vec<u32> =
            table.meta.fields.iter().filter(|f| f.class == CLASS_SECRET).map(|f| f.number).collect();
        let message = pool.get_message_by_name(&format!("{package}.{}", table.meta.name)).unwrap();
        let whole = filled(message.clone(), &secrets);
        let place = envelope.fields().find(|f| matches!(f.kind(), Kind::Message(m) if m == message)).unwrap();
        let mut record = DynamicMessage::new(envelope.clone());
        record.set_field(&place, Value::Message(whole.clone()));
        for class in 0..=CLASS_SECRET {
            let record = S::Record::decode(record.encode_to_vec().as_slice()).unwrap();
            let masked = S::visit(record, Masked(class)).unwrap();
            let same = DynamicMessage::decode(whole.descriptor(), masked.as_slice()).unwrap() == whole;
            let passed = masks_nothing(table.meta, class);
            assert!(same || !passed, "{} of class {class} would show too much", table.meta.name);
            assert!(passed || class < CLASS_SENSITIVE, "{} is read for nothing", table.meta.name);
            *(if passed { &mut unread } else { &mut read }) += 1;
        }
    }
    assert!(unread > 0 && read > 0, "{unread} passed on, {read} read");
}

#[test]
fn what_is_passed_on_unread_holds_nothing_that_masking_would_clear() {
    images_are_passed_on_only_unmasked::<RegistryRecords>("eduhub.registry.v1");
    images_are_passed_on_only_unmasked::<FacilityRecords>("eduhub.facility.v1");
}
