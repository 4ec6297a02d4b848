//! Classes of a school: which grades, how many, how large.
use super::chance::Chance;
use super::marks::Course;
use super::settings::{Figures, Institution};
use super::sizes::{apportion, class_sizes};
use eduhub_proto::registry::v1::Class;

/// A class and how many learners it has.
pub struct ClassRoom {
    /// The record.
    pub record: Class,
    /// Grade: 1..12; 14, 15 nursery, 16..18 kindergarten (D.4).
    pub grade: u8,
    /// Learners.
    pub size: usize,
    /// What is taught.
    pub course: Course,
}

/// Grades of a kind of institution with the weight of their classes. A private group takes the youngest.
fn grades(institution: Institution, independent: bool) -> Vec<(u8, f64)> {
    match institution {
        Institution::Preschool if independent => vec![(14, 1.0), (15, 1.0), (16, 1.0)],
        Institution::Preschool => vec![(15, 0.16), (16, 0.24), (17, 0.29), (18, 0.31)],
        Institution::Primary => (1..=5).map(|g| (g, 1.0)).collect(),
        Institution::LowerSecondary => (6..=9).map(|g| (g, 1.0)).collect(),
        Institution::UpperSecondary | Institution::Continuing => (10..=12).map(|g| (g, 1.0)).collect(),
        Institution::InterLevel => (1..=9).map(|g| (g, 1.0)).collect(),
    }
}

/// The classes of a school with `learners` learners.
pub fn classes(rng: &mut Chance, figures: &Figures, learners: usize, independent: bool) -> Vec<ClassRoom> {
    let grades = grades(figures.institution, independent);
    let by_size = (learners as f64 / figures.class_size).round() as usize;
    // Every grade has a class wherever there are enough learners for it.
    let least = grades.len().min(learners / figures.class_range.0).max(1);
    let n = by_size.max(least);
    let per_grade = spread(n, &grades);
    let sizes = class_sizes(rng, learners, n, figures.class_sd, figures.class_range);
    let mut sizes = sizes.into_iter();
    let mut out = Vec::with_capacity(n);
    for ((grade, _), count) in grades.iter().zip(per_grade) {
        for i in 0..count {
            let (code, name) = label(*grade, i, count);
            let record = Class {
                class_code: code,
                name,
                grade: grade.to_string(),
                two_sessions_per_day: Some(*grade <= 5 || *grade >= 13),
                is_combined_class: Some(false),
                disbanded: Some(false),
                sort_order: Some(out.len() as i32 + 1),
                ..of_grade(*grade, figures.institution)
            };
            let course = Course { grade: *grade, continuing: false, choice: 0 };
            out.push(ClassRoom { record, grade: *grade, size: sizes.next().unwrap_or(0), course });
        }
    }
    out
}

/// Crowds a class until no classroom holds it, with learners of another class of its grade; gives its code. None where no two
/// classes have so many.
pub fn crowd(classes: &mut [ClassRoom]) -> Option<String> {
    // The hub warns from 41, 51 and 56 in class on; some of the learners leave within the term.
    let wanted = |grade: u8| match grade {
        13..=18 => 47,
        1..=5 => 57,
        _ => 62,
    };
    let fits = |a: &ClassRoom, b: &ClassRoom| a.grade == b.grade && a.size + b.size > wanted(a.grade);
    let (full, rest) = (0..classes.len())
        .flat_map(|a| (a + 1..classes.len()).map(move |b| (a, b)))
        .find(|(a, b)| fits(&classes[*a], &classes[*b]))?;
    let more = wanted(classes[full].grade).checked_sub(classes[full].size)?;
    classes[full].size += more;
    classes[rest].size -= more;
    Some(classes[full].record.class_code.clone())
}

/// What the annex asks of classes of this grade.
fn of_grade(grade: u8, institution: Institution) -> Class {
    let continuing = institution == Institution::Continuing;
    let general = !continuing && grade <= 12;
    let sessions = if grade <= 5 { "3" } else { "2" };
    Class {
        // Grades 13 to 18 are the age groups 01 to 06.
        preschool_age_group: (grade >= 13).then(|| format!("{:02}", grade - 12)),
        is_day_boarding_class: (!continuing && (grade >= 13 || grade <= 9)).then_some(grade >= 13),
        new_preschool_programme: (grade >= 13).then_some(true),
        foreign_language_1: (general && grade >= 3).then(|| "1".to_owned()),
        sessions_per_week: (grade <= 12).then(|| sessions.to_owned()),
        has_class_parent_committee: (grade <= 12).then_some(true),
        ..Class::default()
    }
}

/// Classes per grade: one for each, the rest by weight; too few for all grades go to the last ones.
fn spread(n: usize, grades: &[(u8, f64)]) -> Vec<usize> {
    if n < grades.len() {
        return (0..grades.len()).map(|i| usize::from(i >= grades.len() - n)).collect();
    }
    let weights: Vec<f64> = grades.iter().map(|g| g.1).collect();
    let wanted: Vec<f64> =
        weights.iter().map(|w| (w / weights.iter().sum::<f64>() * n as f64 - 1.0).max(0.0)).collect();
    apportion(n - grades.len(), &wanted).into_iter().map(|extra| extra + 1).collect()
}

/// Code and name of the i-th class of a grade: 1A, 6A1, "5 tuổi A1".
fn label(grade: u8, i: usize, count: usize) -> (String, String) {
    match grade {
        14 => (format!("NTB{}", i + 1), format!("NT B{}", i + 1)),
        15 => (format!("NTA{}", i + 1), format!("NT A{}", i + 1)),
        16..=18 => (format!("{}TA{}", grade - 13, i + 1), format!("{} tuổi A{}", grade - 13, i + 1)),
        1..=5 if count <= 6 => {
            let name = format!("{grade}{}", char::from(b'A' + i as u8));
            (name.clone(), name)
        }
        _ => (format!("{grade}A{}", i + 1), format!("{grade}A{}", i + 1)),
    }
}

/// Age in years that most learners of a grade reach in the calendar year in which the school year begins.
pub fn age(grade: u8) -> i32 {
    match grade {
        14..=18 => i32::from(grade) - 13,
        _ => i32::from(grade) + 5,
    }
}

#[cfg(test)]
mod tests {
    use super::super::chance::chance;
    use super::super::settings::Settings;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn classes_hold_all_learners_in_all_grades_under_unique_codes() {
        let settings = Settings::ninh_binh();
        let mut rng = chance(1, "classes");
        for figures in &settings.figures {
            for learners in [30, 50, 300, 681, 1_500] {
                let all = classes(&mut rng, figures, learners, false);
                assert_eq!(all.iter().map(|c| c.size).sum::<usize>(), learners);
                let codes: BTreeSet<_> = all.iter().map(|c| c.record.class_code.clone()).collect();
                assert_eq!(codes.len(), all.len());
                assert!(all.iter().all(|c| c.record.name.chars().count() <= 10));
                if learners >= 300 {
                    let got: BTreeSet<u8> = all.iter().map(|c| c.grade).collect();
                    assert_eq!(got.len(), grades(figures.institution, false).len());
                }
            }
        }
    }

    #[test]
    fn ages() {
        assert_eq!([1, 5, 6, 12, 18, 16, 15, 14].map(age), [6, 10, 11, 17, 5, 3, 2, 1]);
    }
}
