//! Needs, existence and dates by level, on a record of two lists made for it.
use super::*;
use crate::CodeTable;
use eduhub_proto::dictionary::{FieldType, Known, MessageMeta};
use time::macros::date;

#[derive(Clone, PartialEq, prost::Message)]
struct Visit {
    #[prost(string, optional, tag = "1")]
    grade: Option<String>,
    #[prost(string, optional, tag = "2")]
    swims: Option<String>,
    #[prost(bool, optional, tag = "3")]
    lunch: Option<bool>,
    #[prost(string, optional, tag = "4")]
    district: Option<String>,
    #[prost(message, repeated, tag = "5")]
    marks: Vec<Mark>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Mark {
    #[prost(string, optional, tag = "1")]
    hand: Option<String>,
}

const PRESCHOOL: Levels = Levels::of(Level::Preschool);
const PRIMARY: Levels = Levels::of(Level::Primary);
const UPPER: Levels = Levels::of(Level::UpperSecondary);
const OPTIONAL: i32 = Need::Optional as i32;
const EXPECTED: i32 = Need::Expected as i32;
const REQUIRED: i32 = Need::Required as i32;

const PLAIN: FieldMeta = FieldMeta {
    name: "",
    number: 0,
    label: "",
    class: 1,
    need: OPTIONAL,
    needs: &[],
    levels: Levels::NONE,
    shape: 0,
    code_list: "",
    parent: 0,
    ministry: "",
    symbols: &[],
    source: "",
    until: None,
    excel: "",
    key: false,
    column: false,
    plausible: None,
    ty: FieldType::Text,
    rules: &[],
    max_chars: None,
    entries: None,
    doc: "",
};

static FIELDS: &[FieldMeta] = &[
    FieldMeta { name: "grade", number: 1, ..PLAIN },
    FieldMeta {
        name: "swims",
        number: 2,
        need: EXPECTED,
        needs: &[(UPPER, REQUIRED)],
        levels: PRIMARY.with(UPPER),
        ..PLAIN
    },
    FieldMeta { name: "lunch", number: 3, levels: PRESCHOOL, ty: FieldType::Flag, ..PLAIN },
    FieldMeta { name: "district", number: 4, until: Some(date!(2025 - 07 - 01)), ..PLAIN },
    FieldMeta { name: "marks", number: 5, ty: FieldType::List, entries: Some(&MARK), ..PLAIN },
];
static MARK_FIELDS: &[FieldMeta] =
    &[FieldMeta { name: "hand", number: 1, needs: &[(PRIMARY, REQUIRED)], ..PLAIN }];
static MARK: MessageMeta = MessageMeta { name: "Mark", fields: MARK_FIELDS, doc: "" };
static META: RecordMeta = RecordMeta {
    name: "Visit",
    kind: 1,
    label: "",
    domain: 1,
    yearly: false,
    ministry_type: 0,
    fields: FIELDS,
    keys: &[0],
    parents: &[],
    group: None,
    known: Known { grade: 1, level_group: 0, personal_id: 0, birth_date: 0, sex: 0, full_name: 0 },
    doc: "",
};

impl Annotated for Visit {
    fn fields(&self) -> &'static [FieldMeta] {
        FIELDS
    }
    fn visit(&self, v: &mut dyn Visitor) {
        FIELDS.iter().for_each(|f| v.field(f, self.value(f.number)));
    }
    fn value(&self, number: u32) -> Value<'_> {
        match number {
            1 => Value::text(self.grade.as_deref()),
            2 => Value::text(self.swims.as_deref()),
            3 => Value::flag(self.lunch),
            4 => Value::text(self.district.as_deref()),
            5 => Value::List(&self.marks),
            _ => Value::Absent,
        }
    }
    fn entries(&mut self, _: &mut dyn FnMut(&mut dyn Annotated)) {}
    fn clear(&mut self, _: u32) {}
    fn set_secret(&mut self, _: u32, _: String) {}
}

impl Annotated for Mark {
    fn fields(&self) -> &'static [FieldMeta] {
        MARK_FIELDS
    }
    fn visit(&self, v: &mut dyn Visitor) {
        v.field(&MARK_FIELDS[0], self.value(1));
    }
    fn value(&self, _: u32) -> Value<'_> {
        Value::text(self.hand.as_deref())
    }
    fn entries(&mut self, _: &mut dyn FnMut(&mut dyn Annotated)) {}
    fn clear(&mut self, _: u32) {}
    fn set_secret(&mut self, _: u32, _: String) {}
}

impl Record for Visit {
    const META: &'static RecordMeta = &META;
}

fn found(visit: &Visit, how: impl Fn(Checker<'_>) -> Checker<'_>) -> Vec<(Reason, Severity, String)> {
    let lists = CodeTable::default();
    let findings = how(Checker::new(&lists, date!(2026 - 11 - 01))).check(visit);
    findings.into_iter().map(|f| (f.reason(), f.severity(), f.field)).collect()
}

fn of_grade(grade: &str) -> Visit {
    Visit { grade: Some(grade.into()), ..Visit::default() }
}

fn missing(severity: Severity, field: &str) -> (Reason, Severity, String) {
    (Reason::Missing, severity, field.into())
}

#[test]
fn the_grade_of_a_record_decides_what_it_needs() {
    assert_eq!(found(&of_grade("3"), |c| c), vec![missing(Severity::Warning, "swims")]);
    assert_eq!(found(&of_grade("11"), |c| c), vec![missing(Severity::Error, "swims")]);
    assert_eq!(found(&of_grade("17"), |c| c), vec![]);
    // A centre of continuing education teaches the same grade as a level of its own; with both levels it teaches both.
    assert_eq!(found(&of_grade("11"), |c| c.at(Level::Continuing)), vec![]);
    let both = UPPER.with(CONTINUING);
    assert_eq!(found(&of_grade("11"), |c| c.at(both)), vec![missing(Severity::Error, "swims")]);
    // The school is an upper secondary one with a primary class: the class is judged as such.
    assert_eq!(found(&of_grade("3"), |c| c.at(UPPER)), vec![missing(Severity::Warning, "swims")]);
}

#[test]
fn without_a_grade_the_levels_of_the_school_decide() {
    let plain = Visit::default();
    assert_eq!(found(&plain, |c| c.at(Level::Primary)), vec![missing(Severity::Warning, "swims")]);
    assert_eq!(found(&plain, |c| c.at(PRIMARY.with(UPPER))), vec![missing(Severity::Error, "swims")]);
    assert_eq!(found(&plain, |c| c.at(PRESCHOOL.with(PRIMARY))), vec![missing(Severity::Warning, "swims")]);
    assert_eq!(found(&plain, |c| c), vec![], "nobody is warned on a guess");
}

#[test]
fn a_field_of_another_level_is_a_warning_but_not_a_flag_that_is_off() {
    let at = (Reason::NotAtLevel, Severity::Warning, "lunch".to_owned());
    let with = |lunch| Visit { lunch: Some(lunch), ..of_grade("9") };
    assert_eq!(found(&with(true), |c| c), vec![at]);
    assert_eq!(found(&with(false), |c| c), vec![]);
    assert_eq!(found(&Visit { lunch: Some(true), ..of_grade("16") }, |c| c), vec![]);
    assert_eq!(found(&Visit { lunch: Some(true), ..Visit::default() }, |c| c), vec![]);
}

#[test]
fn entries_of_a_list_are_at_the_level_of_their_record() {
    let mark = |hand: Option<&str>| Mark { hand: hand.map(str::to_owned) };
    let visit = |grade| Visit {
        marks: vec![mark(Some("left")), mark(None)],
        swims: Some("x".into()),
        ..of_grade(grade)
    };
    assert_eq!(found(&visit("1"), |c| c), vec![missing(Severity::Error, "marks[1].hand")]);
    assert_eq!(found(&visit("10"), |c| c), vec![]);
}

/// Districts ended with June 2025: they stay on records of the school years before, whenever these are sent.
#[test]
fn a_field_that_ended_stays_on_records_of_its_time() {
    let visit = Visit { district: Some("001".into()), ..Visit::default() };
    let retired = vec![(Reason::RetiredField, Severity::Error, "district".to_owned())];
    assert_eq!(found(&visit, |c| c), retired);
    assert_eq!(found(&visit, |c| c.of_year(2026)), retired);
    assert_eq!(found(&visit, |c| c.of_year(2025)), retired);
    assert_eq!(found(&visit, |c| c.of_year(2024)), vec![]);
    assert_eq!(found(&Visit::default(), |c| c), vec![]);
}

#[test]
fn a_code_is_judged_on_the_day_of_the_record() {
    use crate::{CodeLists, CodeStatus};
    let mut lists = CodeTable::default();
    lists.insert("DM_X", "01", None, Some(date!(2025 - 06 - 30)));
    assert_eq!(lists.status("DM_X", "01", date!(2025 - 05 - 31)), CodeStatus::Valid);
    let today = date!(2026 - 11 - 01);
    let day = |year| Checker::new(&lists, today).of_year(year).day;
    assert_eq!(day(2024), date!(2025 - 05 - 31));
    assert_eq!(day(2025), date!(2026 - 05 - 31));
    assert_eq!(day(2026), today, "the year is not over");
}
