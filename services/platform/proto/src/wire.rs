//! Fields that a sender put on the wire and that this version of the API does not know.
//!
//! Decoding drops them without a word. Encoding the decoded message again gives exactly the received length when nothing
//! was dropped (what else differs, such as a default value sent all the same, only makes the received bytes longer), so
//! comparing two lengths is all that an honest message costs; only when they differ are the tags walked.
use prost::Message;
use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// Most unknown fields that are told of one message: the first few say enough.
pub const MOST: usize = 100;
/// Messages deeper than this are not walked; the API's own are at most 6 deep.
const DEEPEST: usize = 16;

/// Field numbers of a message, and the messages inside it.
#[derive(Debug)]
pub struct MessageShape {
    /// Number of its `Kind` when it is a record of the dictionary, else 0.
    pub kind: i32,
    /// Its fields in the order of their numbers.
    pub fields: &'static [WireField],
}

/// One field of a [`MessageShape`].
#[derive(Debug)]
pub struct WireField {
    /// Number.
    pub number: u32,
    /// Name in proto.
    pub name: &'static str,
    /// Whether it is a list.
    pub list: bool,
    /// Shape of its message, when it is one of the API's own.
    pub message: Option<&'static MessageShape>,
}

/// A message of the API whose shape is known.
pub trait Shaped: Message {
    /// Its shape.
    const SHAPE: &'static MessageShape;
}

/// An unknown field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownField {
    /// How to get from the message to the one that has it.
    pub path: Vec<Step>,
    /// Its number.
    pub number: u32,
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Name of the field.
    pub field: &'static str,
    /// Position, for a list.
    pub index: Option<usize>,
    /// Number of the `Kind` of the message that it leads to; 0 when that is no record.
    pub kind: i32,
}

/// The fields of `received` that `decoded`, which was decoded from it, does not have; at most [`MOST`].
pub fn unknown_fields<M: Shaped>(received: &[u8], decoded: &M) -> Vec<UnknownField> {
    if decoded.encoded_len() == received.len() {
        return vec![];
    }
    let mut walk = Walk { path: Vec::new(), found: Vec::new() };
    walk.message(M::SHAPE, received);
    walk.found
}

struct Walk {
    path: Vec<Step>,
    found: Vec<UnknownField>,
}

impl Walk {
    /// Walks the tags of a message; `None` when its bytes can't be read, which decoding would have refused.
    fn message(&mut self, shape: &'static MessageShape, mut bytes: &[u8]) -> Option<()> {
        let mut seen = vec![0_usize; shape.fields.len()];
        while bytes.has_remaining() && self.found.len() < MOST {
            let (number, wire_type) = decode_key(&mut bytes).ok()?;
            let Ok(at) = shape.fields.binary_search_by_key(&number, |f| f.number) else {
                self.found.push(UnknownField { path: self.path.clone(), number });
                skip_field(wire_type, number, &mut bytes, DecodeContext::default()).ok()?;
                continue;
            };
            let field = &shape.fields[at];
            match field.message {
                Some(inner) if wire_type == WireType::LengthDelimited && self.path.len() < DEEPEST => {
                    let length = usize::try_from(decode_varint(&mut bytes).ok()?).ok()?;
                    let entry = bytes.get(..length)?;
                    let index = field.list.then_some(seen[at]);
                    self.path.push(Step { field: field.name, index, kind: inner.kind });
                    self.message(inner, entry)?;
                    self.path.pop();
                    bytes.advance(length);
                }
                _ => skip_field(wire_type, number, &mut bytes, DecodeContext::default()).ok()?,
            }
            seen[at] += 1;
        }
        Some(())
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
