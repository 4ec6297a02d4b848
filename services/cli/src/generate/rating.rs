//! Assessment rules: TT 22/2021/TT-BGDĐT for lower and upper secondary, TT 27/2020/TT-BGDĐT for primary.

/// A mark in tenths, 0 to 100: marks have one decimal (TT 22/2021 Art 5.3) and are compared exactly.
pub type Tenths = u32;

/// Number of regular marks in a term by the periods a year (TT 22/2021 Art 6.2b).
pub fn regular_marks(periods_a_year: u32) -> usize {
    match periods_a_year {
        0..=35 => 2,
        36..=70 => 3,
        _ => 4,
    }
}

/// Term average of a subject: (sum of regular + 2 midterm + 3 final) / (regular marks + 5), rounded half up (Art 9.1).
pub fn term_average(regular: &[Tenths], midterm: Tenths, last: Tenths) -> Tenths {
    let sum: u32 = regular.iter().sum::<u32>() + 2 * midterm + 3 * last;
    let weight = regular.len() as u32 + 5;
    (2 * sum + weight) / (2 * weight)
}

/// Average of the year: term 1 once, term 2 twice, rounded half up (Art 9.1).
pub fn year_average(first: Tenths, second: Tenths) -> Tenths {
    (2 * (first + 2 * second) + 3) / 6
}

/// Conduct of the year by that of its terms, codes 1 to 4: the table of Art 8.2, a row for each first term.
pub fn year_conduct(first: u8, second: u8) -> u8 {
    const TABLE: [[u8; 4]; 4] = [[1, 2, 2, 4], [1, 2, 3, 4], [2, 2, 3, 4], [2, 3, 3, 4]];
    let at = |code: u8| usize::from(code.clamp(1, 4) - 1);
    TABLE[at(first)][at(second)]
}

/// Learning rating, best first (D.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    fn next_better(self) -> Self {
        match self {
            Learning::Good | Learning::Fair => Learning::Good,
            Learning::Pass => Learning::Fair,
            Learning::Fail => Learning::Pass,
        }
    }
}

/// Rating of a term or year (Art 9.2), with the raise of Art 9.3: when one subject alone pulls the rating down by two levels
/// or more, it is one level better. `averages` are the scored subjects, `failed` counts the comment subjects not passed.
pub fn learning(averages: &[Tenths], failed: usize) -> Learning {
    let computed = plain(averages, failed);
    let without_one = (0..averages.len()).map(|i| {
        let others: Vec<Tenths> =
            averages.iter().enumerate().map(|(j, a)| if i == j { 100 } else { *a }).collect();
        plain(&others, failed)
    });
    let without_comment = (failed == 1).then(|| plain(averages, 0));
    let best = without_one.chain(without_comment).min().unwrap_or(computed);
    if computed as u8 >= best as u8 + 2 { computed.next_better() } else { computed }
}

fn plain(averages: &[Tenths], failed: usize) -> Learning {
    let lowest = averages.iter().copied().min().unwrap_or(0);
    let at_least = |mark: Tenths| averages.iter().filter(|a| **a >= mark).count();
    if failed == 0 && lowest >= 65 && at_least(80) >= 6 {
        Learning::Good
    } else if failed == 0 && lowest >= 50 && at_least(65) >= 6 {
        Learning::Fair
    } else if failed <= 1 && at_least(50) >= 6 && lowest >= 35 {
        Learning::Pass
    } else {
        Learning::Fail
    }
}

/// Level of a subject, a quality or an ability in primary school, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mastery {
    /// T, hoàn thành tốt / tốt.
    Well,
    /// H, hoàn thành / đạt.
    Done,
    /// C, chưa hoàn thành / cần cố gắng.
    NotYet,
}

impl Mastery {
    /// Letter on the wire for a subject.
    pub fn letter(self) -> &'static str {
        match self {
            Mastery::Well => "T",
            Mastery::Done => "H",
            Mastery::NotYet => "C",
        }
    }

    /// Letter on the wire for a quality or an ability.
    pub fn trait_letter(self) -> &'static str {
        match self {
            Mastery::Well => "T",
            Mastery::Done => "Đ",
            Mastery::NotYet => "C",
        }
    }
}

/// Result of a primary pupil (TT 27/2020 Art 9.2): the weakest subject, the weakest quality or ability, the lowest test (1..10).
pub fn primary(subjects: Mastery, qualities: Mastery, lowest_test: u32) -> &'static str {
    let weakest = subjects.max(qualities);
    match (weakest, lowest_test) {
        (Mastery::Well, 9..) => "HTXS",
        (Mastery::Well, 7..) => "HTT",
        (Mastery::Well | Mastery::Done, 5..) => "HT",
        _ => "CHT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Learning::{Fair, Good, Pass};

    #[test]
    fn averages() {
        assert_eq!(term_average(&[80, 70], 65, 75), 72); // 50.5 / 7 = 7.214
        assert_eq!(term_average(&[50, 50], 50, 51), 50); // 5.043
        assert_eq!(term_average(&[60, 60, 62], 60, 60), 60); // 6.025 / 8 parts
        assert_eq!(term_average(&[65, 65, 65], 65, 66), 65); // 65.375
        assert_eq!(term_average(&[64, 65, 65], 65, 66), 65); // 65.25
        assert_eq!(term_average(&[0, 1, 0], 0, 1), 1); // exactly 0.05 goes up
    }

    #[test]
    fn ratings_of_the_regulation() {
        let eight = |n: usize, rest: &[Tenths]| [vec![80; n], rest.to_vec()].concat();
        assert_eq!(learning(&eight(6, &[65, 65]), 0), Good);
        assert_eq!(learning(&eight(6, &[65, 64]), 0), Fair);
        let high = |odd: Tenths| [vec![85; 7], vec![odd]].concat();
        assert_eq!(learning(&high(49), 0), Fair); // Đạt by the marks, raised
        assert_eq!(learning(&high(30), 0), Pass); // Chưa đạt by the marks, raised
        assert_eq!(learning(&[80; 8], 1), Fair); // one comment subject, raised
        assert_eq!(learning(&[40; 8], 0), Learning::Fail);
        assert_eq!(learning(&[80; 8], 2), Learning::Fail);
    }

    /// The generator has its arithmetic of its own, so that the hub's rules are not judged by themselves.
    #[test]
    fn the_hubs_rules_give_the_same() {
        let mut seed = 7_u32;
        let mut draw = |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) % below
        };
        for _ in 0..20_000 {
            let subjects = 6 + draw(6);
            // About the thresholds, where a difference would show.
            let marks: Vec<Tenths> =
                (0..subjects).map(|_| [30, 45, 60, 75][draw(4) as usize] + draw(26)).collect();
            let failed = draw(3) as usize;
            let (ours, theirs) = (learning(&marks, failed), eduhub_rules::cross::learning(&marks, failed));
            assert_eq!(ours as u8, theirs as u8, "{marks:?} {failed}");
            let regular = &marks[..2 + draw(3) as usize];
            let (mid, last) = (draw(101), draw(101));
            assert_eq!(
                term_average(regular, mid, last),
                eduhub_rules::cross::term_average(regular, mid, last)
            );
        }
    }

    #[test]
    fn primary_results() {
        assert_eq!(primary(Mastery::Well, Mastery::Well, 9), "HTXS");
        assert_eq!(primary(Mastery::Well, Mastery::Well, 8), "HTT");
        assert_eq!(primary(Mastery::Well, Mastery::Done, 10), "HT");
        assert_eq!(primary(Mastery::Done, Mastery::Well, 4), "CHT");
        assert_eq!(primary(Mastery::NotYet, Mastery::Well, 9), "CHT");
        assert_eq!([35, 36, 70, 71].map(regular_marks), [2, 3, 3, 4]);
    }
}
