//! Generates the wire shape of every message of the API: its field numbers, and the messages inside it.
use crate::annotations::{number, record_meta};
use crate::names::rust_path;
use anyhow::Result;
use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};
use std::fmt::Write;

pub fn generate(pool: &DescriptorPool) -> Result<String> {
    let mut out = String::from("use crate::wire::{MessageShape, Shaped, WireField};\n");
    for message in pool.all_messages().filter(ours) {
        let mut fields: Vec<FieldDescriptor> = message.fields().collect();
        fields.sort_by_key(FieldDescriptor::number);
        let kind = record_meta(pool, &message).map_or(0, |m| number(&m, "kind") as i32);
        let fields: Vec<String> = fields.iter().map(field).collect();
        writeln!(
            out,
            "pub static {}: MessageShape = MessageShape {{ kind: {kind}, fields: &[{}] }};",
            shape_name(&message),
            fields.join(", ")
        )?;
        // Types of nested messages stand in modules of their own; nothing receives one on its own.
        if message.parent_message().is_none() {
            writeln!(
                out,
                "impl Shaped for {} {{ const SHAPE: &'static MessageShape = &{}; }}",
                rust_path(&message),
                shape_name(&message)
            )?;
        }
    }
    Ok(out)
}

fn ours(message: &MessageDescriptor) -> bool {
    message.full_name().starts_with("eduhub.")
}

fn field(field: &FieldDescriptor) -> String {
    let message = match field.kind() {
        Kind::Message(m) if ours(&m) => format!("Some(&{})", shape_name(&m)),
        _ => "None".to_owned(),
    };
    format!(
        "WireField {{ number: {}, name: {:?}, list: {}, message: {message} }}",
        field.number(),
        field.name(),
        field.is_list()
    )
}

fn shape_name(message: &MessageDescriptor) -> String {
    message.full_name().replace('.', "_").to_uppercase()
}
