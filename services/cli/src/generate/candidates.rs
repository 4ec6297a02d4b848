//! Free candidates of the graduation exam: school leavers who sign up again at their old school.
use super::GenerateError;
use super::chance::{Chance, happens, pick};
use super::people::{Citizen, People};
use super::settings::Institution;
use eduhub_proto::registry::v1::FreeCandidate;
use rand::Rng;

/// Candidates for so many learners of the last grade.
///
/// # Errors
/// [`GenerateError::Numbers`].
pub fn candidates(
    rng: &mut Chance,
    people: &mut People<'_>,
    institution: Institution,
    last_grade: usize,
    school_year: i32,
) -> Result<Vec<(FreeCandidate, Citizen)>, GenerateError> {
    if !matches!(institution, Institution::UpperSecondary | Institution::Continuing) {
        return Ok(vec![]);
    }
    let count = (0..last_grade).filter(|_| happens(rng, 0.01)).count();
    (0..count).map(|_| candidate(rng, people, school_year)).collect()
}

fn candidate(
    rng: &mut Chance,
    people: &mut People<'_>,
    school_year: i32,
) -> Result<(FreeCandidate, Citizen), GenerateError> {
    let born = school_year - rng.random_range(18..=22);
    let person = people.child(rng, born, time::Date::MAX)?;
    let candidate = FreeCandidate {
        student_code: people.numbers.student_code(),
        full_name: person.full_name.clone(),
        grade: Some("12".into()),
        birth_date: Some(person.born.to_string()),
        sex: Some(person.sex.code().to_owned()),
        ethnicity: Some(person.ethnicity.to_owned()),
        birth_place: Some(person.birth_place.clone()),
        personal_id: Some(person.personal_id.clone()),
        note: Some((*pick(rng, &["Thi lại để xét tuyển đại học", "Chưa tốt nghiệp năm trước"])).to_owned()),
        ..FreeCandidate::default()
    };
    Ok((candidate, person.citizen()))
}
