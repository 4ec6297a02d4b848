//! What a registration must be.
use crate::code_list::mistake;
use eduhub_proto::{
    common::v1::Level,
    registry::v1::{CampusEntry, RowMistake, SchoolEntry},
};
use std::collections::{HashMap, HashSet};

/// Most schools of one request.
pub const MOST_SCHOOLS: usize = 2_000;
/// Most campuses of one request.
pub const MOST_CAMPUSES: usize = 5_000;

/// A registered school.
#[derive(Debug, Clone, PartialEq)]
pub struct School(pub SchoolEntry);

impl School {
    /// As it goes over the wire.
    pub fn into_entry(self) -> SchoolEntry {
        self.0
    }
}

/// What the database knows of the places and codes that registrations name.
#[derive(Debug, Default)]
pub struct Known {
    /// Province of each known commune.
    pub communes: HashMap<String, String>,
    /// Codes of ownership.
    pub ownerships: HashSet<String>,
    /// Schools that are registered already, of those that campuses name, with their provinces.
    pub schools: HashMap<String, String>,
}

/// The levels as they are stored: each once, in their order, the main one included; without a main one the first is it.
pub fn with_levels(mut school: SchoolEntry) -> SchoolEntry {
    school.levels.push(school.level);
    school.levels.retain(|l| *l != Level::Unspecified as i32);
    school.levels.sort_unstable();
    school.levels.dedup();
    if school.level == Level::Unspecified as i32 {
        school.level = school.levels.first().copied().unwrap_or_default();
    }
    school
}

/// Every mistake in a list of schools.
pub fn check_schools(schools: &[SchoolEntry], known: &Known) -> Vec<RowMistake> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    for (row, s) in schools.iter().enumerate() {
        let mut wrong =
            |field: &str, value: &str, vi: &str, en: &str| found.push(mistake(row, field, value, vi, en));
        if !is_code(&s.school_code, 8) {
            wrong(
                "school_code",
                &s.school_code,
                "Mã trường gồm 8 đến 15 chữ số, chữ in hoa",
                "8 to 15 of 0-9, A-Z",
            );
        } else if !seen.insert(&s.school_code) {
            wrong("school_code", &s.school_code, "Mã trường lặp lại", "stands twice in the list");
        }
        if !is_name(&s.name) {
            wrong("name", &s.name, "Tên phải có 1 đến 200 ký tự", "1 to 200 characters");
        }
        let unknown = |l: &i32| Level::try_from(*l).unwrap_or_default() == Level::Unspecified;
        if s.levels.is_empty() || s.levels.iter().any(unknown) || unknown(&s.level) {
            wrong("level", &s.level.to_string(), "Cấp học không hợp lệ", "unknown level");
        }
        if known.communes.get(&s.commune_code) != Some(&s.province_code) {
            let vi = format!("Không phải xã, phường của tỉnh {}", s.province_code);
            let en = format!("{} is no commune of province {}", s.commune_code, s.province_code);
            wrong("commune_code", &s.commune_code, &vi, &en);
        }
        if !s.ownership.is_empty() && !known.ownerships.contains(&s.ownership) {
            let vi = "Mã không có trong DM_LOAI_HINH_TRUONG_PT";
            wrong("ownership", &s.ownership, vi, "not in DM_LOAI_HINH_TRUONG_PT");
        }
    }
    found
}

/// Every mistake in a list of campuses; `schools` are those of the same request.
pub fn check_campuses(campuses: &[CampusEntry], schools: &[SchoolEntry], known: &Known) -> Vec<RowMistake> {
    let new: HashMap<&str, &str> =
        schools.iter().map(|s| (s.school_code.as_str(), s.province_code.as_str())).collect();
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    for (row, c) in campuses.iter().enumerate() {
        let mut wrong =
            |field: &str, value: &str, vi: &str, en: &str| found.push(mistake(row, field, value, vi, en));
        let province = new
            .get(c.school_code.as_str())
            .copied()
            .or_else(|| known.schools.get(&c.school_code).map(String::as_str));
        if province.is_none() {
            wrong("school_code", &c.school_code, "Trường chưa đăng ký", "school is not registered");
        }
        if !is_code(&c.campus_code, 1) {
            wrong(
                "campus_code",
                &c.campus_code,
                "Mã điểm trường gồm 1 đến 15 chữ số, chữ in hoa",
                "1 to 15 of 0-9, A-Z",
            );
        } else if !seen.insert((&c.school_code, &c.campus_code)) {
            wrong(
                "campus_code",
                &c.campus_code,
                "Mã điểm trường lặp lại trong trường",
                "stands twice in its school",
            );
        }
        if !is_name(&c.name) {
            wrong("name", &c.name, "Tên phải có 1 đến 200 ký tự", "1 to 200 characters");
        }
        let place = known.communes.get(&c.commune_code).map(String::as_str);
        if place.is_none() || (province.is_some() && place != province) {
            let vi = "Không phải xã, phường của tỉnh nơi trường đóng";
            wrong("commune_code", &c.commune_code, vi, "no commune of the school's province");
        }
        if c.address_line.chars().count() > 250 {
            wrong("address_line", &c.address_line, "Không quá 250 ký tự", "at most 250 characters");
        }
    }
    found
}

fn is_code(code: &str, least: usize) -> bool {
    (least..=15).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

fn is_name(name: &str) -> bool {
    let name = name.trim();
    !name.is_empty() && name.chars().count() <= 200
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
