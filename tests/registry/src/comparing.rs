//! A vendor's side of the digest handshake: digests of what it has, and the calls.
use crate::hub::{Hub, YEAR};
use eduhub_auth::testing::Persona;
use eduhub_changelog::{RecordSet, RecordVisitor};
use eduhub_proto::{
    common::v1::{
        CompareGroupsRequest, CompareGroupsResponse, CompareRecordsRequest, CompareRecordsResponse,
        GetDigestKeyRequest, GroupDigest, Kind, RecordDigest,
    },
    dictionary::{Record as Dictionary, Value},
    registry::v1::Record,
};
use eduhub_registry::records::RegistryRecords;
use eduhub_rules::record_key;
use eduhub_vault::record_digest;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use tonic::Status;

/// A vendor with what it compares.
pub struct Sender {
    pub school: String,
    pub persona: Persona,
    pub key: [u8; 32],
    pub key_id: Vec<u8>,
}

impl Sender {
    /// The vendor of a school, with the school's key.
    pub async fn of(hub: &Hub, school: &str) -> Self {
        let persona = Persona::vendor(school);
        let request = GetDigestKeyRequest { school_code: school.into() };
        let key = hub.ingest(&persona).get_digest_key(request).await.unwrap().into_inner();
        Self { school: school.into(), persona, key: key.key.try_into().unwrap(), key_id: key.key_id }
    }

    /// Digests of records of one kind by group, then by key.
    pub fn digests(&self, records: &[Record]) -> BTreeMap<String, BTreeMap<String, [u8; 16]>> {
        let mut groups: BTreeMap<String, BTreeMap<String, [u8; 16]>> = BTreeMap::new();
        for record in records {
            let (key, group, canonical) = RegistryRecords::visit(record.clone(), Look).unwrap();
            groups.entry(group).or_default().insert(key, record_digest(&self.key, &canonical));
        }
        groups
    }

    /// A request that names all groups of these records.
    pub fn groups_request(&self, kind: Kind, records: &[Record]) -> CompareGroupsRequest {
        let groups = self.digests(records).into_iter().map(|(group, records)| GroupDigest {
            group,
            count: records.len() as u32,
            digest: digest_of(&records),
        });
        CompareGroupsRequest {
            school_code: self.school.clone(),
            school_year: YEAR,
            kind: kind as i32,
            key_id: self.key_id.clone(),
            groups: groups.collect(),
        }
    }

    /// A request that names these groups and those of the records that are in them.
    pub fn records_request(&self, kind: Kind, groups: &[&str], records: &[Record]) -> CompareRecordsRequest {
        let of_groups =
            self.digests(records).into_iter().filter(|(group, _)| groups.contains(&group.as_str()));
        let records = of_groups.flat_map(|(_, records)| records);
        CompareRecordsRequest {
            school_code: self.school.clone(),
            school_year: YEAR,
            kind: kind as i32,
            key_id: self.key_id.clone(),
            groups: groups.iter().map(|g| (*g).to_owned()).collect(),
            records: records.map(|(record_key, d)| RecordDigest { record_key, digest: d.to_vec() }).collect(),
        }
    }

    pub async fn groups(&self, hub: &Hub, kind: Kind, records: &[Record]) -> CompareGroupsResponse {
        ask_groups(hub, &self.persona, self.groups_request(kind, records)).await.unwrap()
    }

    pub async fn records(
        &self,
        hub: &Hub,
        kind: Kind,
        groups: &[&str],
        records: &[Record],
    ) -> CompareRecordsResponse {
        ask_records(hub, &self.persona, self.records_request(kind, groups, records)).await.unwrap()
    }

    /// The whole course for one kind: what is lacking, differs and is extra.
    pub async fn compare(&self, hub: &Hub, kind: Kind, records: &[Record]) -> [Vec<String>; 3] {
        let groups = self.groups(hub, kind, records).await;
        let all: Vec<&str> = [&groups.differing, &groups.only_hub, &groups.only_sender]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        if all.is_empty() {
            return [vec![], vec![], vec![]];
        }
        let answer = self.records(hub, kind, &all, records).await;
        [answer.lacking, answer.differing, answer.extra]
    }
}

pub async fn ask_groups(
    hub: &Hub,
    persona: &Persona,
    request: CompareGroupsRequest,
) -> Result<CompareGroupsResponse, Status> {
    Ok(hub.ingest(persona).compare_groups(request).await?.into_inner())
}

pub async fn ask_records(
    hub: &Hub,
    persona: &Persona,
    request: CompareRecordsRequest,
) -> Result<CompareRecordsResponse, Status> {
    Ok(hub.ingest(persona).compare_records(request).await?.into_inner())
}

/// By the documented formula, for keys shorter than 128 bytes.
fn digest_of(records: &BTreeMap<String, [u8; 16]>) -> Vec<u8> {
    let mut all = Sha256::new();
    for (key, digest) in records {
        all.update([u8::try_from(key.len()).unwrap()]);
        all.update(key);
        all.update(digest);
    }
    all.finalize()[..16].to_vec()
}

struct Look;

impl RecordVisitor for Look {
    type Out = (String, String, Vec<u8>);
    fn visit<R: Dictionary>(self, record: R) -> Self::Out {
        let key = record_key(&record);
        let group = match R::META.group_field().map(|field| record.value(field.number)) {
            None => hex::encode(&Sha256::digest(&key)[..1]),
            Some(Value::Text(name)) => name.to_owned(),
            Some(_) => String::new(),
        };
        (key, group, record.encode_to_vec())
    }
}
