//! Names of generated items.
use prost_reflect::MessageDescriptor;

/// `UPPER_SNAKE` of a message's name.
pub fn table_name(message: &MessageDescriptor) -> String {
    let mut out = String::new();
    for c in message.name().chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

/// Path of a message's Rust type.
pub fn rust_path(message: &MessageDescriptor) -> String {
    let package = message.package_name().strip_prefix("eduhub.").unwrap_or_default().replace('.', "::");
    format!("crate::{package}::{}", message.name())
}
