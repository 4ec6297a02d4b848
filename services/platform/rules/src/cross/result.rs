//! Results of a term or year beside what the regulations give from the scores. A rating is judged only when the list of
//! subjects looks whole: schools may send just the subjects that a report needs (R-EXCEL-10).
use super::assessment::{Learning, Tenths, learning, promoted, term_average, year_average};
use super::{Found, Judge, Rule, curriculum};
use eduhub_proto::registry::v1::{SubjectScore, TermResult};

/// Subjects that are commented and never scored from grade 6 on (B.3).
const COMMENT_ONLY: [&str; 5] = ["TDC", "ANC", "MTT", "GDDP", "HDTN"];
/// Scored subjects without which no rating better than the lowest is possible (Art 9.2).
const LEAST_SCORED: usize = 6;
/// Term of the year's record.
const YEAR: &str = "3";

pub fn term_result(record: &TermResult, judge: &Judge<'_>, found: &mut Found<'_>) {
    let list = ("subject_scores", record.subject_scores.iter().map(|s| s.subject.as_str()));
    curriculum::subjects(Rule::ResultCurriculum, judge, record.grade.as_deref(), list, found);
    let grade = record.grade.as_deref().and_then(|grade| grade.parse::<u8>().ok());
    match grade {
        Some(1..=5) => primary(record, found),
        Some(grade @ 6..=12) => secondary(record, grade, found),
        _ => return,
    }
    if record.completed_primary_programme == Some(true) && grade != Some(5) {
        found.at(Rule::ResultCompleted, "completed_primary_programme");
    }
    outcome(record, found);
}

/// A score in tenths; it has one decimal, or is refused elsewhere.
fn tenths(score: f64) -> Tenths {
    (score * 10.0).round() as Tenths
}

fn decimal(mark: Tenths) -> String {
    format!("{}.{}", mark / 10, mark % 10)
}

/// Subjects that stand in the list before.
fn twice(scores: &[SubjectScore], found: &mut Found<'_>) {
    for (i, score) in scores.iter().enumerate() {
        if scores[..i].iter().any(|before| before.subject == score.subject) {
            found.at(Rule::ResultSubject, format!("subject_scores[{i}].subject"));
        }
    }
}

fn secondary(record: &TermResult, grade: u8, found: &mut Found<'_>) {
    twice(&record.subject_scores, found);
    for (i, score) in record.subject_scores.iter().enumerate() {
        if score.level.as_deref().is_some_and(|level| matches!(level, "T" | "H" | "C")) {
            found.expecting(Rule::ResultSubject, format!("subject_scores[{i}].level"), &["D", "CD"]);
        }
        if score.score.is_some() && COMMENT_ONLY.contains(&score.subject.as_str()) {
            found.at(Rule::ResultSubject, format!("subject_scores[{i}].score"));
        }
        if let (Some(said), Some(given)) = (score.score.map(tenths), average(score, &record.term))
            && said != given
        {
            found.expecting(Rule::ResultAverage, format!("subject_scores[{i}].score"), &[&decimal(given)]);
        }
    }
    let marks = Marks::of(&record.subject_scores);
    let said = record.learning_rating.as_deref().and_then(Learning::of_code);
    if let (Some(said), Some(marks)) = (said, &marks) {
        let given = learning(marks.scored(), marks.failed);
        if said != given {
            found.expecting(Rule::ResultRating, "learning_rating", &[given.code()]);
        }
    }
    title(record, marks.as_ref(), found);
    if record.term == YEAR {
        promotion(record, grade, found);
    }
}

/// What the marks of a subject give: the term's average of its marks, or the year's of its terms.
fn average(score: &SubjectScore, term: &str) -> Option<Tenths> {
    if term == YEAR {
        return Some(year_average(tenths(score.term1_average?), tenths(score.term2_average?)));
    }
    let (mut regular, mut count) = ([0; 4], 0);
    let marks = [score.regular_1, score.regular_2, score.regular_3, score.regular_4];
    for mark in marks.into_iter().flatten() {
        regular[count] = tenths(mark);
        count += 1;
    }
    // Every subject has two regular marks at least (Art 6.2b): with fewer the list of marks is not whole.
    (count >= 2).then_some(())?;
    Some(term_average(&regular[..count], tenths(score.midterm?), tenths(score.final_test?)))
}

/// The scores of a list of subjects that looks whole.
struct Marks {
    averages: [Tenths; 30],
    scored: usize,
    failed: usize,
}

impl Marks {
    /// None when a subject is not judged, twice there, or too few are.
    fn of(scores: &[SubjectScore]) -> Option<Self> {
        let mut marks = Self { averages: [0; 30], scored: 0, failed: 0 };
        let mut commented = 0;
        for score in scores {
            match (score.score, score.level.as_deref()) {
                (Some(average), _) => {
                    *marks.averages.get_mut(marks.scored)? = tenths(average);
                    marks.scored += 1;
                }
                (None, Some(level @ ("D" | "CD"))) => {
                    commented += 1;
                    marks.failed += usize::from(level == "CD");
                }
                _ => return None,
            }
        }
        (marks.scored >= LEAST_SCORED && commented > 0).then_some(marks)
    }

    fn scored(&self) -> &[Tenths] {
        &self.averages[..self.scored]
    }
}

/// Titles (TT 22 Art 15): both ratings good; excellent with six subjects from 9.0.
fn title(record: &TermResult, marks: Option<&Marks>, found: &mut Found<'_>) {
    let Some(said) = record.title.as_deref() else { return };
    let (Some(learning), Some(conduct)) = (&record.learning_rating, &record.conduct) else { return };
    if learning != "1" || conduct != "1" {
        return found.at(Rule::ResultTitle, "title");
    }
    let given = match marks {
        Some(marks) if marks.scored().iter().filter(|mark| **mark >= 90).count() >= 6 => "XS",
        Some(_) => "G",
        // Which of the two can't be told from a part of the subjects.
        None if said == "XS" => "XS",
        None => "G",
    };
    if said != given {
        found.expecting(Rule::ResultTitle, "title", &[given]);
    }
}

fn promotion(record: &TermResult, grade: u8, found: &mut Found<'_>) {
    let Some(said) = record.promoted else { return };
    let rating = |code: &Option<String>| code.as_deref().and_then(Learning::of_code);
    let (Some(learning), Some(conduct)) = (rating(&record.learning_rating), rating(&record.conduct)) else {
        return;
    };
    let sessions = match (record.absences_with_leave, record.absences_without_leave) {
        (None, None) => record.days_absent,
        (with, without) => Some(with.unwrap_or(0) + without.unwrap_or(0)),
    };
    let given = promoted(learning, conduct, sessions.unwrap_or(0));
    // Without the absences nobody can say that the pupil should have been; the last grade of a level has no next one.
    let certain = !given || (sessions.is_some() && grade != 9 && grade != 12);
    if said != given && certain {
        found.expecting(Rule::ResultPromotion, "promoted", &[if given { "true" } else { "false" }]);
    }
}

fn primary(record: &TermResult, found: &mut Found<'_>) {
    twice(&record.subject_scores, found);
    for (i, score) in record.subject_scores.iter().enumerate() {
        if score.level.as_deref().is_some_and(|level| matches!(level, "D" | "CD")) {
            found.expecting(Rule::ResultSubject, format!("subject_scores[{i}].level"), &["T", "H", "C"]);
        }
        if score.score.is_some_and(|test| test < 1.0 || !tenths(test).is_multiple_of(10)) {
            found.at(Rule::ResultSubject, format!("subject_scores[{i}].score"));
        }
    }
    let said = record.primary_result.as_deref();
    if let (Some(said), Some(given)) = (said, primary_result(record))
        && said != given
    {
        found.expecting(Rule::ResultPrimary, "primary_result", &[given]);
    }
    let fitting = match said {
        Some("HTXS") => Some("XS"),
        Some("HTT") => Some("HTT"),
        Some(_) => None,
        None => return,
    };
    if let Some(title) = record.title.as_deref()
        && Some(title) != fitting
    {
        found.expecting(Rule::ResultTitle, "title", fitting.as_slice());
    }
    // With CHT the principal decides after another evaluation (Art 11): either answer may be right.
    if record.term == YEAR && said != Some("CHT") {
        for (flag, field) in [(record.promoted, "promoted"), (record.completed_grade, "completed_grade")] {
            if flag == Some(false) {
                found.expecting(Rule::ResultPromotion, field, &["true"]);
            }
        }
    }
}

/// Result of a primary year (TT 27 Art 9.2) from levels, abilities, qualities and tests; none when they are not whole: a
/// subject without level, no test, a general ability or a quality missing.
fn primary_result(record: &TermResult) -> Option<&'static str> {
    let (mut well, mut done, mut lowest) = (true, true, None);
    for score in &record.subject_scores {
        let level = score.level.as_deref()?;
        well &= level == "T";
        done &= matches!(level, "T" | "H");
        let test = score.score.map(tenths);
        lowest = match (lowest, test) {
            (Some(lowest), Some(test)) => Some(test.min(lowest)),
            (lowest, test) => lowest.or(test),
        };
    }
    let sure = [
        &record.ability_self_reliance,
        &record.ability_communication,
        &record.ability_problem_solving,
        &record.quality_patriotism,
        &record.quality_kindness,
        &record.quality_diligence,
        &record.quality_honesty,
        &record.quality_responsibility,
    ];
    // Which specific abilities are taught depends on the grade.
    let specific = [
        &record.ability_language,
        &record.ability_arithmetic,
        &record.ability_science,
        &record.ability_technology,
        &record.ability_informatics,
        &record.ability_aesthetics,
        &record.ability_physical,
    ];
    if sure.iter().any(|level| level.is_none()) {
        return None;
    }
    for level in sure.into_iter().chain(specific).flatten() {
        well &= level == "T";
        done &= level != "C";
    }
    Some(match lowest? {
        90.. if well => "HTXS",
        70.. if well => "HTT",
        50.. if done => "HT",
        _ => "CHT",
    })
}

/// Outcome of the year beside promotion and ratings (TT 22 Art 12 to 14).
fn outcome(record: &TermResult, found: &mut Found<'_>) {
    let sufficient = |rating: &Option<String>| rating.as_deref().is_some_and(|r| r != "4");
    if record.conduct_retraining == Some(true) && sufficient(&record.conduct) {
        found.expecting(Rule::ResultRetraining, "conduct_retraining", &["false"]);
    }
    let wrong = match (record.year_outcome.as_deref(), record.promoted) {
        (Some("1"), Some(false)) | (Some("2" | "3" | "4"), Some(true)) => true,
        (Some("3"), _) => sufficient(&record.learning_rating),
        (Some("4"), _) => sufficient(&record.conduct),
        _ => false,
    };
    if wrong {
        found.at(Rule::ResultOutcome, "year_outcome");
    }
}
