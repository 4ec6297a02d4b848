//! Pupils and staff.
use super::{Found, Judge, Rule, years};
use eduhub_proto::registry::v1::{Pupil, Staff};

/// Least difference between the birth years of a child and a parent (C.4).
const PARENT_YEARS: i32 = 14;
/// Age from which one is employed (C.5).
const ADULT: i32 = 18;

pub fn pupil(record: &Pupil, _: &Judge<'_>, found: &mut Found<'_>) {
    if record.tuition_exempt == Some(true) && record.tuition_reduced == Some(true) {
        found.at(Rule::Tuition, "tuition_reduced");
    }
    if let Some(born) = years::year(&record.birth_date) {
        let too_young = |parent: Option<i32>| parent.is_some_and(|year| year > born - PARENT_YEARS);
        if too_young(record.father_birth_year) {
            found.at(Rule::ParentAge, "father_birth_year");
        }
        if too_young(record.mother_birth_year) {
            found.at(Rule::ParentAge, "mother_birth_year");
        }
    }
    if record.disability_type.is_none() {
        if record.disabled_not_assessed == Some(true) {
            found.at(Rule::Disability, "disabled_not_assessed");
        }
        if record.disability_degree.is_some() {
            found.at(Rule::Disability, "disability_degree");
        }
    }
    pupil_dates(record, found);
}

fn pupil_dates(record: &Pupil, found: &mut Found<'_>) {
    let born = Some(record.birth_date.as_str());
    if years::reversed(born, record.id_issued_on.as_deref()) {
        found.at(Rule::PupilDates, "id_issued_on");
    }
    for (i, award) in record.awards.iter().enumerate() {
        if years::reversed(born, award.awarded_on.as_deref()) {
            found.at(Rule::PupilDates, format!("awards[{i}].awarded_on"));
        }
    }
    for (i, incident) in record.violence_incidents.iter().enumerate() {
        if years::reversed(born, incident.happened_on.as_deref()) {
            found.at(Rule::PupilDates, format!("violence_incidents[{i}].happened_on"));
        }
    }
}

pub fn staff(record: &Staff, judge: &Judge<'_>, found: &mut Found<'_>) {
    let Some(of_age) = years::birthday(&record.birth_date, ADULT) else { return };
    if of_age > years::iso(judge.today) {
        // Everything else would follow from the same date.
        return found.at(Rule::StaffAge, "birth_date");
    }
    let of_age_year = years::year(&of_age);
    let of_age = Some(of_age.as_str());
    if years::reversed(of_age, record.recruited_on.as_deref()) {
        found.at(Rule::StaffRecruited, "recruited_on");
    }
    if years::reversed(of_age, record.moved_in_on.as_deref()) {
        found.at(Rule::StaffDates, "moved_in_on");
    }
    if years::reversed(of_age, record.salary_from.as_deref()) {
        found.at(Rule::StaffDates, "salary_from");
    }
    let joined = record.joined_school_year;
    if joined.zip(of_age_year).is_some_and(|(joined, year)| joined < year || joined > judge.today.year()) {
        found.at(Rule::StaffDates, "joined_school_year");
    }
    for (i, training) in record.trainings.iter().enumerate() {
        if years::reversed(training.from_date.as_deref(), training.to_date.as_deref()) {
            found.at(Rule::StaffDates, format!("trainings[{i}].to_date"));
        }
    }
}
