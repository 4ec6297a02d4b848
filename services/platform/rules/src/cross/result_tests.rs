//! Results judged by TT 22/2021 and TT 27/2020; the vectors are those of domain.md B.3 or worked out by hand.
use super::tests::{found, one, text};
use eduhub_faults::Reason::{Contradiction, NotAsComputed};
use eduhub_proto::registry::v1::{SubjectScore, TermResult};

const SCORED: [&str; 8] = ["TOC", "TVT", "TAH", "GCD", "LSDL", "KHTN", "CNE", "THC"];

fn scored(subject: &str, score: f64) -> SubjectScore {
    SubjectScore { subject: subject.into(), score: Some(score), ..SubjectScore::default() }
}

fn level(subject: &str, level: &str) -> SubjectScore {
    SubjectScore { subject: subject.into(), level: text(level), ..SubjectScore::default() }
}

/// A year's result of grade 6 with these eight scores and physical education passed or not.
fn year(scores: [f64; 8], comment: &str, rating: &str) -> TermResult {
    let mut subject_scores: Vec<_> = SCORED.into_iter().zip(scores).map(|(s, x)| scored(s, x)).collect();
    subject_scores.push(level("TDC", comment));
    TermResult {
        term: "3".into(),
        student_code: "HS000001".into(),
        class_code: "6A1".into(),
        grade: text("6"),
        learning_rating: text(rating),
        conduct: text("1"),
        days_absent: Some(0),
        subject_scores,
        ..TermResult::default()
    }
}

fn high(odd: f64) -> [f64; 8] {
    [8.5, 8.5, 8.5, 8.5, 8.5, 8.5, 8.5, odd]
}

#[test]
fn the_learning_rating_follows_from_the_scores() {
    let eight = |odd| [8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 6.5, odd];
    for (scores, comment, given) in [
        (eight(6.5), "D", "1"),
        (eight(6.4), "D", "2"),
        (high(4.9), "D", "2"),
        (high(3.0), "D", "3"),
        ([8.0; 8], "CD", "2"),
        ([5.0; 8], "D", "3"),
        ([4.9; 8], "D", "4"),
    ] {
        for said in ["1", "2", "3", "4"] {
            let expected = if said == given { vec![] } else { one(NotAsComputed, "learning_rating", given) };
            assert_eq!(found(&year(scores, comment, said)), expected, "{scores:?} {comment} said {said}");
        }
    }
}

#[test]
fn a_part_of_the_subjects_is_not_judged() {
    let whole = year([5.0; 8], "D", "1");
    assert_eq!(found(&whole), one(NotAsComputed, "learning_rating", "3"));
    let without_comments = TermResult { subject_scores: whole.subject_scores[..8].to_vec(), ..whole.clone() };
    assert_eq!(found(&without_comments), []);
    let few = TermResult { subject_scores: whole.subject_scores[3..].to_vec(), ..whole.clone() };
    assert_eq!(found(&few), [], "five scored subjects");
    let mut unjudged = whole;
    unjudged.subject_scores.push(SubjectScore { subject: "TDT".into(), ..SubjectScore::default() });
    assert_eq!(found(&unjudged), []);
}

#[test]
fn averages_follow_from_the_marks() {
    let marks = |score| SubjectScore {
        regular_1: Some(8.0),
        regular_2: Some(7.0),
        midterm: Some(6.5),
        final_test: Some(7.5),
        ..scored("TOC", score)
    };
    let term = |score| TermResult {
        term: "1".into(),
        subject_scores: vec![marks(score)],
        ..year([5.0; 8], "D", "2")
    };
    assert_eq!(found(&term(7.2)), [], "first vector of B.3");
    assert_eq!(found(&term(7.3)), one(NotAsComputed, "subject_scores[0].score", "7.2"));
    let ends = |score| {
        let ends =
            SubjectScore { term1_average: Some(6.4), term2_average: Some(7.1), ..scored("TOC", score) };
        TermResult { subject_scores: vec![ends], ..year([5.0; 8], "D", "2") }
    };
    assert_eq!(found(&ends(6.9)), [], "second vector of B.3");
    assert_eq!(found(&ends(6.8)), one(NotAsComputed, "subject_scores[0].score", "6.9"));
}

#[test]
fn titles() {
    let titled =
        |scores, rating: &str, title: &str| TermResult { title: text(title), ..year(scores, "D", rating) };
    assert_eq!(found(&titled([8.0; 8], "1", "G")), []);
    assert_eq!(found(&titled([8.0; 8], "1", "XS")), one(NotAsComputed, "title", "G"));
    let excellent = [9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 8.0, 6.5];
    assert_eq!(found(&titled(excellent, "1", "XS")), []);
    assert_eq!(found(&titled(excellent, "1", "G")), one(NotAsComputed, "title", "XS"));
    assert_eq!(found(&titled(high(4.9), "2", "G")), one(NotAsComputed, "title", ""));
    let conduct = TermResult { conduct: text("2"), ..titled([8.0; 8], "1", "G") };
    assert_eq!(found(&conduct), one(NotAsComputed, "title", ""));
}

#[test]
fn promotion() {
    let said = |promoted, rating: &str, scores, absent| TermResult {
        promoted: Some(promoted),
        days_absent: Some(absent),
        ..year(scores, "D", rating)
    };
    assert_eq!(found(&said(true, "3", [5.0; 8], 45)), []);
    assert_eq!(found(&said(true, "3", [5.0; 8], 46)), one(NotAsComputed, "promoted", "false"));
    assert_eq!(found(&said(false, "3", [5.0; 8], 46)), []);
    assert_eq!(found(&said(false, "3", [5.0; 8], 45)), one(NotAsComputed, "promoted", "true"));
    assert_eq!(found(&said(true, "4", [4.9; 8], 0)), one(NotAsComputed, "promoted", "false"));
    let sessions = TermResult {
        absences_with_leave: Some(30),
        absences_without_leave: Some(16),
        ..said(true, "3", [5.0; 8], 23)
    };
    assert_eq!(found(&sessions), one(NotAsComputed, "promoted", "false"), "46 sessions are 23 days");
    let last = TermResult { grade: text("9"), ..said(false, "3", [5.0; 8], 0) };
    assert_eq!(found(&last), [], "nothing to be promoted to");
    let term = TermResult { term: "1".into(), ..said(false, "3", [5.0; 8], 0) };
    assert_eq!(found(&term), [], "a term promotes nobody");
}

#[test]
fn outcomes_agree_with_ratings() {
    let year = year([5.0; 8], "D", "3");
    let retrains = TermResult { conduct_retraining: Some(true), ..year.clone() };
    assert_eq!(found(&retrains), one(Contradiction, "conduct_retraining", "false"));
    assert_eq!(found(&TermResult { conduct: text("4"), ..retrains }), []);
    let out = |outcome: &str, promoted| TermResult {
        year_outcome: text(outcome),
        promoted: Some(promoted),
        ..year.clone()
    };
    assert_eq!(found(&out("1", true)), []);
    assert_eq!(found(&out("2", true)), one(Contradiction, "year_outcome", ""));
    assert_eq!(
        found(&TermResult { promoted: None, ..out("3", true) }),
        one(Contradiction, "year_outcome", "")
    );
}

#[test]
fn subjects_are_judged_in_the_way_of_their_level() {
    let mut result = year([5.0; 8], "D", "3");
    result.subject_scores.truncate(2);
    result.subject_scores.push(scored("TDC", 8.0));
    result.subject_scores.push(level("ANC", "T"));
    result.subject_scores.push(scored("TOC", 5.0));
    let at = |field: &str, near: &str| (Contradiction, field.to_owned(), near.to_owned());
    assert_eq!(
        found(&result),
        [
            at("subject_scores[4].subject", ""),
            at("subject_scores[2].score", ""),
            at("subject_scores[3].level", "D CD")
        ]
    );
}

fn primary(levels: &str, trait_level: &str, test: f64, result: &str) -> TermResult {
    let all = text(trait_level);
    let mut math = level("TOC", levels);
    math.score = Some(test);
    TermResult {
        term: "3".into(),
        student_code: "HS000001".into(),
        class_code: "3A".into(),
        grade: text("3"),
        primary_result: text(result),
        subject_scores: vec![math, level("GCD", "T")],
        ability_self_reliance: all.clone(),
        ability_communication: text("T"),
        ability_problem_solving: text("T"),
        ability_language: text("T"),
        quality_patriotism: text("T"),
        quality_kindness: text("T"),
        quality_diligence: text("T"),
        quality_honesty: text("T"),
        quality_responsibility: all,
        ..TermResult::default()
    }
}

/// The table of TT 27/2020 Art 9.2 in domain.md B.3.
#[test]
fn the_primary_result_follows_from_levels_and_tests() {
    for (levels, traits, test, given) in [
        ("T", "T", 9.0, "HTXS"),
        ("T", "T", 8.0, "HTT"),
        ("T", "T", 7.0, "HTT"),
        ("T", "T", 6.0, "HT"),
        ("H", "T", 10.0, "HT"),
        ("T", "Đ", 10.0, "HT"),
        ("H", "Đ", 5.0, "HT"),
        ("H", "Đ", 4.0, "CHT"),
        ("C", "T", 9.0, "CHT"),
        ("T", "C", 9.0, "CHT"),
    ] {
        for said in ["HTXS", "HTT", "HT", "CHT"] {
            let expected = if said == given { vec![] } else { one(NotAsComputed, "primary_result", given) };
            assert_eq!(
                found(&primary(levels, traits, test, said)),
                expected,
                "{levels} {traits} {test} said {said}"
            );
        }
    }
    let part = TermResult { quality_honesty: None, ..primary("C", "C", 1.0, "HTXS") };
    assert_eq!(found(&part), [], "not all that is judged was sent");
}

#[test]
fn primary_titles_promotion_and_tests() {
    let good = primary("T", "T", 8.0, "HTT");
    assert_eq!(found(&TermResult { title: text("HTT"), ..good.clone() }), []);
    assert_eq!(found(&TermResult { title: text("XS"), ..good.clone() }), one(NotAsComputed, "title", "HTT"));
    assert_eq!(
        found(&TermResult { promoted: Some(false), ..good.clone() }),
        one(NotAsComputed, "promoted", "true")
    );
    let failed = primary("C", "T", 9.0, "CHT");
    for promoted in [true, false] {
        let decided = TermResult { promoted: Some(promoted), ..failed.clone() };
        assert_eq!(found(&decided), [], "the principal decides (Art 11)");
    }
    assert_eq!(found(&primary("T", "T", 8.5, "HTT")), one(Contradiction, "subject_scores[0].score", ""));
    let completed = TermResult { completed_primary_programme: Some(true), ..good };
    assert_eq!(found(&completed), one(Contradiction, "completed_primary_programme", ""));
}
