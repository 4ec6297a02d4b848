//! The interpreter of field annotations.
use crate::codes::CodeLists;
use crate::cross::{self, Judge, RulePack};
use crate::path::Path;
use crate::patterns::{Matcher, patterns};
use crate::{personal_id, personal_id::Person, shape};
use eduhub_faults::{Problem, Reason, Severity, error, warning};
use eduhub_proto::common::v1::{Level, Need};
use eduhub_proto::dictionary::{
    Annotated, CLASS_SENSITIVE, FieldMeta, Levels, Record, RecordMeta, Rule, Value, Visitor,
};
use time::{Date, Month};

const CONTINUING: Levels = Levels::of(Level::Continuing);

/// What was found in one record.
pub type Findings = Vec<Problem>;

/// Checks records against the dictionary as of one day, at the levels of one school.
#[derive(Clone)]
pub struct Checker<'a> {
    lists: &'a dyn CodeLists,
    today: Date,
    day: Date,
    levels: Levels,
    school_year: Option<i32>,
    pack: &'a RulePack,
    patterns: &'static [Matcher],
}

impl<'a> Checker<'a> {
    /// A checker for this day; `lists` tells which codes are valid. Records are dated this day and of no known level until
    /// [`Checker::of_year`] and [`Checker::at`] say otherwise; rules between fields have their usual strength until
    /// [`Checker::under`] does.
    pub fn new(lists: &'a dyn CodeLists, today: Date) -> Self {
        let (levels, pack) = (Levels::NONE, &RulePack::USUAL);
        Self { lists, today, day: today, levels, school_year: None, pack, patterns: patterns() }
    }

    /// The same under another pack of rules.
    #[must_use]
    pub fn under(self, pack: &'a RulePack) -> Self {
        Self { pack, ..self }
    }

    /// The same for a school of these levels; an inter-level school has several. A record with a grade is judged at the
    /// level of its grade alone, in a centre of continuing education at that level.
    #[must_use]
    pub fn at(self, levels: impl Into<Levels>) -> Self {
        Self { levels: levels.into(), ..self }
    }

    /// The same for records of a school year, named by its first calendar year. They are dated today, but not later than
    /// 31 May on which the year ends: what is resent of an old year is judged by the codes and fields of that year.
    #[must_use]
    pub fn of_year(self, school_year: i32) -> Self {
        let end = Date::from_calendar_date(school_year.saturating_add(1), Month::May, 31);
        let day = end.map_or(self.today, |end| self.today.min(end));
        Self { day, school_year: Some(school_year), ..self }
    }

    /// All findings of a record, kind and key set. Never stops at the first.
    pub fn check<R: Record>(&self, record: &R) -> Findings {
        let mut findings = Vec::new();
        let levels = self.levels_of(record, R::META);
        record.visit(&mut Walk { checker: self, levels, path: None, out: &mut findings });
        if let Some(person) = Person::of(record) {
            personal_id::check(&person, self.today, &mut findings);
        }
        let judge = Judge { pack: self.pack, today: self.today, school_year: self.school_year };
        cross::check(record, &judge, &mut findings);
        if !findings.is_empty() {
            let key = crate::walk::record_key(record);
            for f in &mut findings {
                f.kind = R::META.kind;
                f.record_key.clone_from(&key);
            }
        }
        findings
    }

    /// Findings of the rules between the fields of a record alone: of one that is stored, whose fields were sound by themselves.
    pub fn between_fields<R: Record>(&self, record: &R) -> Findings {
        let mut findings = Vec::new();
        let judge = Judge { pack: self.pack, today: self.today, school_year: self.school_year };
        cross::check(record, &judge, &mut findings);
        findings
    }

    /// Level of the record's grade; without one, the school's levels and what the record says of itself. Centres of
    /// continuing education teach the grades of other levels, and stay what they are.
    fn levels_of(&self, record: &dyn Annotated, meta: &RecordMeta) -> Levels {
        if let Value::Text(grade) = record.value(meta.known.grade) {
            let level = Levels::of_grade(grade);
            let taught_here = !self.levels.shared(level).is_empty();
            match level.is_empty() {
                true => {}
                false if !taught_here && self.levels.contains(Level::Continuing) => return CONTINUING,
                false => return level,
            }
        }
        match record.value(meta.known.level_group) {
            Value::Text(group) => self.levels.with(Levels::of_group(group)),
            _ => self.levels,
        }
    }
}

/// One message on its way through the checker. Nothing is allocated for a field without a finding.
struct Walk<'w, 'a> {
    checker: &'w Checker<'a>,
    levels: Levels,
    path: Option<&'w Path<'w>>,
    out: &'w mut Findings,
}

impl Visitor for Walk<'_, '_> {
    fn field(&mut self, meta: &'static FieldMeta, value: Value<'_>) {
        let before = self.out.len();
        match value {
            Value::Absent => self.absent(meta),
            Value::List(list) if list.is_empty() => self.absent(meta),
            _ if !meta.exists_on(self.checker.day) => self.error(Reason::RetiredField, meta),
            _ => self.present(meta, value),
        }
        if meta.class >= CLASS_SENSITIVE {
            self.out[before..].iter_mut().for_each(|f| f.value.clear());
        }
    }
}

impl Walk<'_, '_> {
    fn absent(&mut self, meta: &'static FieldMeta) {
        match meta.need_among(self.levels) {
            n if n == Need::Required as i32 => self.error(Reason::Missing, meta),
            n if n == Need::Expected as i32 => self.warning(Reason::Missing, meta),
            _ => {}
        }
    }

    fn present(&mut self, meta: &'static FieldMeta, value: Value<'_>) {
        // A flag that is off says no more than its absence: software with one form for all levels sends it everywhere.
        if !meta.exists_among(self.levels) && !matches!(value, Value::Flag(false)) {
            self.warning(Reason::NotAtLevel, meta);
        }
        match value {
            Value::Text(text) => self.text(meta, text),
            Value::Number(x) => self.number(meta, x),
            Value::Int(x) => self.number(meta, f64::from(x)),
            Value::Flag(_) | Value::Absent => {}
            Value::List(list) => {
                let full = |rule: &Rule| matches!(rule, Rule::MaxItems(n) if list.len() as u64 > *n);
                if meta.rules.iter().any(full) {
                    self.error(Reason::TooLong, meta);
                }
                for index in 0..list.len() {
                    let Some(entry) = list.get(index) else { continue };
                    let path = Path { outer: self.path, list: meta.name, index };
                    let (checker, levels) = (self.checker, self.levels);
                    entry.visit(&mut Walk { checker, levels, path: Some(&path), out: &mut *self.out });
                }
            }
        }
    }

    fn text(&mut self, meta: &'static FieldMeta, text: &str) {
        // The meaning first: "not a date" says more than "does not match a pattern".
        let broken = shape::broken(meta.shape, text, self.checker.today)
            .or_else(|| meta.rules.iter().find_map(|r| self.broken_rule(r, text)));
        if let Some(reason) = broken {
            // A name where a code belongs has not even the form of one.
            return match meta.code_list {
                "" => self.error_with(reason, meta, text),
                list => self.error_near(reason, meta, list, text),
            };
        }
        if let Some(reason) = shape::doubtful(meta.shape, text) {
            self.out.push(with_value(warning(reason, &self.name(meta)), text));
        }
        if !meta.code_list.is_empty() {
            self.code(meta, text);
        }
    }

    fn broken_rule(&self, rule: &Rule, text: &str) -> Option<Reason> {
        match rule {
            Rule::MinChars(n) if (text.chars().count() as u64) < *n => Some(Reason::TooShort),
            // A character has at least one byte: most texts need not be counted.
            Rule::MaxChars(n) if text.len() as u64 > *n && text.chars().count() as u64 > *n => {
                Some(Reason::TooLong)
            }
            Rule::Pattern(p) => {
                let compiled = self.checker.patterns.get(p.index);
                (!compiled.is_some_and(|m| m.is_match(text))).then_some(Reason::BadFormat)
            }
            _ => None,
        }
    }

    fn code(&mut self, meta: &'static FieldMeta, code: &str) {
        use crate::codes::CodeStatus::{Retired, Unknown, Valid};
        let lists = self.checker.lists;
        match lists.status(meta.code_list, code, self.checker.day) {
            Valid => {}
            Retired => self.error_near(Reason::RetiredCode, meta, meta.code_list, code),
            Unknown => self.error_near(Reason::UnknownCode, meta, meta.code_list, code),
        }
    }

    /// An error that names the codes which may have been meant.
    fn error_near(&mut self, reason: Reason, meta: &'static FieldMeta, list: &str, value: &str) {
        let mut problem = with_value(error(reason, &self.name(meta)), value);
        problem.suggestions = self.checker.lists.nearest(list, value, self.checker.day);
        self.out.push(problem);
    }

    fn number(&mut self, meta: &'static FieldMeta, x: f64) {
        let broken = meta.rules.iter().any(|rule| match rule {
            Rule::Above(b) => x <= *b,
            Rule::AtLeast(b) => x < *b,
            Rule::Below(b) => x >= *b,
            Rule::AtMost(b) => x > *b,
            _ => false,
        });
        if broken || !x.is_finite() {
            self.error_with(Reason::OutOfRange, meta, &x.to_string());
        } else if shape::not_a_score(meta.shape, x) {
            self.error_with(Reason::BadFormat, meta, &x.to_string());
        } else if meta.plausible.is_some_and(|(min, max)| x < min || x > max) {
            self.out.push(with_value(warning(Reason::Implausible, &self.name(meta)), &x.to_string()));
        }
    }

    fn error(&mut self, reason: Reason, meta: &'static FieldMeta) {
        self.out.push(error(reason, &self.name(meta)));
    }

    fn error_with(&mut self, reason: Reason, meta: &'static FieldMeta, value: &str) {
        self.out.push(with_value(error(reason, &self.name(meta)), value));
    }

    fn warning(&mut self, reason: Reason, meta: &'static FieldMeta) {
        self.out.push(warning(reason, &self.name(meta)));
    }

    fn name(&self, meta: &'static FieldMeta) -> String {
        Path::to(self.path, meta.name)
    }
}

fn with_value(mut problem: Problem, value: &str) -> Problem {
    problem.value = value.chars().take(100).collect();
    problem
}

/// True when any finding refuses the record.
pub fn refuses(findings: &[Problem]) -> bool {
    findings.iter().any(|f| f.severity == Severity::Error as i32)
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "level_tests.rs"]
mod level_tests;
