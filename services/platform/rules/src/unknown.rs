//! Fields that the sender gave and that this version of the API does not know, as findings.
use eduhub_faults::{Problem, Reason, warning};
use eduhub_proto::wire::{self, Shaped, UnknownField};

/// One warning for each field of `received` that is not in `decoded`, the message decoded from it: a whole push message,
/// a batch, or one record. Costs the comparison of two lengths when there is none.
///
/// `kind` and `index` name the record and its place in the batch where the field stands in a record (its key is not set);
/// `field` is the path from there, ending in the number: `subject_scores[2].#99`.
pub fn unknown_fields<M: Shaped>(received: &[u8], decoded: &M) -> Vec<Problem> {
    wire::unknown_fields(received, decoded).iter().map(|u| problem(u, M::SHAPE.kind)).collect()
}

fn problem(unknown: &UnknownField, outer_kind: i32) -> Problem {
    let at = unknown.path.iter().position(|step| step.kind != 0);
    let inside = &unknown.path[at.map_or(0, |at| at + 1)..];
    let mut field = String::new();
    for step in inside {
        field.push_str(step.field);
        if let Some(index) = step.index {
            field.push_str(&format!("[{index}]"));
        }
        field.push('.');
    }
    field.push_str(&format!("#{}", unknown.number));
    let mut problem = warning(Reason::UnknownField, &field);
    problem.kind = at.map_or(outer_kind, |at| unknown.path[at].kind);
    let before = &unknown.path[..at.unwrap_or(0)];
    let index = before.iter().rev().find_map(|step| step.index);
    problem.index = index.and_then(|index| u32::try_from(index).ok());
    problem
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_proto::common::v1::{Kind, Severity};
    use eduhub_proto::registry::v1::{Pupil, PushBatch, SubjectScore, TermResult};
    use eduhub_proto::wire::MessageShape;
    use prost::Message;
    use prost::encoding::{WireType, encode_key, encode_varint, string};

    fn number(shape: &MessageShape, name: &str) -> u32 {
        shape.fields.iter().find(|f| f.name == name).unwrap().number
    }

    fn delimited(number: u32, content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        encode_key(number, WireType::LengthDelimited, &mut out);
        encode_varint(content.len() as u64, &mut out);
        out.extend_from_slice(content);
        out
    }

    #[test]
    fn a_record_on_its_own() {
        let pupil = Pupil { student_code: "3700000001".into(), ..Pupil::default() };
        let mut bytes = pupil.encode_to_vec();
        assert!(unknown_fields(&bytes, &pupil).is_empty());
        string::encode(999, &"x".to_owned(), &mut bytes);
        let found = unknown_fields(&bytes, &Pupil::decode(bytes.as_slice()).unwrap());
        let [p] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((p.field.as_str(), p.kind, p.index), ("#999", Kind::Pupil as i32, None));
        assert_eq!((p.severity, p.reason), (Severity::Warning as i32, Reason::UnknownField as i32));
        assert!(p.value.is_empty(), "nobody knows how sensitive it is");
    }

    #[test]
    fn a_record_in_a_batch_is_named_by_its_place() {
        let mut score = SubjectScore::default().encode_to_vec();
        string::encode(999, &"x".to_owned(), &mut score);
        let result = delimited(number(TermResult::SHAPE, "subject_scores"), &score);
        let records = number(PushBatch::SHAPE, "records");
        let record = PushBatch::SHAPE.fields.iter().find(|f| f.name == "records").unwrap().message.unwrap();
        let empty = delimited(records, &[]);
        let third = delimited(records, &delimited(number(record, "term_result"), &result));
        let mut bytes = [empty.clone(), empty, third].concat();
        string::encode(998, &"x".to_owned(), &mut bytes);
        let found = unknown_fields(&bytes, &PushBatch::decode(bytes.as_slice()).unwrap());
        let seen: Vec<_> = found.iter().map(|p| (p.field.as_str(), p.kind, p.index)).collect();
        assert_eq!(
            seen,
            vec![("subject_scores[0].#999", Kind::TermResult as i32, Some(2)), ("#998", 0, None)]
        );
    }
}
