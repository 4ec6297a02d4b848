//! Names of rules, and packs of them.
use eduhub_faults::Reason;
use std::collections::BTreeMap;

/// What a rule does with a record that breaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Nothing: the rule is not run.
    Off,
    /// The record is accepted with a data issue.
    Warning,
    /// The record is refused.
    Error,
}

impl Strength {
    /// From its word in a pack: `off`, `warning`, `error`.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Off, Self::Warning, Self::Error].into_iter().find(|s| s.word() == word)
    }

    /// Its word in a pack.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])* $rule:ident = $name:literal, $reason:ident, $strength:ident, $stored:literal;)*) => {
        /// A rule between fields of a record or between records.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[doc = $doc])* $rule,)*
        }

        impl Rule {
            /// All of them.
            pub const ALL: &'static [Rule] = &[$(Rule::$rule),*];

            /// Name, as packs and reports have it.
            pub fn name(self) -> &'static str {
                match self { $(Rule::$rule => $name,)* }
            }

            /// Reason of its findings.
            pub fn reason(self) -> Reason {
                match self { $(Rule::$rule => Reason::$reason,)* }
            }

            /// Strength without a pack.
            pub const fn usual(self) -> Strength {
                match self { $(Rule::$rule => Strength::$strength,)* }
            }

            /// True for a rule over stored data: it looks at other records too, and is never an error, because it can't be
            /// known which of the records is wrong.
            pub fn stored(self) -> bool {
                match self { $(Rule::$rule => $stored,)* }
            }
        }
    };
}

rules! {
    /// Dropped out (05, 09, 12) without a reason (C.4: required iff).
    DropoutReasonMissing = "enrolment.dropout_reason_missing", Missing, Error, false;
    /// Moved in (02, 06, 10) without the school before (C.9).
    FromSchoolMissing = "enrolment.from_school_missing", Missing, Error, false;
    /// Moved out (04, 08, 11) without the school after (C.9).
    ToSchoolMissing = "enrolment.to_school_missing", Missing, Warning, false;
    /// A reason to drop out of somebody who did not.
    DropoutReasonStays = "enrolment.dropout_reason_without_dropout", Contradiction, Warning, false;
    /// A school after, of somebody who did not move out.
    ToSchoolStays = "enrolment.to_school_without_move", Contradiction, Warning, false;
    /// Moved in, and the type of enrolment is another one (C.9).
    EnrolmentType = "enrolment.type_of_move", Contradiction, Warning, false;
    /// Term of the event does not fit the status (C.9, D.8).
    EventTerm = "enrolment.term_of_event", Contradiction, Warning, false;
    /// Date of the status is outside the school year (C.9).
    StatusDate = "enrolment.status_date", OutsideSchoolYear, Warning, false;
    /// Exempt from tuition and reduced at once (C.4).
    Tuition = "pupil.tuition", Contradiction, Warning, false;
    /// A parent less than 14 years older (C.4).
    ParentAge = "pupil.parent_birth_year", DateOrder, Warning, false;
    /// Not assessed for a disability, or a degree of one, without a disability (C.4).
    Disability = "pupil.disability", Contradiction, Warning, false;
    /// Something in a pupil's life before the birth.
    PupilDates = "pupil.dates", DateOrder, Warning, false;
    /// Staff under 18 (C.5).
    StaffAge = "staff.age", Implausible, Warning, false;
    /// Recruited before 18 (C.5).
    StaffRecruited = "staff.recruited", DateOrder, Warning, false;
    /// Something in a member's life in an order that can't be.
    StaffDates = "staff.dates", DateOrder, Warning, false;
    /// Combined class without the other class's code (C.3: required iff).
    CombinedMissing = "class.combined_missing", Missing, Warning, false;
    /// Code of the other class in a class that is not combined.
    CombinedStays = "class.combined_without", Contradiction, Warning, false;
    /// Disbanded without a date (R-MERGE-4).
    DisbandedMissing = "class.disbanded_missing", Missing, Warning, false;
    /// Date or reason of disbanding in a class that goes on.
    DisbandedStays = "class.disbanded_without", Contradiction, Warning, false;
    /// Age group that is not the grade's (D.4).
    AgeGroup = "class.age_group", Contradiction, Warning, false;
    /// Several answers to how many sessions a week.
    ClassSessions = "class.sessions", Contradiction, Warning, false;
    /// A teacher is assigned to a subject that the grade does not have (C.3, TT 32/2018).
    ClassCurriculum = "class.curriculum", NotInCurriculum, Warning, false;
    /// Licence renewed before the foundation.
    SchoolDates = "school.dates", DateOrder, Warning, false;
    /// Average that the marks don't give (TT 22 Art 9.1).
    ResultAverage = "result.average", NotAsComputed, Warning, false;
    /// Learning rating that the scores don't give (TT 22 Art 9.2, 9.3).
    ResultRating = "result.learning_rating", NotAsComputed, Warning, false;
    /// Result of a primary year that levels and tests don't give (TT 27 Art 9.2).
    ResultPrimary = "result.primary_result", NotAsComputed, Warning, false;
    /// Title that the ratings don't give (TT 22 Art 15, TT 27 Art 13).
    ResultTitle = "result.title", NotAsComputed, Warning, false;
    /// Promotion that the ratings and absences don't give (TT 22 Art 12, TT 27 Art 11).
    ResultPromotion = "result.promoted", NotAsComputed, Warning, false;
    /// A subject twice, or judged in a way of another level.
    ResultSubject = "result.subject", Contradiction, Warning, false;
    /// A subject that the grade does not have (C.6, TT 32/2018).
    ResultCurriculum = "result.curriculum", NotInCurriculum, Warning, false;
    /// Trains conduct again with sufficient conduct (TT 22 Art 13).
    ResultRetraining = "result.conduct_retraining", Contradiction, Warning, false;
    /// Outcome of the year that contradicts the promotion or the ratings (TT 22 Art 12 to 14).
    ResultOutcome = "result.year_outcome", Contradiction, Warning, false;
    /// Completed primary school in a grade that is not its last.
    ResultCompleted = "result.completed_primary", Contradiction, Warning, false;
    /// Measured outside the school year.
    HealthDate = "health.measured_on", OutsideSchoolYear, Warning, false;
    /// Too thin and too fat at once.
    HealthGrowth = "health.growth", Contradiction, Warning, false;
    /// Absent outside the school year.
    AttendanceDate = "attendance.attended_on", OutsideSchoolYear, Warning, false;
    /// Taken again at another time than the summer that ends the year (TT 22 Art 14).
    RetakeDate = "retake.retaken_on", OutsideSchoolYear, Warning, false;
    /// Taken again in a subject that the grade does not have (TT 32/2018).
    RetakeCurriculum = "retake.curriculum", NotInCurriculum, Warning, false;
    /// Promoted with ratings that don't allow it.
    RetakePromotion = "retake.promoted", NotAsComputed, Warning, false;
    /// Graduated in a grade that is not the last of its level (C.7).
    GraduationGrade = "graduation.grade", NotFinalGrade, Warning, false;
    /// Pupil of the school without a class (C.7).
    GraduationClassMissing = "graduation.class_missing", Missing, Warning, false;
    /// Free candidate with a class, or a grade of graduation without graduation.
    GraduationFields = "graduation.fields", Contradiction, Warning, false;
    /// Free candidate too young for the exam.
    CandidateAge = "free_candidate.age", Implausible, Warning, false;
    /// Status that can't follow the one before (C.9).
    StatusChange = "enrolment.status_change", StatusChange, Warning, true;
    /// In class in two enrolments of a year (C.9).
    DoubleEnrolment = "enrolment.double", DoubleEnrolment, Warning, true;
    /// Age against grade (C.4).
    AgeForGrade = "enrolment.age_for_grade", AgeForGrade, Warning, true;
    /// Too many pupils in a class.
    ClassSize = "class.size", ClassSize, Warning, true;
    /// Homeroom teacher not on the staff or not in service (C.3).
    HomeroomTeacher = "class.homeroom_teacher", TeacherNotActive, Warning, true;
    /// Teacher of a subject not on the staff or not in service (C.3).
    SubjectTeacher = "class.subject_teacher", SubjectTeacherNotActive, Warning, true;
    /// Conduct of the year that those of its terms don't give (TT 22 Art 8).
    YearConduct = "result.year_conduct", YearNotAsTerms, Warning, true;
    /// Height fell (C.10).
    HeightDrop = "health.height_drop", HeightDrop, Warning, true;
    /// Result without an enrolment (C.6, C.7).
    NotEnrolled = "result.not_enrolled", NotEnrolled, Warning, true;
    /// Same name, birth date, sex and guardian as another record.
    LikelyDuplicate = "pupil.likely_duplicate", LikelyDuplicate, Warning, true;
}

/// A name in a pack that is no rule, or a strength that the rule can't have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotARule(pub String);

impl std::fmt::Display for NotARule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no such rule, or not of this severity: {}", self.0)
    }
}

impl std::error::Error for NotARule {}

/// Which rules are in force, and how strong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulePack {
    strengths: [Strength; Rule::ALL.len()],
}

impl RulePack {
    /// Every rule at its usual strength.
    pub const USUAL: RulePack = {
        let mut strengths = [Strength::Off; Rule::ALL.len()];
        let mut i = 0;
        while i < strengths.len() {
            strengths[i] = Rule::ALL[i].usual();
            i += 1;
        }
        RulePack { strengths }
    };

    /// Of names and words; a rule that is not named is off.
    ///
    /// # Errors
    /// [`NotARule`] for a name or word that is none, and for a rule over stored data as an error.
    pub fn of<'a>(named: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, NotARule> {
        let by_name: BTreeMap<&str, usize> =
            Rule::ALL.iter().enumerate().map(|(i, r)| (r.name(), i)).collect();
        let mut pack = Self { strengths: [Strength::Off; Rule::ALL.len()] };
        for (name, word) in named {
            let wrong = || NotARule(format!("{name} {word}"));
            let at = *by_name.get(name).ok_or_else(wrong)?;
            let strength = Strength::parse(word).ok_or_else(wrong)?;
            if strength == Strength::Error && Rule::ALL[at].stored() {
                return Err(wrong());
            }
            pack.strengths[at] = strength;
        }
        Ok(pack)
    }

    /// How strong a rule is.
    pub fn strength(&self, rule: Rule) -> Strength {
        self.strengths[rule as usize]
    }
}

impl Default for RulePack {
    fn default() -> Self {
        Self::USUAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_stored_rules_share_no_reason_with_others() {
        let names: BTreeSet<_> = Rule::ALL.iter().map(|r| r.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
        // Issues of stored rules are opened and closed apart, by reason.
        let reasons = |stored: bool| {
            Rule::ALL
                .iter()
                .filter(|r| r.stored() == stored)
                .map(|r| r.reason() as i32)
                .collect::<BTreeSet<_>>()
        };
        assert!(reasons(true).is_disjoint(&reasons(false)));
        assert_eq!(reasons(true).len(), Rule::ALL.iter().filter(|r| r.stored()).count());
    }

    #[test]
    fn a_pack_is_read_by_names() {
        let pack = RulePack::of([("pupil.tuition", "error"), ("class.size", "warning")]).unwrap();
        assert_eq!(pack.strength(Rule::Tuition), Strength::Error);
        assert_eq!(pack.strength(Rule::ClassSize), Strength::Warning);
        assert_eq!(pack.strength(Rule::ParentAge), Strength::Off);
        assert_eq!(RulePack::default().strength(Rule::ParentAge), Strength::Warning);
        for wrong in [("pupil.tution", "error"), ("pupil.tuition", "fatal"), ("class.size", "error")] {
            assert!(RulePack::of([wrong]).is_err(), "{wrong:?}");
        }
        let usual = Rule::ALL.iter().map(|r| (r.name(), r.usual().word()));
        assert_eq!(RulePack::of(usual), Ok(RulePack::USUAL));
    }
}
