//! The school itself and its campuses.
use super::chance::{Chance, pick};
use super::plan::School as Plan;
use super::school::campus_count;
use super::settings::Figures;
use eduhub_proto::registry::v1::{Campus, School, Staff};
use rand::Rng;

const STREETS: [&str; 10] = [
    "Trần Hưng Đạo",
    "Lê Đại Hành",
    "Nguyễn Huệ",
    "Quang Trung",
    "30 Tháng 6",
    "Đinh Tiên Hoàng",
    "Lương Văn Tụy",
    "Hải Thượng Lãn Ông",
    "Tràng An",
    "Ngô Gia Tự",
];

/// The school's particulars. The head is the first of the staff.
pub fn school(rng: &mut Chance, plan: &Plan, head: Option<&Staff>) -> School {
    School {
        school_code: plan.school_code.clone(),
        name: plan.name.clone(),
        level_group: format!("{:02}", plan.level() as i32),
        province_code: plan.province_code.clone(),
        commune_code: plan.commune_code.clone(),
        address_line: Some(address(rng, plan)),
        ownership: Some(if plan.independent_group { "3" } else { "1" }.into()),
        // Subscriber numbers do not begin with 0: nobody has this one.
        phone: Some(format!("02290{:06}", plan.index + 1)),
        email: Some(format!("t{}@ninhbinh.edu.vn", plan.school_code)),
        principal_name: head.map(|h| h.full_name.clone()).unwrap_or_default(),
        principal_phone: head.map(|h| h.mobile_phone.clone()).unwrap_or_default(),
        founded_on: Some(format!("{}-09-05", rng.random_range(1955..=2018))),
        has_internet: Some(true),
        has_grid_power: Some(true),
        has_clean_water: Some(true),
        has_sanitation: Some(true),
    }
}

/// The campuses; the first is the main site.
pub fn campuses(rng: &mut Chance, plan: &Plan, figures: &Figures, classes: usize) -> Vec<Campus> {
    let count = if plan.independent_group { 1 } else { campus_count(rng, figures.campuses, classes) };
    (0..count)
        .map(|i| Campus {
            campus_code: format!("DT{:02}", i + 1),
            name: if i == 0 {
                "Điểm trường chính".into()
            } else {
                format!("Điểm trường lẻ số {i}")
            },
            address_line: Some(address(rng, plan)),
            distance_to_main_km: Some(if i == 0 { 0.0 } else { f64::from(rng.random_range(5..=60)) / 10.0 }),
            area_m2: Some(f64::from(rng.random_range(12..=150) * 100) / if i == 0 { 1.0 } else { 4.0 }),
        })
        .collect()
}

fn address(rng: &mut Chance, plan: &Plan) -> String {
    let place = if plan.commune.starts_with("Phường") {
        format!("Số {} đường {}", rng.random_range(1..=250), pick(rng, &STREETS))
    } else {
        format!("Thôn {}", rng.random_range(1..=12))
    };
    format!("{place}, {}, tỉnh Ninh Bình", plan.commune)
}
