use super::*;
use crate::common::v1::Kind;
use crate::registry::v1::{Pupil, PushBatch, Record, SubjectScore, TermResult, record::Record as One};
use prost::encoding::{encode_key, encode_varint, string};

fn batch() -> PushBatch {
    let pupil = Pupil { student_code: "3700000001".into(), sex: "1".into(), ..Pupil::default() };
    let scores =
        vec![SubjectScore { subject: "TOAN".into(), score: Some(7.5), ..SubjectScore::default() }; 3];
    let result = TermResult { term: "1".into(), subject_scores: scores, ..TermResult::default() };
    let records =
        vec![Record { record: Some(One::Pupil(pupil)) }, Record { record: Some(One::TermResult(result)) }];
    PushBatch { number: 7, records, ..PushBatch::default() }
}

fn delimited(number: u32, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_key(number, WireType::LengthDelimited, &mut out);
    encode_varint(content.len() as u64, &mut out);
    out.extend_from_slice(content);
    out
}

fn found(bytes: &[u8]) -> Vec<(Vec<Step>, u32)> {
    let decoded = PushBatch::decode(bytes).unwrap();
    unknown_fields(bytes, &decoded).into_iter().map(|u| (u.path, u.number)).collect()
}

#[test]
fn what_is_known_is_not_reported() {
    assert_eq!(found(&batch().encode_to_vec()), vec![]);
}

#[test]
fn an_unknown_field_of_the_message_itself_is_found() {
    let mut bytes = batch().encode_to_vec();
    string::encode(4242, &"x".to_owned(), &mut bytes);
    encode_key(4243, WireType::Varint, &mut bytes);
    encode_varint(9, &mut bytes);
    assert_eq!(found(&bytes), vec![(vec![], 4242), (vec![], 4243)]);
}

#[test]
fn an_unknown_field_deep_inside_is_found_with_its_way() {
    let mut score = SubjectScore { subject: "TOAN".into(), ..SubjectScore::default() }.encode_to_vec();
    string::encode(900, &"x".to_owned(), &mut score);
    let lists = TermResult::SHAPE.fields.iter().find(|f| f.name == "subject_scores").unwrap();
    let plain = delimited(lists.number, &SubjectScore::default().encode_to_vec());
    let result = [plain, delimited(lists.number, &score)].concat();
    let number = |shape: &MessageShape, name: &str| {
        shape.fields.iter().find(|f| f.name == name).map(|f| f.number).unwrap()
    };
    let record = delimited(number(Record::SHAPE, "term_result"), &result);
    let mut bytes = batch().encode_to_vec();
    bytes.extend(delimited(number(PushBatch::SHAPE, "records"), &record));
    let way = vec![
        Step { field: "records", index: Some(2), kind: 0 },
        Step { field: "term_result", index: None, kind: Kind::TermResult as i32 },
        Step { field: "subject_scores", index: Some(1), kind: 0 },
    ];
    assert_eq!(found(&bytes), vec![(way, 900)]);
}

/// A sender may write a default value, or a longer varint than needed: that is longer, but nothing is lost.
#[test]
fn an_odd_but_known_encoding_is_not_reported() {
    let mut bytes = batch().encode_to_vec();
    encode_key(1, WireType::Varint, &mut bytes);
    bytes.extend([0x87, 0x00]);
    assert_eq!(PushBatch::decode(bytes.as_slice()).unwrap(), batch());
    assert_eq!(found(&bytes), vec![]);
}

#[test]
fn a_hostile_message_is_told_of_only_so_much() {
    let mut bytes = Vec::new();
    for number in 1000..2000 {
        string::encode(number, &"x".to_owned(), &mut bytes);
    }
    assert_eq!(found(&bytes).len(), MOST);
}

#[test]
fn every_record_of_a_push_leads_to_its_kind() {
    for field in Record::SHAPE.fields {
        let kind = field.message.map_or(0, |m| m.kind);
        assert_ne!(kind, 0, "{}", field.name);
    }
}
