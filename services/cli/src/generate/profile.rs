//! What a pupil's record says beyond the person: family, supports, membership, by level of the school (QĐ 4998 HSMN to HSGDTX).
use super::chance::{Chance, happens, pick, pick_weighted};
use super::people::Person;
use super::places::Commune;
use eduhub_proto::common::v1::Level;
use eduhub_proto::registry::v1::{Award, Pupil, ViolenceIncident};
use rand::Rng;
use time::{Date, Duration};

const OCCUPATIONS: [(&str, f64); 9] = [
    ("Công nhân", 34.0),
    ("Làm ruộng", 28.0),
    ("Buôn bán", 12.0),
    ("Tự do", 10.0),
    ("Giáo viên", 4.0),
    ("Cán bộ, công chức", 4.0),
    ("Lái xe", 4.0),
    ("Kinh doanh dịch vụ du lịch", 2.0),
    ("Bộ đội, công an", 2.0),
];
const HOSPITALS: [&str; 5] = [
    "Bệnh viện Sản Nhi tỉnh",
    "Bệnh viện đa khoa tỉnh",
    "Bệnh viện đa khoa khu vực",
    "Trung tâm y tế huyện",
    "Trạm y tế xã",
];
/// Names of the groups that live in the province (D.2).
const GROUPS: [(&str, &str); 7] = [
    ("01", "Kinh"),
    ("02", "Tày"),
    ("03", "Thái"),
    ("04", "Hoa"),
    ("06", "Mường"),
    ("07", "Nùng"),
    ("09", "Dao"),
];
const AWARDS: [&str; 4] = [
    "Giải Nhì học sinh giỏi cấp trường",
    "Học sinh tiêu biểu phong trào Đội",
    "Giải Ba cuộc thi Trạng nguyên Tiếng Việt",
    "Giải Khuyến khích giải Toán cấp xã",
];

/// Where a pupil sits.
#[derive(Clone, Copy)]
pub struct Seat {
    /// Level of the school: it decides which fields the record has.
    pub level: Level,
    /// Grade.
    pub grade: u8,
    /// Number in the class list, from 1.
    pub number: i32,
    /// Opening day of the school year.
    pub opening: Date,
}

impl Seat {
    fn preschool(self) -> bool {
        self.level == Level::Preschool
    }

    /// Levels at which pupils board by day.
    fn boards(self) -> bool {
        matches!(self.level, Level::Preschool | Level::Primary | Level::LowerSecondary)
    }
}

/// Completes the record. Fields that do not exist at the level stay absent.
pub fn complete(rng: &mut Chance, pupil: &mut Pupil, person: &Person, commune: Commune, seat: Seat) {
    let poor = pupil.poor_household == Some(true);
    let minority = person.ethnicity != "01";
    residence(rng, pupil, person, commune);
    family(rng, pupil, person, commune, minority);
    support(rng, pupil, poor, seat);
    study(rng, pupil, seat);
    document(rng, pupil, person, seat);
    if !seat.preschool() {
        school_life(rng, pupil, person, seat);
    }
}

fn residence(rng: &mut Chance, pupil: &mut Pupil, person: &Person, commune: Commune) {
    pupil.birth_place = Some(format!("{}, {}", pick(rng, &HOSPITALS), person.birth_place));
    let area = match (commune.hills(), commune.name.starts_with("Phường")) {
        (true, _) => "1",
        (_, true) => "2",
        _ => "3",
    };
    pupil.area = Some(area.into());
    pupil.from_difficult_area = Some(commune.hills());
}

fn family(rng: &mut Chance, pupil: &mut Pupil, person: &Person, commune: Commune, minority: bool) {
    let work = |rng: &mut Chance| Some(pick_weighted(rng, &OCCUPATIONS).to_owned());
    let year = person.born.year();
    if pupil.father_name.is_some() {
        pupil.father_occupation = work(rng);
        pupil.father_birth_year = Some(year - rng.random_range(21..=42));
        pupil.mother_occupation = work(rng);
        pupil.mother_birth_year = Some(year - rng.random_range(19..=38));
    }
    if pupil.guardian_name.is_some() {
        pupil.guardian_occupation = work(rng);
        pupil.guardian_birth_year = Some(year - rng.random_range(25..=60));
    }
    pupil.father_ethnic_minority = Some(minority && happens(rng, 0.85));
    pupil.mother_ethnic_minority = Some(minority && happens(rng, 0.85));
    let faith = if commune.coast() { 0.4 } else { 0.06 };
    pupil.religion =
        Some(pick_weighted(rng, &[("02", faith), ("01", 0.05), ("00", 0.95 - faith)]).to_owned());
}

fn support(rng: &mut Chance, pupil: &mut Pupil, poor: bool, seat: Seat) {
    // Since 2025 tuition is free up to grade 12 in public schools; learners of centres pay less or nothing when poor.
    let exempt = poor || seat.level != Level::Continuing;
    pupil.tuition_exempt = Some(exempt);
    pupil.tuition_reduced = Some(!exempt && happens(rng, 0.1));
    pupil.study_cost_support = Some(poor);
    if seat.preschool() {
        pupil.lunch_support = Some(poor);
        pupil.newly_enrolled_preschool = Some(matches!(seat.grade, 14..=16));
    } else {
        pupil.housing_support = Some(false);
        pupil.receives_monthly_allowance = Some(poor && happens(rng, 0.3));
        pupil.receives_rice = Some(false);
    }
}

fn study(rng: &mut Chance, pupil: &mut Pupil, seat: Seat) {
    pupil.sort_order = Some(seat.number);
    pupil.disabled_not_assessed = Some(pupil.disability_type.is_some() && happens(rng, 0.3));
    pupil.disability_degree = pupil
        .disability_type
        .as_ref()
        .map(|_| pick_weighted(rng, &[("1", 0.6), ("2", 0.3), ("3", 0.1)]).into());
    let two = seat.preschool() || seat.level == Level::Primary || happens(rng, 0.3);
    if seat.level != Level::Continuing {
        pupil.studies_two_sessions = Some(two);
    }
    if seat.boards() {
        let boards = seat.preschool() || (seat.level == Level::Primary && happens(rng, 0.35));
        pupil.is_day_boarder = Some(boards);
        pupil.day_boarding_type = Some(if boards { "1" } else { "0" }.into());
    }
    if !seat.preschool() {
        pupil.sessions_per_week = Some(if two { "3" } else { "2" }.into());
    }
}

fn document(rng: &mut Chance, pupil: &mut Pupil, person: &Person, seat: Seat) {
    // Identity cards are given from 14 on.
    let fourteen = person.born + Duration::days(14 * 365 + 10);
    if fourteen < seat.opening && happens(rng, 0.7) {
        let span = (seat.opening - fourteen).whole_days();
        pupil.id_issued_on = Some((fourteen + Duration::days(rng.random_range(0..span.max(1)))).to_string());
        pupil.id_issued_at = Some("Cục Cảnh sát quản lý hành chính về trật tự xã hội".into());
    }
}

fn school_life(rng: &mut Chance, pupil: &mut Pupil, person: &Person, seat: Seat) {
    let general = seat.level != Level::Continuing;
    pupil.short_name = person.full_name.rsplit(' ').next().map(str::to_owned);
    pupil.is_pioneer_member = Some(matches!(seat.grade, 3..=9) && happens(rng, 0.95));
    // The annex has it in no table of lower secondary.
    if seat.level != Level::LowerSecondary {
        let name = GROUPS.iter().find(|(code, _)| *code == person.ethnicity);
        pupil.ethnicity_on_birth_certificate = name.map(|(_, name)| (*name).to_owned());
    }
    pupil.repeated_last_year = Some(false);
    pupil.follows_ministry_programme = Some(true);
    if seat.level != Level::Primary {
        pupil.is_youth_union_member = Some(matches!(seat.grade, 9..=12) && happens(rng, 0.5));
    }
    if general {
        pupil.studies_ethnic_language = Some(false);
        pupil.bilingual_study = Some(false);
        pupil.studies_life_skills = Some(happens(rng, 0.6));
        pupil.community_day_boarder = Some(false);
        pupil.community_boarder = Some(false);
        pupil.semi_boarding_ethnic_student = Some(false);
    }
    if seat.level == Level::Primary {
        pupil.attended_kindergarten_5y = Some(happens(rng, 0.995));
        pupil.vietnamese_reinforcement = Some(false);
        pupil.needs_language_support = Some(false);
        pupil.has_ethnic_teaching_assistant = Some(false);
    }
    if happens(rng, 0.02) {
        let on = seat.opening - Duration::days(rng.random_range(100..=250));
        let content = Some((*pick(rng, &AWARDS)).to_owned());
        pupil.awards.push(Award {
            award: Some("01".into()),
            content,
            awarded_on: Some(on.to_string()),
            ..Award::default()
        });
    }
    if matches!(seat.level, Level::Primary | Level::LowerSecondary) && happens(rng, 0.000_5) {
        pupil.violence_incidents.push(incident(rng, seat));
    }
}

fn incident(rng: &mut Chance, seat: Seat) -> ViolenceIncident {
    ViolenceIncident {
        incident: Some("01".into()),
        person_involved: Some((*pick(rng, &["Bị hại", "Người gây ra", "Chứng kiến"])).to_owned()),
        violence_form: Some((*pick(rng, &["Xô xát", "Lời nói", "Trên mạng"])).to_owned()),
        place: Some((*pick(rng, &["Sân trường", "Lớp học", "Ngoài trường"])).to_owned()),
        outcome: Some("Nhắc nhở, mời phụ huynh phối hợp".into()),
        happened_on: Some((seat.opening - Duration::days(rng.random_range(100..=250))).to_string()),
        ..ViolenceIncident::default()
    }
}
