//! What ends a school year: retakes, graduation, free candidates.
use super::{Found, Judge, Rule, assessment, curriculum, years};
use eduhub_proto::registry::v1::{FreeCandidate, Graduation, Retake};

/// Last grades of lower and upper secondary (R-GRAD-1, C.7).
const LAST: [&str; 2] = ["9", "12"];
/// Least age at the exam: three years below that of grade 12 (C.4).
const EXAM_AGE: i32 = 14;

pub fn retake(record: &Retake, judge: &Judge<'_>, found: &mut Found<'_>) {
    let list = ("subject_scores", record.subject_scores.iter().map(|s| s.subject.as_str()));
    curriculum::subjects(Rule::RetakeCurriculum, judge, record.grade.as_deref(), list, found);
    // After the year's teaching and before the new year opens on 5 September.
    if let (Some(on), Some(year)) = (&record.retaken_on, judge.school_year) {
        let summer = (format!("{:04}-05-01", year + 1), format!("{:04}-09-04", year + 1));
        if years::outside(on, summer) {
            found.at(Rule::RetakeDate, "retaken_on");
        }
    }
    // Absences are the year's record's: who is kept back may be kept for them.
    let sufficient =
        |rating: &Option<String>| rating.as_deref().is_none_or(|r| assessment::sufficient(r) != Some(false));
    if record.promoted == Some(true) && !(sufficient(&record.learning_rating) && sufficient(&record.conduct))
    {
        found.expecting(Rule::RetakePromotion, "promoted", &["false"]);
    }
}

pub fn graduation(record: &Graduation, _: &Judge<'_>, found: &mut Found<'_>) {
    let free = record.is_free_candidate == Some(true);
    if record.grade.as_deref().is_some_and(|grade| !LAST.contains(&grade)) {
        found.expecting(Rule::GraduationGrade, "grade", &LAST);
    }
    match &record.class_code {
        // Who says nothing of being a free candidate is told to say it.
        None if record.is_free_candidate == Some(false) => {
            found.at(Rule::GraduationClassMissing, "class_code")
        }
        Some(_) if free => found.at(Rule::GraduationFields, "class_code"),
        _ => {}
    }
    if record.graduation_grade.is_some() && record.graduated == Some(false) {
        found.at(Rule::GraduationFields, "graduation_grade");
    }
}

pub fn free_candidate(record: &FreeCandidate, judge: &Judge<'_>, found: &mut Found<'_>) {
    let born = record.birth_date.as_deref().and_then(years::year);
    let young = born.zip(judge.school_year).is_some_and(|(born, year)| year - born < EXAM_AGE);
    if record.grade.is_some() && young {
        found.at(Rule::CandidateAge, "birth_date");
    }
}
