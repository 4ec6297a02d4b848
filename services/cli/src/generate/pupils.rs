//! Pupils of a class with their enrolments, measurements and results.
use super::GenerateError;
use super::chance::{Chance, happens, pick, pick_weighted};
use super::classes::age;
use super::names;
use super::people::{People, Person, Sex, mobile};
use super::profile::{self, Seat};
use super::settings::Settings;
use eduhub_proto::common::v1::Level;
use eduhub_proto::registry::v1::{Enrolment, Pupil};
use rand::Rng;
use time::{Date, Duration, Month};

/// Days of the school year that the records speak of.
#[derive(Clone, Copy)]
pub struct Calendar {
    /// First year.
    pub school_year: i32,
    /// 5 September, opening day.
    pub opening: Date,
}

impl Calendar {
    /// Calendar of a school year.
    ///
    /// # Errors
    /// [`GenerateError::Date`] for a year that no calendar has.
    pub fn new(school_year: i32) -> Result<Self, GenerateError> {
        let opening =
            Date::from_calendar_date(school_year, Month::September, 5).map_err(|_| GenerateError::Date)?;
        Ok(Self { school_year, opening })
    }

    /// A day of September or October after the opening.
    pub fn autumn_day(&self, rng: &mut Chance) -> Date {
        self.opening + Duration::days(rng.random_range(5..=50))
    }
}

/// Makes the true person of a learner of this grade.
///
/// # Errors
/// [`GenerateError::Numbers`].
pub fn person(
    rng: &mut Chance,
    people: &mut People<'_>,
    calendar: Calendar,
    grade: u8,
    continuing: bool,
) -> Result<Person, GenerateError> {
    let (one, two) = people.settings.older;
    let older = match rng.random::<f64>() {
        _ if continuing => pick_weighted(rng, &[(0, 0.8), (1, 0.12), (2, 0.05), (3, 0.03)]),
        x if grade >= 14 || x >= one + two => 0,
        x if x < two => 2,
        _ => 1,
    };
    people.child(rng, calendar.school_year - age(grade) - older, calendar.opening)
}

/// The sound record of a learner.
pub fn pupil(rng: &mut Chance, people: &mut People<'_>, person: &Person, seat: Seat) -> Pupil {
    let s = people.settings;
    let family = person.full_name.split(' ').next().unwrap_or_default();
    let orphan = happens(rng, s.orphan);
    let poor = happens(rng, s.poor);
    let policy =
        if poor { Some("05") } else { happens(rng, s.policy - s.poor).then(|| policy_group(rng, person)) };
    let mother = names::surname(rng, false);
    let mut pupil = Pupil {
        student_code: people.numbers.student_code(),
        full_name: person.full_name.clone(),
        birth_date: person.born.to_string(),
        sex: person.sex.code().to_owned(),
        personal_id: Some(person.personal_id.clone()),
        ethnicity: Some(person.ethnicity.to_owned()),
        nationality: Some("VN".into()),
        province_code: Some("37".into()),
        commune_code: Some(people.commune.code.to_owned()),
        birth_place: Some(person.birth_place.clone()),
        disability_type: happens(rng, s.disability)
            .then(|| (*pick(rng, &["01", "02", "03", "04", "05", "06"])).to_owned()),
        policy_group: policy.map(str::to_owned),
        // The annex does not ask for it at centres.
        poor_household: (seat.level != Level::Continuing).then_some(poor),
        father_name: (!orphan).then(|| names::adult(rng, family, Sex::Male)),
        mother_name: (!orphan).then(|| names::adult(rng, mother, Sex::Female)),
        guardian_name: orphan.then(|| names::adult(rng, mother, Sex::Female)),
        contact_phone: Some(mobile(rng)),
        ..Pupil::default()
    };
    profile::complete(rng, &mut pupil, person, people.commune, seat);
    pupil
}

fn policy_group(rng: &mut Chance, person: &Person) -> &'static str {
    const GROUPS: [&str; 4] = ["02", "03", "04", "06"];
    if person.ethnicity == "06" && happens(rng, 0.5) {
        "07"
    } else {
        GROUPS[rng.random_range(0..GROUPS.len())]
    }
}

/// Enrolment of a learner in its class; the status list is D.8.
pub fn enrolment(
    rng: &mut Chance,
    settings: &Settings,
    calendar: Calendar,
    student_code: &str,
    (class_code, grade): (&str, u8),
) -> Enrolment {
    let [moved_in, moved_out, dropped, back] = settings.moves;
    let stays = 1.0 - settings.moves.iter().sum::<f64>();
    let status = pick_weighted(
        rng,
        &[("01", stays), ("02", moved_in), ("04", moved_out), ("05", dropped), ("03", back)],
    );
    let kind = match status {
        "02" => "3",
        _ if matches!(grade, 1 | 6 | 10 | 14..=16) => "1",
        _ => "2",
    };
    let since = if status == "01" { calendar.opening } else { calendar.autumn_day(rng) };
    let moved = matches!(status, "02" | "04");
    Enrolment {
        enrolment_id: uuid::Builder::from_random_bytes(rng.random()).into_uuid().to_string(),
        student_code: student_code.to_owned(),
        class_code: class_code.to_owned(),
        grade: grade.to_string(),
        enrolment_type: kind.into(),
        student_status: status.into(),
        status_on: since.to_string(),
        dropout_reason: (status == "05")
            .then(|| pick_weighted(rng, &[("01", 0.4), ("02", 0.2), ("08", 0.3), ("06", 0.1)]).to_owned()),
        term_of_event: (status != "01").then(|| "1".to_owned()),
        from_school: (status == "02").then(|| elsewhere(rng)),
        to_school: (status == "04").then(|| elsewhere(rng)),
        decision_no: moved.then(|| format!("{}/GT-CT", rng.random_range(1..400))),
        decision_on: moved.then(|| since.to_string()),
        ..Enrolment::default()
    }
}

/// Code of a school of another province: so far no pair of events within the run.
fn elsewhere(rng: &mut Chance) -> String {
    let province = *pick(rng, &["01", "31", "33", "38"]);
    format!("{province}{:05}{:04}", rng.random_range(4..30_000), rng.random_range(1..20))
}

/// True when the status of an enrolment means that the learner sits in class (D.8).
pub fn in_class(enrolment: &Enrolment) -> bool {
    matches!(enrolment.student_status.as_str(), "01" | "02" | "03")
}
