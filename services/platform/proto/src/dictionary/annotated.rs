//! Walking a record by its dictionary entry.
use super::{FieldMeta, RecordMeta, Value};

/// Receives the fields of a record in their order.
pub trait Visitor {
    /// One field with its value, [`Value::Absent`] included.
    fn field(&mut self, meta: &'static FieldMeta, value: Value<'_>);
}

impl<F: FnMut(&'static FieldMeta, Value<'_>)> Visitor for F {
    fn field(&mut self, meta: &'static FieldMeta, value: Value<'_>) {
        self(meta, value);
    }
}

/// A message whose fields are all annotated.
pub trait Annotated {
    /// The fields' annotations in the order of the message.
    fn fields(&self) -> &'static [FieldMeta];
    /// Walks every field.
    fn visit(&self, visitor: &mut dyn Visitor);
    /// Value of one field; [`Value::Absent`] for an unknown number.
    fn value(&self, number: u32) -> Value<'_>;
    /// Calls `each` with every entry of every list.
    fn entries(&mut self, each: &mut dyn FnMut(&mut dyn Annotated));
    /// Makes a field absent; unknown numbers are ignored.
    fn clear(&mut self, number: u32);
    /// Puts back a secret text; ignored for fields that are not secret.
    fn set_secret(&mut self, number: u32, value: String);
    /// Puts another code into a field with a code list; ignored for other fields.
    fn set_code(&mut self, _number: u32, _value: String) {}
}

/// A message that is a record of the dictionary.
pub trait Record: Annotated + prost::Message + Default + Clone + Send + Sync + 'static {
    /// Its dictionary entry.
    const META: &'static RecordMeta;
}

/// List of annotated messages.
pub trait AnnotatedList {
    /// Number of entries.
    fn len(&self) -> usize;
    /// True without entries.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Entry at a position.
    fn get(&self, index: usize) -> Option<&dyn Annotated>;
    /// Entries as `[a; b]` with their present values.
    fn display(&self) -> String {
        let mut entries = Vec::new();
        for i in 0..self.len() {
            let mut values = Vec::new();
            if let Some(entry) = self.get(i) {
                entry.visit(&mut |_: &'static FieldMeta, v: Value<'_>| {
                    if !matches!(v, Value::Absent) {
                        values.push(v.display());
                    }
                });
            }
            entries.push(values.join(" "));
        }
        format!("[{}]", entries.join("; "))
    }
}

impl<T: Annotated> AnnotatedList for Vec<T> {
    fn len(&self) -> usize {
        Vec::len(self)
    }
    fn get(&self, index: usize) -> Option<&dyn Annotated> {
        self.as_slice().get(index).map(|x| x as &dyn Annotated)
    }
}
