//! The digest handshake for rooms: the same as registry's, so only that it is there and about this service's kinds.
use crate::lab::{ELSEWHERE, Lab, SCHOOL, YEAR, refusal};
use crate::pushing::room;
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::common::v1::{
    CompareGroupsRequest, CompareRecordsRequest, DataDomain, DigestKey, GetDigestKeyRequest,
    GroupDigest as Group, Kind, RecordDigest,
};
use eduhub_proto::facility::v1::Room;
use eduhub_vault::{GroupDigest, hashed_group, record_digest};
use prost::Message;
use tonic::Code;

async fn key(lab: &Lab) -> DigestKey {
    let request = GetDigestKeyRequest { school_code: SCHOOL.to_owned() };
    lab.ingest(&Persona::vendor(SCHOOL)).get_digest_key(request).await.unwrap().into_inner()
}

fn digest(key: &DigestKey, room: &Room) -> [u8; 16] {
    record_digest(key.key.as_slice().try_into().unwrap(), &room.encode_to_vec())
}

fn groups(key: &DigestKey, rooms: &[Room]) -> CompareGroupsRequest {
    let group = |room: &Room| {
        let mut group = GroupDigest::default();
        group.add(&room.room_code, &digest(key, room));
        Group { group: hashed_group(&room.room_code).to_owned(), count: 1, digest: group.finish().to_vec() }
    };
    CompareGroupsRequest {
        school_code: SCHOOL.to_owned(),
        school_year: YEAR,
        kind: Kind::Room as i32,
        key_id: key.key_id.clone(),
        groups: rooms.iter().map(group).collect(),
    }
}

#[tokio::test]
async fn rooms_are_compared_before_they_are_sent() {
    let lab = Lab::start().await;
    lab.pushed(vec![room("P101"), room("P102"), room("P103")]).await;
    let (key, mut vendor) = (key(&lab).await, lab.ingest(&Persona::vendor(SCHOOL)));
    let wider = Room { area_m2: 64.0, ..room("P102") };
    let ours = [room("P101"), wider, room("P104")];
    let in_group = |code: &str| hashed_group(code).to_owned();
    let answer = vendor.compare_groups(groups(&key, &ours)).await.unwrap().into_inner();
    assert_eq!(answer.differing, [in_group("P102")]);
    assert_eq!(answer.only_hub, [in_group("P103")]);
    assert_eq!(answer.only_sender, [in_group("P104")]);
    assert_eq!(answer.hub_records, 3);
    let request = CompareRecordsRequest {
        school_code: SCHOOL.to_owned(),
        school_year: YEAR,
        kind: Kind::Room as i32,
        key_id: key.key_id.clone(),
        groups: ["P101", "P102", "P103", "P104"].map(in_group).to_vec(),
        records: ours
            .iter()
            .map(|r| RecordDigest { record_key: r.room_code.clone(), digest: digest(&key, r).to_vec() })
            .collect(),
    };
    let answer = vendor.compare_records(request).await.unwrap().into_inner();
    assert_eq!(
        (answer.lacking, answer.differing, answer.extra),
        (vec!["P104".to_owned()], vec!["P102".to_owned()], vec!["P103".to_owned()])
    );
}

#[tokio::test]
async fn only_rooms_of_the_vendors_school_are_compared() {
    let lab = Lab::start().await;
    let key = key(&lab).await;
    let ask = async |persona: &Persona, request| refusal(lab.ingest(persona).compare_groups(request).await);
    let pupils = CompareGroupsRequest { kind: Kind::Pupil as i32, ..groups(&key, &[]) };
    let vendor = Persona::vendor(SCHOOL);
    assert_eq!(ask(&vendor, pupils).await, (Code::InvalidArgument, Reason::InvalidRequest));
    let foreign = Persona::vendor(ELSEWHERE);
    assert_eq!(ask(&foreign, groups(&key, &[])).await, (Code::NotFound, Reason::SchoolNotFound));
    let no_rooms = vendor.domains(&[DataDomain::Pupil]);
    assert_eq!(ask(&no_rooms, groups(&key, &[])).await, (Code::PermissionDenied, Reason::Forbidden));
}
