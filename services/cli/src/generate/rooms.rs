//! Rooms of a school.
use super::chance::{Chance, happens, normal, pick_weighted};
use super::settings::{Institution, Settings};
use eduhub_proto::facility::v1::Room;

/// Rooms beside the classrooms with their type (D.13) and area; the first five everywhere, the others in larger schools.
const OTHERS: [(&str, &str, f64); 9] = [
    ("HT", "16", 24.0),
    ("YT", "13", 24.0),
    ("HD", "15", 54.0),
    ("TV", "11", 72.0),
    ("TB", "12", 54.0),
    ("TH", "05", 60.0),
    ("NN", "06", 60.0),
    ("AN", "08", 60.0),
    ("DN", "10", 240.0),
];
const NAMES: [&str; 9] = [
    "Phòng Hiệu trưởng",
    "Phòng Y tế",
    "Phòng Hội đồng",
    "Thư viện",
    "Phòng Thiết bị",
    "Phòng Tin học",
    "Phòng Ngoại ngữ",
    "Phòng Âm nhạc",
    "Nhà đa năng",
];

/// The rooms. Classrooms come first and follow the classes over the campuses.
pub fn rooms(
    rng: &mut Chance,
    settings: &Settings,
    kind: Institution,
    class_campuses: &[String],
) -> Vec<Room> {
    let (per_class, poor) = settings.classrooms;
    let classrooms = (class_campuses.len() as f64 * per_class).ceil() as usize;
    let mut out = Vec::with_capacity(classrooms + OTHERS.len());
    for i in 0..classrooms {
        let campus = class_campuses.get(i).or(class_campuses.first());
        let area = normal(rng, if kind == Institution::Preschool { 58.0 } else { 50.0 }, 5.0).round();
        out.push(room(
            rng,
            poor,
            &format!("P{:03}", 101 + i),
            &format!("Phòng học {}", i + 1),
            ("01", area),
            campus,
        ));
    }
    let others = if class_campuses.len() >= 12 { OTHERS.len() } else { 5 };
    let main = class_campuses.first();
    for ((code, kind, area), name) in OTHERS.iter().zip(NAMES).take(others) {
        out.push(room(rng, poor, code, name, (kind, *area), main));
    }
    if kind == Institution::Preschool {
        out.push(room(rng, poor, "BEP", "Bếp ăn", ("21", 80.0), main));
    }
    out
}

fn room(
    rng: &mut Chance,
    poor: f64,
    code: &str,
    name: &str,
    (kind, area): (&str, f64),
    campus: Option<&String>,
) -> Room {
    let grade = if happens(rng, poor) {
        pick_weighted(rng, &[("3", 0.6), ("4", 0.4)])
    } else {
        pick_weighted(rng, &[("1", 0.85), ("2", 0.15)])
    };
    Room {
        room_code: code.to_owned(),
        name: name.to_owned(),
        room_type: kind.to_owned(),
        campus_code: campus.cloned().unwrap_or_else(|| "DT01".to_owned()),
        area_m2: area,
        building_grade: Some(grade.to_owned()),
        capacity: (kind == "01").then_some(45),
        meets_standard: Some(matches!(grade, "1" | "2")),
    }
}
