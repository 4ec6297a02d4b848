//! Masking: what a reader may not see is absent.
use super::Annotated;

/// Clears every field above the given sensitivity class, in the entries of lists too.
pub fn mask(record: &mut dyn Annotated, highest_class: i32) {
    for field in record.fields() {
        if field.class > highest_class {
            record.clear(field.number);
        }
    }
    record.entries(&mut |entry| mask(entry, highest_class));
}
