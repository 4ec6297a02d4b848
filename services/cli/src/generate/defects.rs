//! What is broken on purpose, and what the hub should say of it.
use super::chance::{Chance, happens, pick};
use super::people::{Citizen, Person, Sex};
use super::settings::DefectShares;
use super::{Flaw, GenerateError, names, numbers::Numbers};
use eduhub_proto::{dictionary::Record as _, registry::v1::Pupil};
use rand::Rng;
use serde::{Deserialize, Serialize};
use time::{Date, Duration, Month};
use unicode_normalization::UnicodeNormalization;

/// Latest year of birth of a mother that is plausible by itself.
fn youngest_mother() -> f64 {
    let field = Pupil::META.fields.iter().find(|field| field.name == "mother_birth_year");
    field.and_then(|field| field.plausible).map_or(f64::INFINITY, |(_, latest)| latest)
}

/// A planted defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Defect {
    /// No personal ID.
    MissingId,
    /// A digit too many or several too few (an old nine-digit number).
    IdLength,
    /// The leading zero is gone.
    IdLostZero,
    /// Letter O for a zero.
    IdLetterO,
    /// The ID says another sex.
    IdSexClash,
    /// The ID says another birth year.
    IdYearClash,
    /// The ID of an earlier pupil of the same school, of the same sex and birth year.
    IdDuplicate,
    /// Name in decomposed Unicode.
    NameNfd,
    /// Double space in the name.
    NameDoubleSpace,
    /// Name in capitals.
    NameAllCaps,
    /// Birth date as Excel serial number.
    DateExcelSerial,
    /// Height outside what is plausible.
    HeightOutlier,
    /// The population database holds another name or birth date under this ID.
    PopulationMismatch,
    /// Exempt from tuition and reduced at once.
    TuitionBoth,
    /// A mother nine years older than the child.
    ParentTooYoung,
    /// A learning rating that the scores don't give.
    RatingDiffers,
    /// In class in two classes of the year; planted on both enrolments.
    DoubleEnrolment,
    /// Lower than in the term before, by more than a measuring error.
    HeightDrop,
    /// A second record of a pupil, under a temporary code and without a number; planted on both.
    LikelyDuplicate,
    /// A class that no classroom holds.
    ClassSize,
    /// A flaw of one record; written by its own name.
    #[serde(untagged)]
    Flaw(Flaw),
}

/// What becomes of a record with a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Effect {
    /// The record is refused.
    Error,
    /// The record is accepted with a data issue.
    Warning,
    /// The record is accepted; verification with the population database finds it.
    Population,
}

/// One planted defect: a line of `truth.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// School.
    pub school_code: String,
    /// Name of the kind without its prefix, e.g. `PUPIL`.
    pub kind: String,
    /// Key in the school, without the year.
    pub record_key: String,
    /// The defect.
    pub defect: Defect,
    /// Name of the `Reason` without its prefix.
    pub expected_reason: String,
    /// What becomes of the record.
    pub severity: Effect,
    /// Field that the finding names.
    pub field: String,
    /// True when verification with the population database finds this record besides: its ID is not its own.
    pub also_population_mismatch: bool,
}

impl Defect {
    /// Defects of pupils, those of the same effect together.
    pub const OF_PUPILS: [Defect; 14] = [
        Defect::MissingId,
        Defect::IdLength,
        Defect::IdLostZero,
        Defect::IdLetterO,
        Defect::IdSexClash,
        Defect::IdYearClash,
        Defect::IdDuplicate,
        Defect::NameNfd,
        Defect::NameDoubleSpace,
        Defect::NameAllCaps,
        Defect::DateExcelSerial,
        Defect::PopulationMismatch,
        Defect::TuitionBoth,
        Defect::ParentTooYoung,
    ];

    /// True for a defect that only rules over stored data find: no record shows it by itself.
    pub fn is_between_records(self) -> bool {
        match self {
            Defect::Flaw(flaw) => flaw.is_between_records(),
            other => matches!(
                other,
                Defect::IdDuplicate
                    | Defect::DoubleEnrolment
                    | Defect::HeightDrop
                    | Defect::LikelyDuplicate
                    | Defect::ClassSize
            ),
        }
    }

    /// Share of the records it can befall.
    pub fn share(self, s: &DefectShares) -> f64 {
        match self {
            Defect::MissingId => s.missing_id,
            Defect::IdLength => s.id_length,
            Defect::IdLostZero => s.id_lost_zero,
            Defect::IdLetterO => s.id_letter_o,
            Defect::IdSexClash | Defect::IdYearClash => s.id_clash / 2.0,
            Defect::IdDuplicate => s.id_duplicate,
            Defect::NameNfd => s.name_nfd,
            Defect::NameDoubleSpace => s.name_spaces,
            Defect::NameAllCaps => s.name_capitals,
            Defect::DateExcelSerial => s.date_serial,
            Defect::HeightOutlier => s.height_outlier,
            Defect::PopulationMismatch => s.population_mismatch,
            Defect::TuitionBoth => s.tuition_both,
            Defect::ParentTooYoung => s.parent_too_young,
            Defect::RatingDiffers => s.rating_differs,
            Defect::DoubleEnrolment => s.double_enrolment,
            Defect::HeightDrop | Defect::LikelyDuplicate | Defect::ClassSize | Defect::Flaw(_) => s.flaw,
        }
    }

    /// Reason (without prefix), effect and field of the finding; a flaw says its field when it is planted.
    pub fn expected(self) -> (&'static str, Effect, &'static str) {
        match self {
            Defect::MissingId => ("MISSING", Effect::Warning, "personal_id"),
            Defect::IdLength | Defect::IdLostZero => ("PERSONAL_ID_LENGTH", Effect::Error, "personal_id"),
            Defect::IdLetterO => ("PERSONAL_ID_NOT_DIGITS", Effect::Error, "personal_id"),
            Defect::IdSexClash => ("PERSONAL_ID_SEX", Effect::Warning, "personal_id"),
            Defect::IdYearClash => ("PERSONAL_ID_YEAR", Effect::Warning, "personal_id"),
            Defect::IdDuplicate => ("PERSONAL_ID_DUPLICATE", Effect::Warning, "personal_id"),
            Defect::NameNfd => ("NOT_NFC", Effect::Error, "full_name"),
            Defect::NameDoubleSpace => ("BAD_SPACING", Effect::Error, "full_name"),
            Defect::NameAllCaps => ("NAME_ALL_CAPS", Effect::Warning, "full_name"),
            Defect::DateExcelSerial => ("BAD_DATE", Effect::Error, "birth_date"),
            Defect::HeightOutlier => ("IMPLAUSIBLE", Effect::Warning, "height_cm"),
            Defect::PopulationMismatch => ("POPULATION_MISMATCH", Effect::Population, "personal_id"),
            Defect::TuitionBoth => ("CONTRADICTION", Effect::Warning, "tuition_reduced"),
            Defect::ParentTooYoung => ("DATE_ORDER", Effect::Warning, "mother_birth_year"),
            Defect::RatingDiffers => ("NOT_AS_COMPUTED", Effect::Warning, "learning_rating"),
            Defect::DoubleEnrolment => ("DOUBLE_ENROLMENT", Effect::Warning, "student_code"),
            Defect::HeightDrop => ("HEIGHT_DROP", Effect::Warning, "height_cm"),
            Defect::LikelyDuplicate => ("LIKELY_DUPLICATE", Effect::Warning, "full_name"),
            Defect::ClassSize => ("CLASS_SIZE", Effect::Warning, "class_code"),
            Defect::Flaw(flaw) => (flaw.expected().0, flaw.expected().1, ""),
        }
    }

    /// The line of `truth.jsonl`.
    pub fn truth(self, school_code: &str, kind: &str, record_key: String) -> Truth {
        let (reason, severity, field) = self.expected();
        Truth {
            school_code: school_code.to_owned(),
            kind: kind.to_owned(),
            record_key,
            defect: self,
            expected_reason: reason.to_owned(),
            severity,
            field: field.to_owned(),
            also_population_mismatch: matches!(
                self,
                Defect::IdSexClash | Defect::IdYearClash | Defect::IdDuplicate
            ),
        }
    }
}

/// Decides which pupils of a school get which defect.
pub struct Planting {
    shares: DefectShares,
    owed: Vec<Defect>,
    pupils_left: usize,
}

impl Planting {
    /// For a school of so many pupils. The first school of a run carries every defect at least once, so that also the
    /// smallest run meets every rule.
    pub fn new(shares: DefectShares, pupils: usize, first: bool) -> Self {
        // None at all where no defects are wanted.
        let first = first && shares.flaw > 0.0;
        Self { shares, owed: if first { Defect::OF_PUPILS.to_vec() } else { vec![] }, pupils_left: pupils }
    }

    /// The defect of the next pupil, if any.
    pub fn next(&mut self, rng: &mut Chance) -> Option<Defect> {
        let left = self.pupils_left.max(1);
        self.pupils_left = left - 1;
        if !self.owed.is_empty() && happens(rng, self.owed.len() as f64 / left as f64) {
            return self.owed.pop();
        }
        let mut at = rng.random::<f64>();
        Defect::OF_PUPILS.into_iter().find(|d| {
            at -= d.share(&self.shares);
            at < 0.0
        })
    }

    /// The defect could not be planted on that pupil: the next ones get it.
    pub fn put_back(&mut self, defect: Defect) {
        self.owed.push(defect);
    }
}

/// The record with the defect; `None` when this pupil can't have it. `twins` are the IDs of earlier sound pupils of the same
/// sex and birth year.
///
/// # Errors
/// [`GenerateError::Numbers`].
pub fn break_pupil(
    rng: &mut Chance,
    numbers: &mut Numbers,
    defect: Defect,
    person: &Person,
    sound: &Pupil,
    twins: &[String],
) -> Result<Option<Pupil>, GenerateError> {
    let id = person.personal_id.as_str();
    let name = person.full_name.as_str();
    let mut broken = sound.clone();
    match defect {
        Defect::MissingId => broken.personal_id = None,
        Defect::IdLength => broken.personal_id = Some(wrong_length(rng, id)),
        Defect::IdLostZero => broken.personal_id = Some(id.trim_start_matches('0').to_owned()),
        Defect::IdLetterO => broken.personal_id = Some(id.replacen('0', "O", 1)),
        Defect::IdSexClash => {
            broken.personal_id =
                Some(numbers.personal_id(person.prefix, person.sex.other(), person.born.year())?);
        }
        Defect::IdYearClash => {
            let year = person.born.year() - rng.random_range(1..=2);
            broken.personal_id = Some(numbers.personal_id(person.prefix, person.sex, year)?);
        }
        Defect::IdDuplicate if twins.is_empty() => return Ok(None),
        Defect::IdDuplicate => broken.personal_id = Some(pick(rng, twins).clone()),
        Defect::NameNfd => {
            broken.full_name = name.nfd().collect();
            if broken.full_name == name {
                return Ok(None);
            }
        }
        Defect::NameDoubleSpace => broken.full_name = name.replacen(' ', "  ", 1),
        Defect::NameAllCaps => broken.full_name = name.to_uppercase(),
        Defect::DateExcelSerial => broken.birth_date = excel_serial(person.born).to_string(),
        Defect::TuitionBoth => {
            (broken.tuition_exempt, broken.tuition_reduced) = (Some(true), Some(true));
        }
        // Of the youngest children even that year is one in which no mother was born.
        Defect::ParentTooYoung if f64::from(person.born.year() - 9) > youngest_mother() => return Ok(None),
        Defect::ParentTooYoung => broken.mother_birth_year = Some(person.born.year() - 9),
        // Of the person outside, or of other records.
        Defect::PopulationMismatch
        | Defect::HeightOutlier
        | Defect::RatingDiffers
        | Defect::DoubleEnrolment
        | Defect::HeightDrop
        | Defect::LikelyDuplicate
        | Defect::ClassSize
        | Defect::Flaw(_) => {}
    }
    Ok(Some(broken))
}

/// Two digits lost or one typed twice; never twelve.
fn wrong_length(rng: &mut Chance, id: &str) -> String {
    if happens(rng, 0.5) { id[..id.len() - 2].to_owned() } else { format!("{id}{}", &id[id.len() - 1..]) }
}

/// Days since 1899-12-30, as Excel counts dates after February 1900.
fn excel_serial(date: Date) -> i64 {
    Date::from_calendar_date(1899, Month::December, 30).map_or(0, |zero| (date - zero).whole_days())
}

/// What the population database holds of a person whom it knows otherwise.
pub fn known_otherwise(rng: &mut Chance, person: &Person) -> Citizen {
    let citizen = person.citizen();
    if happens(rng, 0.6) {
        let ho_ten = names::misheard(rng, &person.full_name, person.sex);
        Citizen { ho_ten, ..citizen }
    } else {
        let days = rng.random_range(1..=20);
        // Within the same year: the ID goes on agreeing with it.
        let other = if person.born.ordinal() > 30 {
            person.born - Duration::days(days)
        } else {
            person.born + Duration::days(days)
        };
        Citizen { ngay_sinh: other.to_string(), ..citizen }
    }
}

/// Key of those who can share an ID unnoticed by its digits.
pub type TwinKey = (Sex, i32);

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn excel_counts_from_the_end_of_1899() {
        assert_eq!(excel_serial(date!(2010 - 01 - 01)), 40_179);
    }

    #[test]
    fn the_dictionary_knows_the_youngest_mother() {
        assert!((1900.0..2030.0).contains(&youngest_mother()), "{}", youngest_mother());
    }

    #[test]
    fn reasons_are_names_of_the_api() {
        use eduhub_proto::common::v1::Reason;
        let others = [Defect::HeightOutlier, Defect::RatingDiffers, Defect::DoubleEnrolment];
        for d in Defect::OF_PUPILS.into_iter().chain(others).chain(Flaw::ALL.iter().map(|f| Defect::Flaw(*f)))
        {
            let name = format!("REASON_{}", d.expected().0);
            assert!(Reason::from_str_name(&name).is_some(), "{name}");
        }
    }
}
