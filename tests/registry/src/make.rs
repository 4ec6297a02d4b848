//! Sound records, made by hand; tests break single fields.
use eduhub_proto::{
    common::v1::{Kind, Withdrawal},
    registry::v1::{
        Attendance, Campus, Class, Enrolment, FreeCandidate, Graduation, Health, Pupil, Record, Retake,
        School, Staff, SubjectScore, TermResult, record,
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
wrap!(School Campus Class Pupil Staff Enrolment TermResult Health Attendance Retake Graduation FreeCandidate);

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
        area: Some("3".into()),
        poor_household: Some(false),
        disabled_not_assessed: Some(false),
        studies_two_sessions: Some(false),
        father_ethnic_minority: Some(false),
        mother_ethnic_minority: Some(false),
        from_difficult_area: Some(false),
        tuition_reduced: Some(false),
        study_cost_support: Some(false),
        day_boarding_type: Some("0".into()),
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
        ..Campus::default()
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
        ..Enrolment::default()
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
        province_code: Some("37".into()),
        commune_code: Some("14329".into()),
        is_party_member: Some(true),
        is_youth_union_member: Some(false),
        social_insurance_no: Some(format!("35{n:08}")),
        recruiting_body: Some("Sở Giáo dục và Đào tạo".into()),
        full_time_youth_union: Some(false),
        education_management_level: Some("0".into()),
        it_level: Some("2".into()),
        public_employee_rating: Some("2".into()),
        ..Staff::default()
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
        grade: Some("6".into()),
        subject_scores: vec![SubjectScore {
            subject: "TOC".into(),
            score: Some(7.5),
            ..SubjectScore::default()
        }],
        ..TermResult::default()
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
        ..Health::default()
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
        area: Some("02".into()),
        school_type: Some("07".into()),
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
