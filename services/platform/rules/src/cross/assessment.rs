//! Arithmetic of the assessment regulations, TT 22/2021/TT-BGDĐT and TT 27/2020/TT-BGDĐT (domain.md B.3). Marks are whole
//! tenths, so that half up is exact.

/// A mark or average in tenths, 0 to 100 (TT 22 Art 5.3: one decimal).
pub type Tenths = u32;

/// Rating of learning or conduct, best first (D.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Learning {
    /// Tốt.
    Good = 1,
    /// Khá.
    Fair = 2,
    /// Đạt.
    Pass = 3,
    /// Chưa đạt.
    Fail = 4,
}

impl Learning {
    /// Of its code, 1 to 4.
    pub fn of_code(code: &str) -> Option<Self> {
        [Self::Good, Self::Fair, Self::Pass, Self::Fail].into_iter().find(|l| l.code() == code)
    }

    /// Its code (DM_HOC_LUC, DM_HANH_KIEM).
    pub fn code(self) -> &'static str {
        match self {
            Self::Good => "1",
            Self::Fair => "2",
            Self::Pass => "3",
            Self::Fail => "4",
        }
    }
}

/// True for a rating that suffices (Đạt or better), false for one that does not, none for no code.
pub(super) fn sufficient(code: &str) -> Option<bool> {
    Learning::of_code(code).map(|rating| rating < Learning::Fail)
}

/// Average of a term (Art 9.1a): regular marks once, midterm twice, final three times.
pub fn term_average(regular: &[Tenths], midterm: Tenths, last: Tenths) -> Tenths {
    let marks = regular.len() as u32 + 5;
    half_up(regular.iter().sum::<u32>() + 2 * midterm + 3 * last, marks)
}

/// Average of the year (Art 9.1b): term 1 once, term 2 twice.
pub fn year_average(term1: Tenths, term2: Tenths) -> Tenths {
    half_up(term1 + 2 * term2, 3)
}

fn half_up(sum: u32, parts: u32) -> Tenths {
    (2 * sum + parts) / (2 * parts)
}

/// Learning rating (Art 9.2) of the averages of the scored subjects and the number of comment subjects not passed, with the
/// raise of Art 9.3: if one subject alone brings it down by two levels or more, it is the level next above.
pub fn learning(averages: &[Tenths], failed: usize) -> Learning {
    let computed = by_thresholds(averages.iter().copied(), failed);
    if computed < Learning::Pass {
        return computed; // At most one level below the best.
    }
    let one_better = |subject: usize| {
        let others = averages.iter().enumerate().map(move |(i, mark)| if i == subject { 100 } else { *mark });
        by_thresholds(others, failed)
    };
    let with_comment = (failed == 1).then(|| by_thresholds(averages.iter().copied(), 0));
    let best = (0..averages.len()).map(one_better).chain(with_comment).min().unwrap_or(computed);
    match (computed, best) {
        (Learning::Pass, Learning::Good) => Learning::Fair,
        (Learning::Fail, Learning::Good | Learning::Fair) => Learning::Pass,
        _ => computed,
    }
}

fn by_thresholds(averages: impl Iterator<Item = Tenths>, failed: usize) -> Learning {
    let (mut lowest, mut from_80, mut from_65, mut from_50) = (100, 0, 0, 0);
    for mark in averages {
        lowest = lowest.min(mark);
        from_80 += u32::from(mark >= 80);
        from_65 += u32::from(mark >= 65);
        from_50 += u32::from(mark >= 50);
    }
    if failed == 0 && lowest >= 65 && from_80 >= 6 {
        Learning::Good
    } else if failed == 0 && lowest >= 50 && from_65 >= 6 {
        Learning::Fair
    } else if failed <= 1 && lowest >= 35 && from_50 >= 6 {
        Learning::Pass
    } else {
        Learning::Fail
    }
}

/// Conduct of the year by its terms (Art 8.2).
pub fn year_conduct(term1: Learning, term2: Learning) -> Learning {
    use Learning::{Fail, Fair, Good, Pass};
    match (term1, term2) {
        (_, Fail) => Fail,
        (Good | Fair, Good) => Good,
        (Pass | Fail, Good) | (Good, Fair | Pass) | (Fair | Pass, Fair) => Fair,
        (Fair | Pass | Fail, Pass) | (Fail, Fair) => Pass,
    }
}

/// Sessions absent above which nobody is promoted (Art 12).
const MOST_ABSENCES: i32 = 45;

/// Promotion (Art 12): both ratings suffice, and not too often absent.
pub fn promoted(learning: Learning, conduct: Learning, absences: i32) -> bool {
    learning < Learning::Fail && conduct < Learning::Fail && absences <= MOST_ABSENCES
}

#[cfg(test)]
mod tests {
    use super::{Learning::*, *};
    use proptest::prelude::*;

    /// Test vectors of domain.md B.3.
    #[test]
    fn the_vectors() {
        assert_eq!(term_average(&[80, 70], 65, 75), 72);
        assert_eq!(year_average(64, 71), 69);
        assert_eq!(learning(&[80, 80, 80, 80, 80, 80, 65, 65], 0), Good);
        assert_eq!(learning(&[80, 80, 80, 80, 80, 80, 65, 64], 0), Fair);
        let seven = |odd| [85, 85, 85, 85, 85, 85, 85, odd];
        assert_eq!(learning(&seven(49), 0), Fair);
        assert_eq!(learning(&seven(30), 0), Pass);
        assert_eq!(learning(&[80; 8], 1), Fair);
        assert_eq!(year_conduct(Fail, Good), Fair);
        assert_eq!(year_conduct(Good, Pass), Fair);
        assert_eq!(year_conduct(Fair, Pass), Pass);
    }

    /// The table of Art 8.2 as domain.md prints it, row by row.
    #[test]
    fn conduct_of_the_year() {
        let all = [Good, Fair, Pass, Fail];
        let printed = [
            [Good, Fair, Fair, Fail],
            [Good, Fair, Pass, Fail],
            [Fair, Fair, Pass, Fail],
            [Fair, Pass, Pass, Fail],
        ];
        for (term1, row) in all.into_iter().zip(printed) {
            for (term2, year) in all.into_iter().zip(row) {
                assert_eq!(year_conduct(term1, term2), year, "{term1:?} {term2:?}");
            }
        }
    }

    /// Worked out by hand: 42.3 / 7 = 6.043; 45.5 / 7 = 6.5; 0.4 / 8 = 0.05.
    #[test]
    fn averages_round_half_up() {
        assert_eq!(term_average(&[60, 60], 60, 61), 60);
        assert_eq!(term_average(&[65, 65], 65, 65), 65);
        assert_eq!(term_average(&[0, 1, 0], 0, 1), 1, "0.05 exactly goes up");
        assert_eq!(year_average(50, 51), 51, "5.0667");
        assert_eq!(year_average(50, 50), 50);
        assert_eq!(year_average(0, 1), 1, "0.0667");
    }

    #[test]
    fn promotion_takes_all_three() {
        assert!(promoted(Pass, Pass, 45));
        assert!(!promoted(Pass, Pass, 46) && !promoted(Fail, Good, 0) && !promoted(Good, Fail, 0));
    }

    proptest! {
        /// A better mark or one failed comment subject less never makes the rating worse.
        #[test]
        fn better_marks_never_hurt(
            marks in proptest::collection::vec(0u32..=100, 6..12), failed in 0usize..4, at in 0usize..6, by in 0u32..40
        ) {
            let before = learning(&marks, failed);
            let mut better = marks.clone();
            better[at] = (better[at] + by).min(100);
            prop_assert!(learning(&better, failed) <= before);
            prop_assert!(learning(&marks, failed.saturating_sub(1)) <= before);
        }

        /// The raise is one level, and only for what one subject brought down by two.
        #[test]
        fn the_raise_is_one_level(marks in proptest::collection::vec(0u32..=100, 6..12), failed in 0usize..3) {
            let (plain, given) = (by_thresholds(marks.iter().copied(), failed), learning(&marks, failed));
            prop_assert!(plain as u8 - given as u8 <= 1);
            if plain <= Fair {
                prop_assert_eq!(plain, given);
            }
        }

        /// An average lies between its lowest and its highest mark.
        #[test]
        fn averages_lie_between(marks in proptest::collection::vec(0u32..=100, 2..=4), mid in 0u32..=100, last in 0u32..=100) {
            let all = || marks.iter().copied().chain([mid, last]);
            let average = term_average(&marks, mid, last);
            prop_assert!(all().min().unwrap() <= average && average <= all().max().unwrap());
        }
    }
}
