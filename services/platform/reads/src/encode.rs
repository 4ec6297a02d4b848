//! A `Change` as bytes. Both services have the same numbers in it, and a kept answer is sent as it is, so their generated
//! types are not used here; the tests decode with them.
use crate::view::Seen;
use bytes::{Bytes, BytesMut};
use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint, encoded_len_varint, key_len},
};

const HEADER: u32 = 1;
const RECORD: u32 = 2;

/// Head and record as one message.
pub(crate) fn change<R: Message>((header, record): &Seen<R>) -> Bytes {
    let size = |field, message: usize| key_len(field) + encoded_len_varint(message as u64) + message;
    let record = record.as_ref().map(|record| (record, record.encoded_len()));
    let length = size(HEADER, header.encoded_len()) + record.map_or(0, |(_, length)| size(RECORD, length));
    let mut out = BytesMut::with_capacity(length);
    encode_key(HEADER, WireType::LengthDelimited, &mut out);
    encode_varint(header.encoded_len() as u64, &mut out);
    header.encode_raw(&mut out);
    if let Some((record, length)) = record {
        encode_key(RECORD, WireType::LengthDelimited, &mut out);
        encode_varint(length as u64, &mut out);
        record.encode_raw(&mut out);
    }
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_proto::{
        common::v1::ChangeHeader,
        registry::v1::{Change, Pupil, Record, record},
    };

    #[test]
    fn a_change_decodes_as_one() {
        let header = ChangeHeader { record_key: "HS1".into(), version: 3, ..ChangeHeader::default() };
        let pupil = Pupil { full_name: "Nguyễn Thị Hương".into(), ..Pupil::default() };
        let record = Record { record: Some(record::Record::Pupil(pupil)) };
        for record in [Some(record), None] {
            let bytes = change(&(header.clone(), record.clone()));
            let expected = Change { header: Some(header.clone()), record };
            assert_eq!(Change::decode(bytes).unwrap(), expected);
        }
    }
}
