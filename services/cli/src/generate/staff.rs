//! Managers, teachers and other staff of a school.
use super::GenerateError;
use super::chance::{Chance, happens, pick, pick_weighted};
use super::names;
use super::people::{People, Person, Sex, mobile};
use super::settings::{Figures, Institution};
use super::staff_file::{self, Post};
use eduhub_proto::registry::v1::Staff;
use rand::Rng;

/// A member of staff with the true person behind.
pub struct Member {
    /// The record.
    pub record: Staff,
    /// The person.
    pub person: Person,
}

/// Staff of a school: managers first (the head is the first), then teachers, then others.
///
/// # Errors
/// [`GenerateError::Numbers`].
pub fn staff(
    rng: &mut Chance,
    people: &mut People<'_>,
    figures: &Figures,
    classes: usize,
    independent: bool,
    school_year: i32,
) -> Result<Vec<Member>, GenerateError> {
    let teachers =
        (classes as f64 * figures.teachers_per_class * people.settings.teachers_in_post).round() as usize;
    let (managers, others) =
        if independent { (1, 1) } else { (rng.random_range(2..=3), rng.random_range(3..=6)) };
    let jobs = std::iter::empty()
        .chain((0..managers).map(|i| manager(figures.institution, i)))
        .chain((0..teachers.max(classes)).map(|_| teacher(figures.institution)))
        .chain((0..others).map(|i| other(figures.institution, i)));
    jobs.map(|job| member(rng, people, figures.institution, job, school_year)).collect()
}

/// Group, type (D.10) and share of women of a post.
type Job = (&'static str, &'static str, f64);

fn manager(institution: Institution, i: usize) -> Job {
    match (institution, i) {
        (Institution::Continuing, 0) => ("1", "05", 0.3),
        (Institution::Continuing, _) => ("1", "06", 0.3),
        (Institution::Preschool, 0) => ("1", "01", 0.99),
        (Institution::Preschool, _) => ("1", "02", 0.99),
        (_, 0) => ("1", "01", 0.4),
        _ => ("1", "02", 0.4),
    }
}

fn teacher(institution: Institution) -> Job {
    match institution {
        Institution::Preschool => ("2", "30", 0.995),
        Institution::Primary => ("2", "29", 0.8),
        Institution::LowerSecondary | Institution::InterLevel => ("2", "28", 0.68),
        Institution::UpperSecondary | Institution::Continuing => ("2", "27", 0.62),
    }
}

fn other(institution: Institution, i: usize) -> Job {
    const POSTS: [Job; 6] = [
        ("3", "15", 0.9),
        ("3", "11", 0.9),
        ("3", "17", 0.05),
        ("3", "16", 0.9),
        ("3", "09", 0.9),
        ("3", "10", 0.5),
    ];
    if institution == Institution::Preschool && i >= 3 { ("3", "20", 0.95) } else { POSTS[i % POSTS.len()] }
}

fn member(
    rng: &mut Chance,
    people: &mut People<'_>,
    institution: Institution,
    (group, kind, women): Job,
    school_year: i32,
) -> Result<Member, GenerateError> {
    let sex = if happens(rng, women) { Sex::Female } else { Sex::Male };
    let age = if group == "1" { rng.random_range(38..=59) } else { rng.random_range(24..=58) };
    let born = school_year - age;
    let person = people.adult(rng, sex, born)?;
    let staff_code = people.numbers.staff_code();
    let recruited = rng.random_range(born + 22..=school_year - 1);
    let (contract, qualification) = match kind {
        "17" | "20" => ("2", "06"),
        _ if group == "3" => ("1", pick_weighted(rng, &[("05", 0.3), ("04", 0.4), ("03", 0.3)])),
        _ => (
            pick_weighted(rng, &[("1", 0.85), ("7", 0.1), ("3", 0.05)]),
            pick_weighted(rng, &[("03", 0.62), ("16", 0.2), ("02", 0.1), ("04", 0.08)]),
        ),
    };
    let faith = if people.commune.coast() { 0.45 } else { 0.08 };
    let mut record = Staff {
        email: email(&person.full_name, &staff_code),
        staff_code,
        full_name: person.full_name.clone(),
        birth_date: person.born.to_string(),
        sex: sex.code().to_owned(),
        personal_id: Some(person.personal_id.clone()),
        staff_status: "1".into(),
        staff_group: group.into(),
        staff_type: kind.into(),
        contract_type: contract.into(),
        qualification_level: qualification.into(),
        subject_taught: (group == "2").then(|| subject(rng, institution)).flatten().map(str::to_owned),
        mobile_phone: mobile(rng),
        recruited_on: Some(format!("{recruited}-{:02}-01", rng.random_range(1..=12))),
        ethnicity: Some(person.ethnicity.to_owned()),
        religion: Some(pick_weighted(rng, &[("02", faith), ("01", 0.05), ("00", 0.95 - faith)]).to_owned()),
        ..Staff::default()
    };
    let level = institution.level();
    let commune = people.commune;
    let post = Post { level, group, kind, born, recruited, school_year, commune };
    staff_file::complete(rng, &mut record, post);
    Ok(Member { record, person })
}

fn subject(rng: &mut Chance, institution: Institution) -> Option<&'static str> {
    match institution {
        Institution::Preschool | Institution::Primary => None,
        Institution::LowerSecondary | Institution::InterLevel => {
            Some(*pick(rng, &["TOC", "TVT", "TAH", "KHTN", "LSDL", "GCD", "THC", "CNE", "TDC", "ANC", "MTT"]))
        }
        _ => Some(*pick(
            rng,
            &["TOC", "TVT", "TAH", "VLY", "HHC", "SHC", "LSU", "DLY", "KTPL", "THC", "TDC", "GDQPAN"],
        )),
    }
}

/// Official address: given name, initials, number.
fn email(name: &str, code: &str) -> String {
    let plain = names::ascii(name);
    let mut words: Vec<&str> = plain.split(' ').collect();
    let given = words.pop().unwrap_or_default();
    let initials: String = words.iter().filter_map(|w| w.chars().next()).collect();
    format!("{given}{initials}.{}@ninhbinh.edu.vn", &code[4..])
}
