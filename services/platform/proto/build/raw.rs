//! Leaves what a push carries undecoded in the generated types: a message and bytes look the same on the wire.
use anyhow::{Result, ensure};
use prost_types::{FileDescriptorSet, field_descriptor_proto::Type};

/// Message whose parts stay as they came.
const MESSAGE: &str = "PushRequest";
const FIELDS: [&str; 2] = ["open", "batch"];

/// The digest of a batch is over its very bytes, and what a newer sender put into it or into `open` must not get lost on the
/// way to the report of unknown fields. The published descriptors keep the messages.
pub fn undecoded(mut files: FileDescriptorSet) -> Result<FileDescriptorSet> {
    let messages = files.file.iter_mut().flat_map(|f| &mut f.message_type);
    let mut changed = 0;
    for message in messages.filter(|m| m.name() == MESSAGE) {
        for field in message.field.iter_mut().filter(|f| FIELDS.contains(&f.name())) {
            field.set_type(Type::Bytes);
            field.type_name = None;
            changed += 1;
        }
    }
    ensure!(changed == 4, "two fields of {MESSAGE} of registry and facility expected, {changed} found");
    Ok(files)
}
