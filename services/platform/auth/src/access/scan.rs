//! The few fields of encoded messages that the log needs, without decoding the rest.
use prost::encoding::{WireType, decode_key, decode_varint};

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message; ends early at bytes that are none.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u32, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.0.is_empty() {
                return None;
            }
            let (number, wire) = decode_key(&mut self.0).ok()?;
            match wire {
                WireType::Varint => return Some((number, Value::Number(decode_varint(&mut self.0).ok()?))),
                WireType::LengthDelimited => {
                    let length = usize::try_from(decode_varint(&mut self.0).ok()?).ok()?;
                    let (value, rest) = self.0.split_at_checked(length)?;
                    self.0 = rest;
                    return Some((number, Value::Bytes(value)));
                }
                WireType::SixtyFourBit => self.0 = self.0.get(8..)?,
                WireType::ThirtyTwoBit => self.0 = self.0.get(4..)?,
                WireType::StartGroup | WireType::EndGroup => return None,
            }
        }
    }
}

/// Gives everything that stands at the end of a path.
pub(super) fn each<'a>(message: &'a [u8], path: &[u32], found: &mut impl FnMut(Value<'a>)) {
    let Some((first, rest)) = path.split_first() else { return found(Value::Bytes(message)) };
    for (_, value) in Fields(message).filter(|(number, _)| number == first) {
        match value {
            Value::Bytes(inner) => each(inner, rest, found),
            Value::Number(_) if rest.is_empty() => found(value),
            Value::Number(_) => {}
        }
    }
}

/// Length of what stands before each message of gRPC: one byte of flags, four of length.
const PREFIX: usize = 5;

/// Cuts the bytes of a gRPC body into messages.
#[derive(Default)]
pub(super) struct Frames(Vec<u8>);

impl Frames {
    /// Gives every message that is whole with this chunk; a compressed one (nothing of EduHub compresses) is left out.
    pub fn feed(&mut self, chunk: &[u8], message: impl FnMut(&[u8])) {
        if self.0.is_empty() {
            let rest = whole(chunk, message);
            // Nearly always nothing: a server's chunks are whole messages.
            self.0.extend_from_slice(rest);
            return;
        }
        self.0.extend_from_slice(chunk);
        let rest = whole(&self.0, message).len();
        self.0.drain(..self.0.len() - rest);
    }
}

/// Gives the messages that `bytes` begin with; what is left is the beginning of the next.
fn whole(bytes: &[u8], mut message: impl FnMut(&[u8])) -> &[u8] {
    let mut rest = bytes;
    while let Some((flags, body, after)) = split(rest) {
        if flags == 0 {
            message(body);
        }
        rest = after;
    }
    rest
}

fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [flags, a, b, c, d] = *bytes.first_chunk::<PREFIX>()?;
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    let (body, after) = bytes[PREFIX..].split_at_checked(length)?;
    Some((flags, body, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_proto::{
        common::v1::{ChangeHeader, Kind},
        registry::v1::{Change, RecordPage},
    };
    use proptest::prelude::*;
    use prost::Message;

    fn page(schools: &[String]) -> Vec<u8> {
        let change = |school: &String| {
            let header = ChangeHeader {
                school_code: school.clone(),
                kind: Kind::Pupil as i32,
                version: 7,
                ..ChangeHeader::default()
            };
            Change { header: Some(header), record: None }
        };
        RecordPage { records: schools.iter().map(change).collect(), next_page_token: "n".into() }
            .encode_to_vec()
    }

    fn framed(message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).unwrap();
        [&[0][..], &length.to_be_bytes(), message].concat()
    }

    proptest! {
        #[test]
        fn messages_are_found_however_the_bytes_are_cut(
            schools in proptest::collection::vec("[0-9A-Z]{6,20}", 0..5),
            cuts in proptest::collection::vec(1usize..40, 1..60),
        ) {
            let wire = [framed(&page(&schools)), framed(&[]), framed(&page(&schools))].concat();
            let (mut frames, mut rest, mut found, mut messages) = (Frames::default(), &wire[..], vec![], 0);
            for cut in cuts.into_iter().chain([wire.len()]) {
                let (chunk, after) = rest.split_at(cut.min(rest.len()));
                frames.feed(chunk, |message| {
                    messages += 1;
                    each(message, &[1, 1, 2], &mut |value| {
                        let Value::Bytes(code) = value else { return };
                        found.push(String::from_utf8(code.to_vec()).unwrap());
                    });
                });
                rest = after;
            }
            prop_assert_eq!(messages, 3);
            prop_assert_eq!(found, [&schools[..], &schools[..]].concat());
        }

        #[test]
        fn rubbish_ends_the_walk(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            each(&bytes, &[1, 1, 2], &mut |_| ());
            Frames::default().feed(&bytes, |_| ());
        }
    }
}
