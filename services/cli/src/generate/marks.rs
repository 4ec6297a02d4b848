//! Generated marks and the results computed from them.
//!
//! A pupil has an ability; marks scatter about it; the rating follows from the marks by the rules. The ability's
//! distribution is set so that the computed ratings come near the expected shares: secondary 22 / 45 / 31 / 2 %,
//! primary 35 / 33 / 31.5 / 0.5 % (assumed).
use super::chance::{Chance, happens, normal, pick, pick_weighted};
use super::rating::{self, Mastery, Tenths};
use eduhub_proto::registry::v1::{SubjectScore, TermResult};
use rand::Rng;
use rand_distr::{Distribution, Geometric};

/// Scored subjects with their periods a year.
type Scored = &'static [(&'static str, u32)];

const LOWER: Scored = &[
    ("TOC", 140),
    ("TVT", 140),
    ("TAH", 105),
    ("KHTN", 140),
    ("LSDL", 105),
    ("GCD", 35),
    ("THC", 35),
    ("CNE", 35),
];
const LOWER_COMMENT: &[&str] = &["TDC", "ANC", "MTT", "HDTN", "GDDP"];
/// Upper secondary: compulsory subjects and four chosen ones, natural or social.
const UPPER: [Scored; 2] = [
    &[
        ("TOC", 105),
        ("TVT", 105),
        ("TAH", 105),
        ("LSU", 52),
        ("GDQPAN", 35),
        ("VLY", 70),
        ("HHC", 70),
        ("SHC", 70),
        ("THC", 70),
    ],
    &[
        ("TOC", 105),
        ("TVT", 105),
        ("TAH", 105),
        ("LSU", 52),
        ("GDQPAN", 35),
        ("DLY", 70),
        ("KTPL", 70),
        ("SHC", 70),
        ("CNE", 70),
    ],
];
const CONTINUING: Scored =
    &[("TOC", 105), ("TVT", 105), ("LSU", 70), ("DLY", 70), ("VLY", 70), ("HHC", 70), ("SHC", 70)];
const UPPER_COMMENT: &[&str] = &["TDC", "HDTN", "GDDP"];
/// Primary subjects with a test, by grade: 1 and 2, 3, 4 and 5; then those without.
const PRIMARY_TESTED: [&[&str]; 3] =
    [&["TOC", "TVT"], &["TOC", "TVT", "TAH"], &["TOC", "TVT", "TAH", "KHOA", "LSDL", "THC"]];
const PRIMARY_UNTESTED: &[&str] = &["GCD", "ANC", "MTT", "TDC", "HDTN"];

/// What the results of a class have in common.
#[derive(Clone, Copy)]
pub struct Course {
    /// Grade 1..12.
    pub grade: u8,
    /// Continuing education.
    pub continuing: bool,
    /// Chosen subjects of upper secondary: 0 natural, 1 social.
    pub choice: usize,
}

impl Course {
    /// Codes of its subjects, in the order of the results.
    pub fn subjects(self) -> Vec<&'static str> {
        match self.grade {
            1..=5 => self.tested().iter().chain(PRIMARY_UNTESTED).copied().collect(),
            6..=12 => self.scored().iter().map(|s| s.0).chain(self.commented().iter().copied()).collect(),
            _ => vec![],
        }
    }

    /// Primary subjects with a test.
    fn tested(self) -> &'static [&'static str] {
        PRIMARY_TESTED[match self.grade {
            1 | 2 => 0,
            3 => 1,
            _ => 2,
        }]
    }

    fn scored(self) -> Scored {
        match self.grade {
            _ if self.continuing => CONTINUING,
            ..=9 => LOWER,
            _ => UPPER[self.choice % 2],
        }
    }

    fn commented(self) -> &'static [&'static str] {
        if self.continuing || self.grade > 9 { UPPER_COMMENT } else { LOWER_COMMENT }
    }

    /// Ability at which half of the pupils get the better rating: pass, fair, good; the more subjects, the lower.
    fn knots(self) -> [f64; 3] {
        match self.grade {
            1 | 2 => [4.9, 6.88, 8.75],
            3 => [4.96, 6.95, 8.9],
            4 | 5 => [5.13, 7.15, 9.1],
            _ if self.continuing => [5.4, 6.9, 8.38],
            ..=9 => [5.2, 6.72, 8.22],
            _ => [5.1, 6.6, 8.1],
        }
    }

    /// Ability of a pupil of the course, drawn so that the ratings come out near the expected shares.
    pub fn ability(self, rng: &mut Chance) -> f64 {
        let [pass, fair, good] = self.knots();
        if self.grade <= 5 {
            let knots = [
                (0.0, pass - 0.6),
                (0.004, pass),
                (0.02, pass + 0.8),
                (0.32, fair),
                (0.65, good),
                (1.0, 10.3),
            ];
            return at_a_rank(rng, &knots);
        }
        let knots =
            [(0.0, pass - 1.0), (0.017, pass), (0.045, pass + 0.6), (0.33, fair), (0.78, good), (1.0, 9.6)];
        at_a_rank(rng, &knots)
    }
}

/// Result of a term of a pupil of this ability, without its keys.
pub fn of_term(rng: &mut Chance, course: Course, ability: f64, term: &str) -> TermResult {
    let absent = Geometric::new(0.45).map_or(0, |g| g.sample(rng)).min(30) as i32;
    let result =
        if course.grade <= 5 { primary(rng, course, ability) } else { secondary(rng, course, ability) };
    TermResult { term: term.into(), days_absent: Some(absent), ..result }
}

/// Ability at a uniform rank, linear between (rank, ability) knots.
fn at_a_rank(rng: &mut Chance, knots: &[(f64, f64)]) -> f64 {
    let rank = rng.random::<f64>();
    let above = knots.iter().position(|k| rank < k.0).unwrap_or(knots.len() - 1).max(1);
    let ((r0, a0), (r1, a1)) = (knots[above - 1], knots[above]);
    a0 + (a1 - a0) * (rank - r0) / (r1 - r0)
}

fn secondary(rng: &mut Chance, course: Course, level: f64) -> TermResult {
    let (scored, comment) = (course.scored(), course.commented());
    let [pass, ..] = course.knots();
    let mut scores = Vec::with_capacity(scored.len() + comment.len());
    let mut averages: Vec<Tenths> = Vec::with_capacity(scored.len());
    for (subject, periods) in scored {
        let (average, marks) = term_marks(rng, level, *periods);
        averages.push(average);
        scores.push(SubjectScore { subject: (*subject).to_owned(), ..marks });
    }
    let mut failed = 0;
    for subject in comment {
        let fails = happens(rng, if level < pass { 0.03 } else { 0.000_2 });
        failed += usize::from(fails);
        scores.push(score(subject, None, Some(if fails { "CD" } else { "D" })));
    }
    let conduct = pick_weighted(rng, &[("1", 88.0), ("2", 10.5), ("3", 1.3), ("4", 0.2)]);
    TermResult {
        learning_rating: Some((rating::learning(&averages, failed) as u8).to_string()),
        conduct: Some(conduct.to_owned()),
        subject_scores: scores,
        ..TermResult::default()
    }
}

/// Regular marks, midterm and final about the pupil's ability in this subject, and their term average.
fn term_marks(rng: &mut Chance, level: f64, periods: u32) -> (Tenths, SubjectScore) {
    let inclination = level + normal(rng, 0.0, 0.5);
    let mark = |rng: &mut Chance| (normal(rng, inclination, 0.7) * 10.0).round().clamp(0.0, 100.0) as Tenths;
    let regular: Vec<Tenths> = (0..rating::regular_marks(periods)).map(|_| mark(rng)).collect();
    let midterm = mark(rng);
    let last = mark(rng);
    let average = rating::term_average(&regular, midterm, last);
    let shown = |mark: Tenths| Some(f64::from(mark) / 10.0);
    let nth = |i: usize| regular.get(i).and_then(|mark| shown(*mark));
    let marks = SubjectScore {
        score: shown(average),
        regular_1: nth(0),
        regular_2: nth(1),
        regular_3: nth(2),
        regular_4: nth(3),
        midterm: shown(midterm),
        final_test: shown(last),
        ..SubjectScore::default()
    };
    (average, marks)
}

/// Primary school: tests at the end of the term, levels for all subjects, fifteen qualities and abilities. The result is the
/// rule of TT 27/2020 Art 9.2 on what stands there: at the end of term 1 a provisional one.
fn primary(rng: &mut Chance, course: Course, level: f64) -> TermResult {
    let tested = course.tested();
    let mut draw = |about: f64| normal(rng, about, 0.5).round().clamp(1.0, 10.0) as u32;
    let tests: Vec<u32> = tested.iter().map(|_| draw(level)).collect();
    let others: Vec<u32> = PRIMARY_UNTESTED.iter().map(|_| draw(level + 0.6)).collect();
    // One draw for the general abilities, one for the specific ones, one for the qualities.
    let traits = [draw(level + 0.8), draw(level + 0.8), draw(level + 0.8)];
    let qualities = traits.into_iter().min().unwrap_or(1);
    let subjects = tests.iter().chain(&others).copied().min().unwrap_or(1);
    let lowest = tests.iter().copied().min().unwrap_or(1);
    let with_test = tested.iter().zip(&tests);
    let scores = with_test.map(|(s, t)| score(s, Some(f64::from(*t)), Some(mastery(*t).letter())));
    let without =
        PRIMARY_UNTESTED.iter().zip(&others).map(|(s, o)| score(s, None, Some(mastery(*o).letter())));
    TermResult {
        primary_result: Some(rating::primary(mastery(subjects), mastery(qualities), lowest).to_owned()),
        subject_scores: scores.chain(without).collect(),
        ..developed(traits, course.grade)
    }
}

/// Abilities and qualities (TT 27/2020): technology and informatics are taught from grade 3 on.
fn developed(traits: [u32; 3], grade: u8) -> TermResult {
    let [general, specific, quality] = traits.map(|points| Some(mastery(points).trait_letter().to_owned()));
    let taught = specific.clone().filter(|_| grade >= 3);
    TermResult {
        ability_self_reliance: general.clone(),
        ability_communication: general.clone(),
        ability_problem_solving: general,
        ability_language: specific.clone(),
        ability_arithmetic: specific.clone(),
        ability_science: specific.clone(),
        ability_technology: taught.clone(),
        ability_informatics: taught,
        ability_aesthetics: specific.clone(),
        ability_physical: specific,
        quality_patriotism: quality.clone(),
        quality_kindness: quality.clone(),
        quality_diligence: quality.clone(),
        quality_honesty: quality.clone(),
        quality_responsibility: quality,
        ..TermResult::default()
    }
}

fn mastery(points: u32) -> Mastery {
    match points {
        7.. => Mastery::Well,
        5..=6 => Mastery::Done,
        _ => Mastery::NotYet,
    }
}

fn score(subject: &str, score: Option<f64>, level: Option<&str>) -> SubjectScore {
    SubjectScore {
        subject: subject.to_owned(),
        score,
        level: level.map(str::to_owned),
        ..SubjectScore::default()
    }
}

/// Chosen subjects of a class.
pub fn choice(rng: &mut Chance) -> usize {
    *pick(rng, &[0, 1])
}

#[cfg(test)]
mod tests {
    use super::super::chance::chance;
    use super::*;

    fn shares(course: Course, values: [&str; 4], of: fn(&TermResult) -> Option<&String>) -> [f64; 4] {
        let mut rng = chance(3, "marks");
        let results: Vec<_> = (0..8_000)
            .map(|_| {
                let ability = course.ability(&mut rng);
                of_term(&mut rng, course, ability, "1")
            })
            .collect();
        values.map(|v| results.iter().filter(|r| of(r).is_some_and(|x| x == v)).count() as f64 / 80.0)
    }

    #[test]
    fn computed_secondary_ratings_come_near_the_expected_shares() {
        for (grade, continuing) in [(6, false), (9, false), (11, false), (12, true)] {
            let course = Course { grade, continuing, choice: 0 };
            let got = shares(course, ["1", "2", "3", "4"], |r| r.learning_rating.as_ref());
            for (got, want, tolerance) in
                [(got[0], 22.0, 3.0), (got[1], 45.0, 4.0), (got[2], 31.0, 4.0), (got[3], 2.0, 1.0)]
            {
                assert!((got - want).abs() < tolerance, "grade {grade}: {got} for {want}");
            }
            let conduct = shares(course, ["1", "2", "3", "4"], |r| r.conduct.as_ref());
            assert!((conduct[0] - 88.0).abs() < 1.5, "{conduct:?}");
        }
    }

    #[test]
    fn computed_primary_results_come_near_the_expected_shares() {
        for grade in 1..=5 {
            let course = Course { grade, continuing: false, choice: 0 };
            let got = shares(course, ["HTXS", "HTT", "HT", "CHT"], |r| r.primary_result.as_ref());
            for (got, want, tolerance) in
                [(got[0], 35.0, 4.0), (got[1], 33.0, 4.0), (got[2], 31.5, 4.0), (got[3], 0.5, 0.5)]
            {
                assert!((got - want).abs() < tolerance, "grade {grade}: {got} for {want}");
            }
        }
    }
}
