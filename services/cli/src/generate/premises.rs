//! The school itself and its campuses.
use super::chance::{Chance, happens, pick, pick_weighted};
use super::plan::School as Plan;
use super::school::campus_count;
use super::settings::Figures;
use eduhub_proto::common::v1::Level;
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
        area: Some(if plan.commune.starts_with("Phường") { "02" } else { "03" }.into()),
        area_m2: (plan.level() != Level::LowerSecondary).then(|| f64::from(rng.random_range(20..=180) * 100)),
        has_internet: Some(true),
        has_grid_power: Some(true),
        has_clean_water: Some(true),
        has_sanitation: Some(true),
        uses_computers: Some(true),
        has_party_cell: Some(!plan.independent_group),
        accreditation_level: Some(pick_weighted(rng, &[(2, 0.6), (3, 0.3), (1, 0.1)])),
        ..of_level(rng, plan)
    }
}

/// What the annex asks of schools of this level.
fn of_level(rng: &mut Chance, plan: &Plan) -> School {
    let general = matches!(plan.level(), Level::Primary | Level::LowerSecondary | Level::UpperSecondary);
    if plan.level() == Level::Continuing {
        return School {
            centre_type: Some("16".into()),
            is_gdtx_centre: Some(false),
            is_gdnn_gdtx_centre: Some(true),
            teaches_language_skills: Some(happens(rng, 0.6)),
            teaches_it_skills: Some(happens(rng, 0.8)),
            ..School::default()
        };
    }
    School {
        national_standard: Some(happens(rng, 0.96)),
        is_international: Some(false),
        has_disabled_students: Some(happens(rng, 0.7)),
        has_day_boarders: Some(matches!(plan.level(), Level::Preschool | Level::Primary)),
        in_specially_difficult_area: Some(false),
        two_sessions_per_day: Some(matches!(plan.level(), Level::Preschool | Level::Primary)),
        school_grade_rank: Some(pick_weighted(rng, &[("1", 0.3), ("2", 0.5), ("3", 0.2)]).into()),
        hand_hygiene_programme: Some(true),
        school_type: general.then(|| "07".to_owned()),
        has_boarding_students: general.then_some(false),
        meets_minimum_quality: general.then_some(true),
        minimum_teaching_equipment: general.then(|| happens(rng, 0.9)),
        has_school_counselling: general.then(|| happens(rng, 0.8)),
        ..School::default()
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
            commune_code: Some(plan.commune_code.clone()),
            province_code: Some(plan.province_code.clone()),
            ..Campus::default()
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
