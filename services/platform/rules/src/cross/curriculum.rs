//! Subjects of the grades: the general education programme of 2018 (TT 32/2018/TT-BGDĐT), which every grade follows since school
//! year 2024. What is taught is data (`data/curriculum.tsv`), by the codes of domain.md D.11; a code that it does not have is not
//! judged, the code list does that.
use super::{Found, Judge, Rule};
use std::{collections::HashMap, ops::RangeInclusive, sync::LazyLock};

/// First school year in which no grade follows the programme before.
const FIRST_YEAR: i32 = 2024;

static CURRICULUM: LazyLock<HashMap<&'static str, RangeInclusive<u8>>> = LazyLock::new(|| {
    let lines = include_str!("../../data/curriculum.tsv").lines().skip(1);
    let read = |line: &'static str| {
        let mut cells = line.split('\t');
        let subject = cells.next()?;
        Some((subject, cells.next()?.parse().ok()?..=cells.next()?.parse().ok()?))
    };
    lines.filter_map(read).collect()
});

/// True for a subject that the grade does not have; false for what is not known.
pub(super) fn lacks(judge: &Judge<'_>, grade: u8, subject: &str) -> bool {
    let judged = judge.school_year.is_some_and(|year| year >= FIRST_YEAR) && (1..=12).contains(&grade);
    judged && CURRICULUM.get(subject).is_some_and(|grades| !grades.contains(&grade))
}

/// Judges a list of subjects, each with the path of its field.
pub(super) fn subjects<'s>(
    rule: Rule,
    judge: &Judge<'_>,
    grade: Option<&str>,
    list: (&str, impl Iterator<Item = &'s str>),
    found: &mut Found<'_>,
) {
    let Some(grade) = grade.and_then(|grade| grade.parse().ok()) else { return };
    let (name, subjects) = list;
    for (i, subject) in subjects.enumerate() {
        if lacks(judge, grade, subject) {
            found.at(rule, format!("{name}[{i}].subject"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_is_read() {
        let lines = include_str!("../../data/curriculum.tsv").lines().skip(1).count();
        assert_eq!((CURRICULUM.len(), lines), (27, 27));
        assert!(CURRICULUM.values().all(|grades| grades.start() <= grades.end() && *grades.end() <= 12));
    }
}
