//! Sound records, made by hand; tests break single fields.
use eduhub_proto::{
    common::v1::{Kind, Withdrawal},
    registry::v1::{
        Campus, Class, Enrolment, Health, Pupil, Record, School, Staff, SubjectScore, TermResult, record,
    },
};

pub trait Wrap {
    fn wrap(self) -> Record;
}

macro_rules! wrap {
    ($($kind:ident)*) => {$(
        impl Wrap for $kind {
            fn wrap(self) -> Record {
                Record { record: Some(record::Record::$kind(self)) }
            }
        }
    )*};
}
wrap!(School Campus Class Pupil Staff Enrolment TermResult Health);

/// Code of the pupil number `n`.
pub fn code(n: u32) -> String {
    format!("HS{n:06}")
}

/// A personal ID of a girl born 2015, registered in Ninh Bình; different for each `n` below a million.
pub fn personal_id(n: u32) -> String {
    format!("037315{n:06}")
}

/// A pupil without any finding.
pub fn pupil(n: u32) -> Pupil {
    Pupil {
        student_code: code(n),
        full_name: "Nguyễn Thị Hương".into(),
        birth_date: "2015-03-04".into(),
        sex: "2".into(),
        personal_id: Some(personal_id(n)),
        ethnicity: Some("01".into()),
        nationality: Some("VN".into()),
        province_code: Some("37".into()),
        commune_code: Some("14329".into()),
        birth_place: Some("Ninh Bình".into()),
        contact_phone: Some("0912345678".into()),
        ..Pupil::default()
    }
}

pub fn campus() -> Campus {
    Campus {
        campus_code: "CS1".into(),
        name: "Điểm trường chính".into(),
        address_line: Some("Đường Lê Hồng Phong".into()),
        distance_to_main_km: Some(0.0),
        area_m2: Some(5000.0),
    }
}

/// A class at [`campus`].
pub fn class(code: &str) -> Class {
    Class {
        class_code: code.into(),
        name: code.into(),
        grade: "6".into(),
        campus_code: Some("CS1".into()),
        homeroom_teacher_code: Some("GV000001".into()),
        ..Class::default()
    }
}

/// Enrolment of the pupil number `n` in a class.
pub fn enrolment(n: u32, class: &str) -> Enrolment {
    Enrolment {
        enrolment_id: format!("QT{n:06}"),
        student_code: code(n),
        class_code: class.into(),
        grade: "6".into(),
        enrolment_type: "1".into(),
        student_status: "01".into(),
        status_on: "2026-09-05".into(),
        dropout_reason: None,
    }
}

pub fn staff(n: u32) -> Staff {
    Staff {
        staff_code: format!("GV{n:06}"),
        full_name: "Trần Văn Minh".into(),
        birth_date: "1985-07-09".into(),
        sex: "1".into(),
        personal_id: Some(format!("037085{n:06}")),
        staff_status: "1".into(),
        staff_group: "2".into(),
        staff_type: "28".into(),
        contract_type: "1".into(),
        qualification_level: "03".into(),
        subject_taught: Some("TOC".into()),
        mobile_phone: "0912345678".into(),
        email: "minh@truong.edu.vn".into(),
        recruited_on: Some("2010-08-15".into()),
        ethnicity: Some("01".into()),
        religion: None,
    }
}

pub fn term_result(n: u32, class: &str) -> TermResult {
    TermResult {
        term: "1".into(),
        student_code: code(n),
        class_code: class.into(),
        learning_rating: Some("2".into()),
        conduct: Some("1".into()),
        primary_result: None,
        days_absent: Some(2),
        subject_scores: vec![SubjectScore { subject: "TOC".into(), score: Some(7.5), level: None }],
    }
}

pub fn health(n: u32) -> Health {
    Health {
        term: "1".into(),
        student_code: code(n),
        measured_on: "2026-09-20".into(),
        height_cm: 145.5,
        weight_kg: 38.0,
        blood_group: Some("O".into()),
    }
}

pub fn school(code: &str) -> School {
    School {
        school_code: code.into(),
        name: "Trường THCS Hoa Lư".into(),
        level_group: "03".into(),
        province_code: "37".into(),
        commune_code: "14329".into(),
        address_line: Some("Đường Lê Hồng Phong".into()),
        ownership: Some("1".into()),
        principal_name: "Phạm Thị Lan".into(),
        principal_phone: "0912345678".into(),
        founded_on: Some("1975-09-05".into()),
        has_internet: Some(true),
        has_grid_power: Some(true),
        has_clean_water: Some(true),
        has_sanitation: Some(true),
        ..School::default()
    }
}

/// Campus, class 6A1, and pupils with their enrolments.
pub fn small_school(pupils: std::ops::Range<u32>) -> Vec<Record> {
    let mut all = vec![campus().wrap(), class("6A1").wrap()];
    for n in pupils {
        all.extend([pupil(n).wrap(), enrolment(n, "6A1").wrap()]);
    }
    all
}

pub fn withdrawal(kind: Kind, key: &str) -> Withdrawal {
    Withdrawal { kind: kind as i32, record_key: key.into() }
}
