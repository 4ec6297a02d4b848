//! The feed's messages as bytes. Both services have the same numbers in `Change`, `ChangeBatch` and `WatchReply`, and a change
//! is encoded once for all consumers that see it, so their generated types are not used here; the tests decode with them.
use bytes::Bytes;
use eduhub_proto::common::v1::{ChangeHeader, Checkpoint, ScopeChange};
use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len},
};

// Change
const HEADER: u32 = 1;
const RECORD: u32 = 2;
// ChangeBatch
const CHANGES: u32 = 1;
const CURSOR: u32 = 2;
// WatchReply
const BATCH: u32 = 1;
const CHECKPOINT: u32 = 2;
const SCOPE: u32 = 3;

/// One `WatchReply`.
#[derive(Debug, Clone)]
pub(crate) struct Reply(pub Bytes);

fn head(out: &mut Vec<u8>, field: u32, length: usize) {
    encode_key(field, WireType::LengthDelimited, out);
    encode_varint(length as u64, out);
}

fn size(field: u32, length: usize) -> usize {
    key_len(field) + encoded_len_varint(length as u64) + length
}

fn part(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    head(out, field, bytes.len());
    out.extend_from_slice(bytes);
}

/// The service's `Record`: its oneof's tag, the record's stored bytes, and a secret text as one more field of it.
pub(crate) fn record(out: &mut Vec<u8>, tag: &[u8], body: &[u8], secret: Option<&(u32, String)>) {
    let extra = secret.map_or(0, |(number, text)| size(*number, text.len()));
    out.extend_from_slice(tag);
    encode_varint((body.len() + extra) as u64, out);
    out.extend_from_slice(body);
    if let Some((number, text)) = secret {
        part(out, *number, text.as_bytes());
    }
}

/// One element of `ChangeBatch.changes`.
pub(crate) fn change(out: &mut Vec<u8>, header: &ChangeHeader, record: Option<&Vec<u8>>) {
    let header_length = header.encoded_len();
    let length = size(HEADER, header_length) + record.map_or(0, |r| size(RECORD, r.len()));
    head(out, CHANGES, length);
    head(out, HEADER, header_length);
    header.encode_raw(out);
    if let Some(record) = record {
        part(out, RECORD, record);
    }
}

impl Reply {
    /// A batch of encoded changes with the cursor that covers them.
    pub fn changes(parts: &[&[u8]], cursor: &[u8]) -> Self {
        let length = parts.iter().map(|p| p.len()).sum::<usize>() + size(CURSOR, cursor.len());
        let mut out = Vec::with_capacity(length + 8);
        head(&mut out, BATCH, length);
        for bytes in parts {
            out.extend_from_slice(bytes);
        }
        part(&mut out, CURSOR, cursor);
        Self(out.into())
    }

    /// A sign of life.
    pub fn checkpoint(checkpoint: &Checkpoint) -> Self {
        Self::message(CHECKPOINT, checkpoint)
    }

    /// A change of scope.
    pub fn scope(change: &ScopeChange) -> Self {
        Self::message(SCOPE, change)
    }

    fn message(field: u32, message: &impl Message) -> Self {
        let mut out = Vec::with_capacity(size(field, message.encoded_len()));
        part(&mut out, field, &message.encode_to_vec());
        Self(out.into())
    }
}
