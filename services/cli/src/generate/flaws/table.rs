//! The flaws. What the hub should say of each is written here by hand, not asked of its rules.
use super::{Around, kind_name};
use crate::generate::Effect;
use eduhub_proto::registry::v1::{
    Attendance, Class, Enrolment, FreeCandidate, Graduation, Health, Pupil, Retake, School, Staff,
    TermResult, record::Record as Any,
};
use serde::{Deserialize, Serialize};

/// Code of nobody on any staff.
const NOBODY: &str = "GV370000000";
/// A school of another province.
const ELSEWHERE: &str = "01000040001";

macro_rules! flaws {
    ($($(#[doc = $doc:literal])* $name:ident on $kind:ident: $reason:literal, $effect:ident, $break:expr;)*) => {
        /// A flaw of one record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Flaw { $($(#[doc = $doc])* $name,)* }

        impl Flaw {
            /// All of them.
            pub const ALL: &'static [Flaw] = &[$(Flaw::$name),*];

            /// Reason (without prefix) and effect of the finding.
            pub fn expected(self) -> (&'static str, Effect) {
                match self { $(Flaw::$name => ($reason, Effect::$effect),)* }
            }

            /// Name of the kind of record that it can befall, without its prefix.
            pub fn kind(self) -> &'static str {
                match self { $(Flaw::$name => kind_name::<$kind>(),)* }
            }

            /// Breaks a record and gives the field that the finding names; `None`, and nothing changed, when this one can't be
            /// broken so.
            pub(super) fn plant(self, record: &mut Any, around: &Around) -> Option<String> {
                match (self, record) {
                    $((Flaw::$name, Any::$kind(record)) => {
                        let breaks: fn(&mut $kind, &Around) -> Option<String> = $break;
                        breaks(record, around)
                    })*
                    _ => None,
                }
            }
        }
    };
}

/// The field, after it was broken.
fn at(field: &str) -> Option<String> {
    Some(field.to_owned())
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn grade(code: Option<&str>) -> u8 {
    code.and_then(|g| g.parse().ok()).unwrap_or(0)
}

/// A subject that the grade does not have.
fn foreign(grade: u8) -> &'static str {
    if grade <= 9 { "KTPL" } else { "TNXH" }
}

/// True for grades that no centre of continuing education has: its classes have fewer fields.
fn below_upper(code: &str) -> bool {
    !(10..=12).contains(&grade(Some(code)))
}

/// True for a result from grade 6 on.
fn secondary(r: &TermResult) -> bool {
    (6..=12).contains(&grade(r.grade.as_deref()))
}

flaws! {
    /// Licence renewed before the foundation; of a centre, others have none.
    LicenceBeforeFoundation on School: "DATE_ORDER", Warning, |s, _| {
        let founded = s.founded_on.as_deref().filter(|_| s.level_group == "05")?;
        let year: i32 = founded.get(..4)?.parse().ok()?;
        s.licence_renewal_date = Some(format!("{}-01-15", year - 1));
        at("licence_renewal_date")
    };
    /// Gone, and dropped out without a reason.
    DropoutReasonMissing on Enrolment: "MISSING", Error, |e, _| {
        let gone = matches!(e.student_status.as_str(), "04" | "05");
        gone.then(|| {
            (e.student_status, e.dropout_reason, e.to_school) = ("05".into(), None, None);
            at("dropout_reason")
        })?
    };
    /// Moved in from nowhere; of a child without results, which would wait for nothing.
    FromSchoolMissing on Enrolment: "MISSING", Error, |e, _| {
        let child = e.student_status == "02" && (14..=17).contains(&grade(Some(&e.grade)));
        child.then(|| e.from_school.take()).flatten().and(at("from_school"))
    };
    /// Moved out to nowhere.
    ToSchoolMissing on Enrolment: "MISSING", Warning, |e, _| {
        (e.student_status == "04").then(|| e.to_school.take()).flatten().and(at("to_school"))
    };
    /// A reason to drop out of somebody who is in class.
    DropoutReasonStays on Enrolment: "CONTRADICTION", Warning, |e, _| {
        (e.student_status == "01").then(|| e.dropout_reason = text("06")).and(at("dropout_reason"))
    };
    /// A school to move to of somebody who is in class.
    ToSchoolStays on Enrolment: "CONTRADICTION", Warning, |e, _| {
        (e.student_status == "01").then(|| e.to_school = text(ELSEWHERE)).and(at("to_school"))
    };
    /// Moved in, as newly recruited.
    TypeOfMove on Enrolment: "CONTRADICTION", Warning, |e, _| {
        (e.student_status == "02").then(|| e.enrolment_type = "1".into()).and(at("enrolment_type"))
    };
    /// An event of term 1 in term 2.
    TermOfEvent on Enrolment: "CONTRADICTION", Warning, |e, _| {
        let event = matches!(e.student_status.as_str(), "02" | "03" | "05");
        event.then(|| e.term_of_event = text("2")).and(at("term_of_event"))
    };
    /// In class before the school year.
    StatusBeforeYear on Enrolment: "OUTSIDE_SCHOOL_YEAR", Warning, |e, around| {
        (e.student_status == "01").then(|| e.status_on = format!("{}-06-15", around.school_year)).and(at("status_on"))
    };
    /// Enrolled in grade 1 at ten.
    GradeOfAnotherAge on Enrolment: "AGE_FOR_GRADE", Warning, |e, _| {
        (e.student_status == "01" && e.grade == "5").then(|| e.grade = "1".into()).and(at("grade"))
    };
    /// A degree of no disability.
    DisabilityDegree on Pupil: "CONTRADICTION", Warning, |p, _| {
        p.disability_type.is_none().then(|| p.disability_degree = text("1")).and(at("disability_degree"))
    };
    /// A paper that is older than its holder.
    PaperBeforeBirth on Pupil: "DATE_ORDER", Warning, |p, _| {
        let year: i32 = p.birth_date.get(..4)?.parse().ok()?;
        p.id_issued_on.as_mut().map(|on| *on = format!("{}-03-01", year - 1)).and(at("id_issued_on"))
    };
    /// Recruited as a child.
    RecruitedEarly on Staff: "DATE_ORDER", Warning, |s, _| {
        let year: i32 = s.birth_date.get(..4)?.parse().ok()?;
        s.recruited_on.as_mut().map(|on| *on = format!("{}-06-01", year + 15)).and(at("recruited_on"))
    };
    /// A member of sixteen years; without a number that says another year.
    StaffOfSixteen on Staff: "IMPLAUSIBLE", Warning, |s, around| {
        s.personal_id = None;
        s.birth_date = format!("{}-05-05", around.school_year - 16);
        at("birth_date")
    };
    /// Paid as a child.
    PaidEarly on Staff: "DATE_ORDER", Warning, |s, _| {
        let year: i32 = s.birth_date.get(..4)?.parse().ok()?;
        s.salary_from = Some(format!("{}-06-01", year + 16));
        at("salary_from")
    };
    /// A combined class that does not say with which.
    CombinedWithNone on Class: "MISSING", Warning, |c, _| {
        c.is_combined_class.as_mut().filter(|_| below_upper(&c.grade)).map(|is| *is = true).and(at("combined_class_code"))
    };
    /// A class that is not combined, and with which.
    CombinedCodeStays on Class: "CONTRADICTION", Warning, |c, _| {
        (c.is_combined_class == Some(false) && below_upper(&c.grade)).then(|| c.combined_class_code = text("X1")).and(at("combined_class_code"))
    };
    /// Disbanded on no day.
    DisbandedNoDay on Class: "MISSING", Warning, |c, _| {
        c.disbanded.as_mut().map(|is| *is = true).and(at("disbanded_on"))
    };
    /// Goes on and was disbanded on a day.
    DisbandedDayStays on Class: "CONTRADICTION", Warning, |c, around| {
        (c.disbanded == Some(false)).then(|| c.disbanded_on = Some(format!("{}-10-01", around.school_year))).and(at("disbanded_on"))
    };
    /// Age group of babies.
    AgeGroup on Class: "CONTRADICTION", Warning, |c, _| {
        c.preschool_age_group.as_mut().map(|group| *group = "01".into()).and(at("preschool_age_group"))
    };
    /// Five sessions a week and nine.
    SessionsTwice on Class: "CONTRADICTION", Warning, |c, _| {
        let primary = (1..=5).contains(&grade(Some(&c.grade)));
        primary.then(|| (c.five_sessions_per_week, c.nine_to_ten_sessions_per_week) = (Some(true), Some(true)))
            .and(at("nine_to_ten_sessions_per_week"))
    };
    /// Somebody teaches a subject that the grade does not have.
    ForeignSubjectTaught on Class: "NOT_IN_CURRICULUM", Warning, |c, _| {
        let code = foreign(grade(Some(&c.grade)));
        c.subject_assignments.first_mut().map(|a| a.subject = text(code)).and(at("subject_assignments[0].subject"))
    };
    /// The homeroom teacher is nobody.
    HomeroomNobody on Class: "TEACHER_NOT_ACTIVE", Warning, |c, _| {
        c.homeroom_teacher_code.as_mut().map(|code| *code = NOBODY.into()).and(at("homeroom_teacher_code"))
    };
    /// A subject's teacher is nobody.
    SubjectTeacherNobody on Class: "SUBJECT_TEACHER_NOT_ACTIVE", Warning, |c, _| {
        c.subject_assignments.first_mut().map(|a| a.staff_code = text(NOBODY)).and(at("subject_assignments[0].staff_code"))
    };
    /// Average of a term that the marks don't give.
    AverageDiffers on TermResult: "NOT_AS_COMPUTED", Warning, |r, _| {
        let judged = secondary(r) && r.term != "3";
        let score = r.subject_scores.first_mut().filter(|_| judged)?;
        score.midterm = score.midterm.map(|mark| if mark >= 5.0 { mark - 4.0 } else { mark + 4.0 });
        at("subject_scores[0].score")
    };
    /// A better result of a primary term than levels and tests give.
    PrimaryResultDiffers on TermResult: "NOT_AS_COMPUTED", Warning, |r, _| {
        let done = r.primary_result.as_deref() == Some("HT") && r.term != "3";
        done.then(|| r.primary_result = text("HTT")).and(at("primary_result"))
    };
    /// A title with a rating that has none.
    TitleUnearned on TermResult: "NOT_AS_COMPUTED", Warning, |r, _| {
        let weak = secondary(r) && r.learning_rating.as_deref() == Some("3");
        weak.then(|| r.title = text("G")).and(at("title"))
    };
    /// Kept back against the ratings.
    KeptBack on TermResult: "NOT_AS_COMPUTED", Warning, |r, _| {
        (secondary(r) && r.promoted == Some(true)).then(|| (r.promoted, r.year_outcome) = (Some(false), None)).and(at("promoted"))
    };
    /// A subject twice.
    SubjectTwice on TermResult: "CONTRADICTION", Warning, |r, _| {
        let last = r.subject_scores.last()?.clone();
        r.subject_scores.push(last);
        Some(format!("subject_scores[{}].subject", r.subject_scores.len() - 1))
    };
    /// A subject that the grade does not have.
    ForeignSubject on TermResult: "NOT_IN_CURRICULUM", Warning, |r, _| {
        let code = foreign(grade(r.grade.as_deref()));
        let n = r.subject_scores.len();
        r.subject_scores.last_mut().map(|s| s.subject = code.into()).map(|()| format!("subject_scores[{}].subject", n - 1))
    };
    /// Trains good conduct again.
    Retraining on TermResult: "CONTRADICTION", Warning, |r, _| {
        let good = secondary(r) && r.term == "3" && r.conduct.as_deref() == Some("1");
        good.then(|| r.conduct_retraining = Some(true)).and(at("conduct_retraining"))
    };
    /// Promoted and kept back.
    OutcomeOfAnother on TermResult: "CONTRADICTION", Warning, |r, _| {
        (secondary(r) && r.promoted == Some(true)).then(|| r.year_outcome = text("2")).and(at("year_outcome"))
    };
    /// Completed primary school before its last grade.
    CompletedEarly on TermResult: "CONTRADICTION", Warning, |r, _| {
        let early = r.term == "3" && (1..=4).contains(&grade(r.grade.as_deref()));
        early.then(|| r.completed_primary_programme = Some(true)).and(at("completed_primary_programme"))
    };
    /// Fair conduct of the year from two good terms.
    YearConductDiffers on TermResult: "YEAR_NOT_AS_TERMS", Warning, |r, _| {
        let good = secondary(r) && r.term == "3" && r.title.is_none() && r.conduct.as_deref() == Some("1");
        good.then(|| r.conduct = text("2")).and(at("conduct"))
    };
    /// Result of another class than the pupil's.
    ResultOfAnotherClass on TermResult: "NOT_ENROLLED", Warning, |r, around| {
        let other = around.classes.iter().find(|code| **code != r.class_code)?;
        r.class_code.clone_from(other);
        at("student_code")
    };
    /// Measured before the school year.
    MeasuredEarly on Health: "OUTSIDE_SCHOOL_YEAR", Warning, |h, around| {
        h.measured_on = format!("{}-06-10", around.school_year);
        at("measured_on")
    };
    /// Too thin and too fat.
    ThinAndFat on Health: "CONTRADICTION", Warning, |h, _| {
        let sound = h.wasted == Some(false) && h.underweight.is_some();
        sound.then(|| (h.underweight, h.obese) = (Some(true), Some(true))).and(at("underweight"))
    };
    /// Absent in the holidays.
    AbsentInHolidays on Attendance: "OUTSIDE_SCHOOL_YEAR", Warning, |a, around| {
        a.attended_on = format!("{}-06-05", around.school_year);
        at("attended_on")
    };
    /// Taken again in winter.
    RetakenInWinter on Retake: "OUTSIDE_SCHOOL_YEAR", Warning, |r, around| {
        r.retaken_on.as_mut().map(|on| *on = format!("{}-12-01", around.school_year)).and(at("retaken_on"))
    };
    /// Promoted although the subjects were failed again.
    PromotedAllTheSame on Retake: "NOT_AS_COMPUTED", Warning, |r, _| {
        (r.learning_rating.as_deref() == Some("4")).then(|| r.promoted = Some(true)).and(at("promoted"))
    };
    /// Taken again in a subject that the grade does not have.
    ForeignSubjectRetaken on Retake: "NOT_IN_CURRICULUM", Warning, |r, _| {
        let code = foreign(grade(r.grade.as_deref()));
        r.subject_scores.first_mut().map(|s| s.subject = code.into()).and(at("subject_scores[0].subject"))
    };
    /// Graduated a year early.
    GraduatedEarly on Graduation: "NOT_FINAL_GRADE", Warning, |g, _| {
        let earlier = match g.grade.as_deref()? { "9" => "8", _ => "11" };
        g.grade = text(earlier);
        at("grade")
    };
    /// A graduate of the school without a class.
    GraduateWithoutClass on Graduation: "MISSING", Warning, |g, _| {
        (g.is_free_candidate == Some(false)).then(|| g.class_code.take()).flatten().and(at("class_code"))
    };
    /// Not graduated, with a grade of graduation.
    GradeWithoutGraduation on Graduation: "CONTRADICTION", Warning, |g, _| {
        g.graduation_grade.is_some().then(|| g.graduated = Some(false)).and(at("graduation_grade"))
    };
    /// A candidate of twelve.
    CandidateOfTwelve on FreeCandidate: "IMPLAUSIBLE", Warning, |c, around| {
        c.personal_id = None;
        c.birth_date = Some(format!("{}-05-05", around.school_year - 12));
        at("birth_date")
    };
}
