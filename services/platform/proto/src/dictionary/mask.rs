//! Masking: what a reader may not see is absent.
use super::{Annotated, FieldType, RecordMeta};

/// Clears every field above the given sensitivity class, in the entries of lists too.
pub fn mask(record: &mut dyn Annotated, highest_class: i32) {
    for field in record.fields() {
        if field.class > highest_class {
            record.clear(field.number);
        }
    }
    record.entries(&mut |entry| mask(entry, highest_class));
}

/// Whether [`mask`] leaves a record of this kind as it is, secrets aside, which are never in the stored image. Then that image can be
/// passed on unread. Says no too often rather than once too seldom: one list of any kind counts for all.
pub fn masks_nothing(record: &RecordMeta, highest_class: i32) -> bool {
    let seen = |class: i32| class <= highest_class || class == super::CLASS_SECRET;
    let lists = record.fields.iter().any(|f| f.ty == FieldType::List);
    record.fields.iter().all(|f| seen(f.class))
        && (!lists || crate::NESTED_FIELDS.iter().flat_map(|fields| fields.iter()).all(|f| seen(f.class)))
}
