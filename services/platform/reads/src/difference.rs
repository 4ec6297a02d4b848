//! What differs between two images of a record, field by field.
use eduhub_changelog::{RecordSet, RecordVisitor};
use eduhub_proto::{
    common::v1::FieldDiff,
    dictionary::{FieldMeta, Record, Value},
};

/// The fields that differ, in the order of the message, with their values as people read them.
pub fn differences<S: RecordSet>(before: &S::Record, after: &S::Record) -> Vec<FieldDiff> {
    values::<S>(before)
        .into_iter()
        .zip(values::<S>(after))
        .filter(|((_, before), (_, after))| before != after)
        .map(|((meta, before), (_, after))| FieldDiff {
            field: meta.name.to_owned(),
            label: meta.label.to_owned(),
            before,
            after,
        })
        .collect()
}

fn values<S: RecordSet>(record: &S::Record) -> Vec<(&'static FieldMeta, String)> {
    S::visit(record.clone(), Values).unwrap_or_default()
}

struct Values;

impl RecordVisitor for Values {
    type Out = Vec<(&'static FieldMeta, String)>;
    fn visit<R: Record>(self, record: R) -> Self::Out {
        let mut out = Vec::new();
        record.visit(&mut |meta: &'static FieldMeta, value: Value<'_>| out.push((meta, value.display())));
        out
    }
}
