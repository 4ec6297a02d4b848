//! Digests of the handshake: what the hub computes is what `digests/make_vectors.py` makes from the words of the manual alone.
use crate::api::{none, pool};
use eduhub_changelog::{RecordSet, RecordVisitor};
use eduhub_proto::dictionary::{Record, Value};
use eduhub_proto::{facility, registry};
use eduhub_rules::record_key;
use eduhub_vault::{GroupDigest, RecordDigester, digest_key_id, hashed_group, record_digest};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value as Json;

const VECTORS: &str = include_str!("../digests/vectors.json");

fn vectors() -> Json {
    serde_json::from_str(VECTORS).unwrap()
}

fn text<'a>(of: &'a Json, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_else(|| panic!("{name} in {of}"))
}

fn bytes(of: &Json, name: &str) -> Vec<u8> {
    hex::decode(text(of, name)).unwrap()
}

fn list<'a>(of: &'a Json, name: &str) -> &'a [Json] {
    of[name].as_array().unwrap()
}

/// What the hub makes of a record: key, group, canonical encoding.
struct Seen;

impl RecordVisitor for Seen {
    type Out = (String, String, Vec<u8>);
    fn visit<R: Record>(self, record: R) -> Self::Out {
        let key = record_key(&record);
        let group = match R::META.group_field().map(|field| record.value(field.number)) {
            None => hashed_group(&key).to_owned(),
            Some(Value::Text(name)) => name.to_owned(),
            Some(_) => String::new(),
        };
        (key, group, record.encode_to_vec())
    }
}

/// Reads a record of the JSON as the typed message that services decode.
fn seen(pool: &DescriptorPool, vector: &Json) -> (String, String, Vec<u8>) {
    let message = text(vector, "message");
    let descriptor = pool.get_message_by_name(message).unwrap();
    let dynamic = DynamicMessage::deserialize(descriptor, &vector["record"]).unwrap();
    // As it comes over the wire: inside the service's `Record`, under the number of its kind.
    let (package, name) = message.rsplit_once('.').unwrap();
    let outer = pool.get_message_by_name(&format!("{package}.Record")).unwrap();
    let field = outer.fields().find(|f| f.kind().as_message().is_some_and(|m| m.name() == name)).unwrap();
    let mut record = DynamicMessage::new(outer);
    record.set_field(&field, prost_reflect::Value::Message(dynamic));
    let sent = record.encode_to_vec();
    if package == "eduhub.facility.v1" {
        let record = facility::v1::Record::decode(sent.as_slice()).unwrap();
        eduhub_facility::records::FacilityRecords::visit(record, Seen).unwrap()
    } else {
        let record = registry::v1::Record::decode(sent.as_slice()).unwrap();
        eduhub_registry::records::RegistryRecords::visit(record, Seen).unwrap()
    }
}

#[test]
fn records_give_the_documented_bytes_and_digests() {
    let (vectors, pool) = (vectors(), pool());
    let key: [u8; 32] = bytes(&vectors, "key").try_into().unwrap();
    assert_eq!(digest_key_id(&key)[..], bytes(&vectors, "key_id"));
    let mut gaps = Vec::new();
    for vector in list(&vectors, "records") {
        let (record_key, group, canonical) = seen(&pool, vector);
        let digest = record_digest(&key, &canonical);
        assert_eq!(digest, RecordDigester::new(&key).digest(&canonical));
        let same = record_key == text(vector, "record_key")
            && group == text(vector, "group")
            && canonical == bytes(vector, "canonical")
            && digest[..] == bytes(vector, "digest");
        if !same {
            let name = text(vector, "name");
            gaps.push(format!(
                "{name}: {record_key} in {group}: {}, {}",
                hex::encode(&canonical),
                hex::encode(digest)
            ));
        }
    }
    none("vectors that the hub sees differently", &gaps);
    assert!(list(&vectors, "records").len() > 8);
}

#[test]
fn groups_give_the_documented_digests() {
    let vectors = vectors();
    for vector in list(&vectors, "groups") {
        let records = list(vector, "records").iter();
        let mut records: Vec<_> = records.map(|r| (text(r, "record_key"), bytes(r, "digest"))).collect();
        records.sort();
        let mut group = GroupDigest::default();
        records.iter().for_each(|(key, digest)| group.add(key, digest));
        assert_eq!(hex::encode(group.finish()), text(vector, "digest"), "{}", text(vector, "name"));
    }
    assert_eq!(list(&vectors, "groups").len(), 3);
}

/// The manual names the kinds that are grouped by a field; the dictionary decides.
#[test]
fn the_manual_names_the_kinds_with_groups_of_their_own() {
    let pool = pool();
    let file = pool.get_file_by_name("eduhub/common/v1/compare.proto").unwrap();
    let manual = crate::api::Comments::of(&file).at(&[2]).to_owned();
    assert!(manual.contains("HMAC-SHA-256"));
    let gaps = eduhub_proto::RECORDS.iter().filter(|r| {
        let named = manual.contains(&format!("{},", r.kind().as_str_name()))
            || manual.contains(&format!("{})", r.kind().as_str_name()))
            || manual.contains(&format!("{}:", r.kind().as_str_name()));
        named != r.group.is_some()
    });
    none("kinds", &gaps.map(|r| r.kind().as_str_name().to_owned()).collect::<Vec<_>>());
}
