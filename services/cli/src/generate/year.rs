//! A school year to its end: second term, the year itself, who takes subjects again in August, who graduates.
use super::chance::{Chance, happens, pick_weighted};
use super::marks::{self, Course};
use super::rating::{self, Tenths};
use eduhub_proto::registry::v1::{Enrolment, FreeCandidate, Graduation, Retake, SubjectScore, TermResult};
use rand::Rng;

/// Sessions absent above which nobody is promoted (TT 22 Art 12).
const MOST_ABSENCES: i32 = 45;

/// What a year leaves of a pupil.
#[derive(Default)]
pub struct Year {
    /// Results: of term 1, and of term 2 and the year when it is over.
    pub results: Vec<TermResult>,
    /// What was taken again.
    pub retake: Option<Retake>,
    /// Graduation, without the name.
    pub graduation: Option<Graduation>,
}

/// The year of an enrolled pupil, to its end or to the end of term 1.
pub fn year(rng: &mut Chance, course: Course, enrolment: &Enrolment, school_year: i32, whole: bool) -> Year {
    if course.grade > 12 {
        return preschool(enrolment, course.grade, whole);
    }
    let keyed = |result: TermResult| TermResult {
        student_code: enrolment.student_code.clone(),
        class_code: enrolment.class_code.clone(),
        grade: Some(enrolment.grade.clone()),
        ..result
    };
    let ability = course.ability(rng);
    let first = keyed(marks::of_term(rng, course, ability, "1"));
    if !whole {
        return Year { results: vec![first], ..Year::default() };
    }
    let second = keyed(marks::of_term(rng, course, ability, "2"));
    if course.grade <= 5 {
        let year = keyed(primary(rng, course.grade, &first, &second));
        return Year { results: vec![first, second, year], ..Year::default() };
    }
    let year = keyed(secondary(course.grade, &first, &second));
    let retake = (year.year_outcome.as_deref() == Some("3")).then(|| retake(rng, &year, school_year));
    let passed = retake.as_ref().map_or(year.eligible_for_graduation, |r| r.promoted) == Some(true);
    let graduation = (passed && matches!(course.grade, 9 | 12))
        .then(|| graduation(rng, &year, retake.as_ref(), school_year));
    Year { results: vec![first, second, year], retake, graduation }
}

/// Five-year-olds complete the programme; there are no ratings.
fn preschool(enrolment: &Enrolment, grade: u8, whole: bool) -> Year {
    let completed = TermResult {
        term: "3".into(),
        student_code: enrolment.student_code.clone(),
        class_code: enrolment.class_code.clone(),
        grade: Some(enrolment.grade.clone()),
        completed_preschool_programme: Some(true),
        ..TermResult::default()
    };
    Year { results: if whole && grade == 18 { vec![completed] } else { vec![] }, ..Year::default() }
}

fn absences(first: &TermResult, second: &TermResult) -> i32 {
    first.days_absent.unwrap_or(0) + second.days_absent.unwrap_or(0)
}

/// The year of primary school is what stands at its end (TT 27 Art 9.2).
fn primary(rng: &mut Chance, grade: u8, first: &TermResult, second: &TermResult) -> TermResult {
    let done = second.primary_result.as_deref() != Some("CHT");
    let title = match second.primary_result.as_deref() {
        Some("HTXS") => Some("XS"),
        Some("HTT") if happens(rng, 0.5) => Some("HTT"),
        _ => None,
    };
    TermResult {
        term: "3".into(),
        days_absent: Some(absences(first, second)),
        promoted: Some(done),
        completed_grade: Some(done),
        completed_primary_programme: (grade == 5).then_some(done),
        title: title.map(str::to_owned),
        ..second.clone()
    }
}

fn tenths(score: f64) -> Tenths {
    (score * 10.0).round() as Tenths
}

fn shown(mark: Tenths) -> Option<f64> {
    Some(f64::from(mark) / 10.0)
}

/// A subject over the year: the average of its terms, or, when it is commented, what the second term says (TT 22 Art 9.1).
fn subject(first: &SubjectScore, second: &SubjectScore) -> SubjectScore {
    let average = first.score.zip(second.score).map(|(a, b)| rating::year_average(tenths(a), tenths(b)));
    SubjectScore {
        subject: second.subject.clone(),
        score: average.and_then(shown),
        level: second.level.clone(),
        term1_average: first.score,
        term2_average: second.score,
        ..SubjectScore::default()
    }
}

/// Averages of the scored subjects, and how many of the commented ones are not passed.
fn judged(scores: &[SubjectScore]) -> (Vec<Tenths>, usize) {
    let averages = scores.iter().filter_map(|s| s.score).map(tenths).collect();
    (averages, scores.iter().filter(|s| s.level.as_deref() == Some("CD")).count())
}

fn secondary(grade: u8, first: &TermResult, second: &TermResult) -> TermResult {
    let pairs = first.subject_scores.iter().zip(&second.subject_scores);
    let scores: Vec<SubjectScore> = pairs.map(|(a, b)| subject(a, b)).collect();
    let (averages, failed) = judged(&scores);
    let learning = rating::learning(&averages, failed) as u8;
    let code = |r: &TermResult| r.conduct.as_deref().and_then(|c| c.parse().ok()).unwrap_or(1);
    let conduct = rating::year_conduct(code(first), code(second));
    let absent = absences(first, second);
    let promoted = learning < 4 && conduct < 4 && absent <= MOST_ABSENCES;
    let outcome = match (promoted, learning, conduct) {
        (true, ..) => "1",
        (_, 4, ..4) => "3",
        (_, ..4, 4) => "4",
        _ => "2",
    };
    let excellent = averages.iter().filter(|a| **a >= 90).count() >= 6;
    let last = matches!(grade, 9 | 12);
    TermResult {
        term: "3".into(),
        learning_rating: Some(learning.to_string()),
        conduct: Some(conduct.to_string()),
        days_absent: Some(absent),
        subject_scores: scores,
        title: (learning == 1 && conduct == 1).then(|| if excellent { "XS" } else { "G" }.to_owned()),
        // The last grade of a level has no next one.
        promoted: (!last).then_some(promoted),
        eligible_for_graduation: last.then_some(promoted),
        conduct_retraining: (conduct == 4).then_some(true),
        year_outcome: (!last || outcome == "3").then(|| outcome.to_owned()),
        ..TermResult::default()
    }
}

/// August (TT 22 Art 14): every subject below 5.0 or not passed is taken again, mostly with success.
fn retake(rng: &mut Chance, year: &TermResult, school_year: i32) -> Retake {
    let again = |s: &SubjectScore| s.score.is_some_and(|x| x < 5.0) || s.level.as_deref() == Some("CD");
    let mut scores = year.subject_scores.clone();
    let mut taken = vec![];
    for score in scores.iter_mut().filter(|s| again(s)) {
        let passes = happens(rng, 0.85);
        score.score = score.score.and_then(|before| {
            shown(if passes { rng.random_range(50..=65) } else { tenths(before).max(20) })
        });
        score.level = score.level.as_ref().map(|_| if passes { "D" } else { "CD" }.to_owned());
        taken.push(SubjectScore {
            subject: score.subject.clone(),
            score: score.score,
            level: score.level.clone(),
            ..SubjectScore::default()
        });
    }
    let (averages, failed) = judged(&scores);
    let learning = rating::learning(&averages, failed) as u8;
    let absent = year.days_absent.unwrap_or(0);
    Retake {
        student_code: year.student_code.clone(),
        class_code: Some(year.class_code.clone()),
        grade: year.grade.clone(),
        learning_rating: Some(learning.to_string()),
        conduct: year.conduct.clone(),
        promoted: Some(learning < 4 && absent <= MOST_ABSENCES),
        subject_scores: taken,
        retaken_on: Some(format!("{}-08-{:02}", school_year + 1, rng.random_range(3..=14))),
        ..Retake::default()
    }
}

/// Lower secondary by review, upper secondary by the exam, which nearly all pass.
fn graduation(rng: &mut Chance, year: &TermResult, retake: Option<&Retake>, school_year: i32) -> Graduation {
    let exam = year.grade.as_deref() == Some("12");
    let graduated = !exam || happens(rng, 0.995);
    let rating = retake.map_or(&year.learning_rating, |r| &r.learning_rating).clone();
    let month = match (exam, retake) {
        (_, Some(_)) => "08-20",
        (true, None) => "07-20",
        (false, None) => "06-10",
    };
    Graduation {
        student_code: year.student_code.clone(),
        class_code: Some(year.class_code.clone()),
        grade: year.grade.clone(),
        is_free_candidate: Some(false),
        graduation_grade: rating.filter(|_| graduated),
        graduated: Some(graduated),
        exam_exempt: exam.then(|| happens(rng, 0.002)),
        decision_no: graduated.then(|| format!("{}/QĐ-TN", rng.random_range(100..900))),
        decision_on: graduated.then(|| format!("{}-{month}", school_year + 1)),
        ..Graduation::default()
    }
}

/// What a free candidate comes to: marks of the exam, and whether they suffice.
pub fn exam(rng: &mut Chance, candidate: &mut FreeCandidate, school_year: i32) -> Graduation {
    let mut mark = || Some(f64::from(rng.random_range(8..=36_u32)) / 4.0);
    candidate.literature_score = mark();
    candidate.math_score = mark();
    candidate.foreign_language_score = mark();
    candidate.combined_paper_score = mark();
    let graduated = pick_weighted(rng, &[(true, 0.8), (false, 0.2)]);
    Graduation {
        student_code: candidate.student_code.clone(),
        full_name: Some(candidate.full_name.clone()),
        grade: candidate.grade.clone(),
        is_free_candidate: Some(true),
        graduated: Some(graduated),
        decision_no: graduated.then(|| "512/QĐ-TN".to_owned()),
        decision_on: graduated.then(|| format!("{}-07-20", school_year + 1)),
        ..Graduation::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::chance::chance;
    use super::*;

    /// Year and retakes of many pupils of a grade: shares that follow from the ratings, and a retake for whom it is due only.
    #[test]
    fn whoever_fails_takes_the_failed_subjects_again_and_whoever_passes_graduates() {
        let mut rng = chance(5, "year");
        for (grade, continuing) in [(7, false), (9, false), (12, false), (12, true)] {
            let course = Course { grade, continuing, choice: 1 };
            let enrolment = Enrolment { grade: grade.to_string(), ..Enrolment::default() };
            let years: Vec<Year> =
                (0..4_000).map(|_| year(&mut rng, course, &enrolment, 2026, true)).collect();
            for one in &years {
                let whole = &one.results[2];
                let due =
                    whole.learning_rating.as_deref() == Some("4") && whole.conduct.as_deref() != Some("4");
                assert_eq!(one.retake.is_some(), due);
                assert!(one.retake.iter().all(|r| !r.subject_scores.is_empty()));
                if one.graduation.is_some() {
                    assert!(grade == 9 || grade == 12);
                }
            }
            let retakes = years.iter().filter(|y| y.retake.is_some()).count() as f64 / 40.0;
            assert!((0.3..4.0).contains(&retakes), "grade {grade}: {retakes} % take something again");
            let graduates = years.iter().filter(|y| y.graduation.is_some()).count();
            assert_eq!(graduates > 3_800, matches!(grade, 9 | 12), "grade {grade}: {graduates}");
        }
    }

    #[test]
    fn the_hubs_rules_give_the_same_conduct() {
        use eduhub_rules::cross::{Learning, year_conduct};
        let of = |n: u8| Learning::of_code(&n.to_string()).unwrap();
        for (first, second) in (1..=4).flat_map(|a| (1..=4).map(move |b| (a, b))) {
            assert_eq!(rating::year_conduct(first, second), year_conduct(of(first), of(second)) as u8);
        }
    }
}
