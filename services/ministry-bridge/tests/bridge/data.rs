//! Synthetic records of one school.

use eduhub_proto::common::v1::{ChangeHeader, Kind};
use eduhub_proto::dictionary::record_of;
use eduhub_proto::facility::v1 as facility;
use eduhub_proto::registry::v1::record::Record as Of;
use eduhub_proto::registry::v1::{
    Campus, Change, Class, Enrolment, Health, Pupil, Record, School, Staff, TermResult,
};
use eduhub_proto::{facility::v1::Room, registry::v1::SubjectScore};
use uuid::Uuid;

pub const SCHOOL: &str = "37000301";
pub const COMMUNE: &str = "14329";
pub const YEAR: i32 = 2026;

/// The id of a record, the same whenever it is asked for.
pub fn id_of(kind: Kind, key: &str) -> Uuid {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(format!("{kind:?} {key}"));
    uuid::Builder::from_custom_bytes(digest[..16].try_into().unwrap()).into_uuid()
}

pub fn header(kind: Kind, key: &str, version: i64) -> ChangeHeader {
    let record_key = record_of(kind).unwrap().full_key(YEAR, key);
    ChangeHeader {
        record_id: id_of(kind, &record_key).to_string(),
        school_code: SCHOOL.to_owned(),
        kind: kind.into(),
        record_key,
        version,
        ..ChangeHeader::default()
    }
}

fn change(kind: Kind, key: &str, record: Of) -> Change {
    Change { header: Some(header(kind, key, 1)), record: Some(Record { record: Some(record) }) }
}

pub fn school() -> Change {
    let school = School {
        school_code: SCHOOL.to_owned(),
        name: "Trường THCS Hoa Lư".to_owned(),
        level_group: "03".to_owned(),
        province_code: "37".to_owned(),
        commune_code: COMMUNE.to_owned(),
        principal_name: "Đinh Thị Lan".to_owned(),
        principal_phone: "0912345678".to_owned(),
        ..School::default()
    };
    change(Kind::School, SCHOOL, Of::School(school))
}

pub fn campus(code: &str) -> Change {
    let campus =
        Campus { campus_code: code.to_owned(), name: format!("Điểm {code}"), ..Campus::default() };
    change(Kind::Campus, code, Of::Campus(campus))
}

pub fn class(code: &str) -> Change {
    let class = Class {
        class_code: code.to_owned(),
        name: code.to_owned(),
        grade: "6".to_owned(),
        ..Class::default()
    };
    change(Kind::Class, code, Of::Class(class))
}

/// Personal ID of the n-th pupil.
pub fn personal_id(n: usize) -> String {
    format!("0372120{n:05}")
}

/// Key of the n-th pupil; every third one has no Ministry code yet.
pub fn pupil_key(n: usize) -> String {
    if n.is_multiple_of(3) { format!("TAM-{n:06}") } else { format!("{:010}", 200_000_000 + n) }
}

pub fn pupil(n: usize) -> Change {
    let pupil = Pupil {
        student_code: pupil_key(n),
        full_name: "Nguyễn Thị Bích Hòa".to_owned(),
        birth_date: "2012-03-05".to_owned(),
        sex: "2".to_owned(),
        personal_id: Some(personal_id(n)),
        ethnicity: Some("01".to_owned()),
        ..Pupil::default()
    };
    change(Kind::Pupil, &pupil_key(n), Of::Pupil(pupil))
}

pub fn enrolment(n: usize, class: &str) -> Change {
    let enrolment = Enrolment {
        enrolment_id: format!("E{n}"),
        student_code: pupil_key(n),
        class_code: class.to_owned(),
        grade: "6".to_owned(),
        enrolment_type: "2".to_owned(),
        student_status: "01".to_owned(),
        status_on: "2026-09-05".to_owned(),
        ..Enrolment::default()
    };
    change(Kind::Enrolment, &format!("E{n}"), Of::Enrolment(enrolment))
}

pub fn health(n: usize) -> Change {
    let health = Health {
        term: "1".to_owned(),
        student_code: pupil_key(n),
        measured_on: "2026-10-01".to_owned(),
        height_cm: 140.5,
        weight_kg: 35.0,
        ..Health::default()
    };
    change(Kind::Health, &format!("1/{}", pupil_key(n)), Of::Health(health))
}

pub fn staff(n: usize) -> Change {
    let staff = Staff {
        staff_code: format!("CB{n:06}"),
        full_name: "Phạm Văn Tài".to_owned(),
        birth_date: "1985-01-02".to_owned(),
        sex: "1".to_owned(),
        staff_status: "1".to_owned(),
        staff_group: "2".to_owned(),
        staff_type: "01".to_owned(),
        ..Staff::default()
    };
    change(Kind::Staff, &format!("CB{n:06}"), Of::Staff(staff))
}

pub fn result(n: usize) -> Change {
    let result = TermResult {
        term: "1".to_owned(),
        student_code: pupil_key(n),
        class_code: "6A1".to_owned(),
        subject_scores: vec![SubjectScore {
            subject: "TOAN".to_owned(),
            score: Some(8.5),
            ..SubjectScore::default()
        }],
        ..TermResult::default()
    };
    change(Kind::TermResult, &format!("1/{}", pupil_key(n)), Of::TermResult(result))
}

pub fn room(code: &str) -> facility::Change {
    let room = Room {
        room_code: code.to_owned(),
        name: format!("Phòng {code}"),
        room_type: "01".to_owned(),
        campus_code: "00".to_owned(),
        area_m2: 48.5,
        building_grade: Some("1".to_owned()),
        capacity: Some(45),
        meets_standard: Some(true),
    };
    let record = facility::Record { record: Some(facility::record::Record::Room(room)) };
    facility::Change { header: Some(header(Kind::Room, code, 1)), record: Some(record) }
}

/// A school with a campus, `classes` classes and `pupils` pupils spread over them, each enrolled and measured.
pub fn school_with(classes: usize, pupils: usize) -> Vec<Change> {
    let mut out = vec![school(), campus("D1")];
    let code = |n: usize| format!("6A{}", n % classes + 1);
    out.extend((0..classes).map(|n| class(&code(n))));
    for n in 0..pupils {
        out.extend([pupil(n), enrolment(n, &code(n)), health(n)]);
    }
    out
}

/// The same records with one pupil's name changed.
pub fn renamed(mut records: Vec<Change>, n: usize, name: &str) -> Vec<Change> {
    for change in &mut records {
        if let Some(Record { record: Some(Of::Pupil(pupil)) }) = &mut change.record
            && pupil.student_code == pupil_key(n)
        {
            pupil.full_name = name.to_owned();
            change.header.as_mut().unwrap().version += 1;
        }
    }
    records
}
