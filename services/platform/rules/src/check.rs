//! The interpreter of field annotations.
use crate::{codes::CodeLists, personal_id, shape, walk::identity};
use eduhub_faults::{Problem, Reason, Severity, error, warning};
use eduhub_proto::dictionary::{Annotated, CLASS_SENSITIVE, FieldMeta, Record, Rule, Value};
use regex::Regex;
use std::collections::HashMap;
use time::Date;

/// What was found in one record.
pub type Findings = Vec<Problem>;

/// Checks records against the dictionary as of one day.
#[derive(Clone)]
pub struct Checker<'a> {
    lists: &'a dyn CodeLists,
    today: Date,
    patterns: &'static HashMap<&'static str, Regex>,
}

impl<'a> Checker<'a> {
    /// A checker for this day; `lists` tells which codes are valid.
    pub fn new(lists: &'a dyn CodeLists, today: Date) -> Self {
        Self { lists, today, patterns: shape::patterns() }
    }

    /// All findings of a record, kind and key set. Never stops at the first.
    pub fn check<R: Record>(&self, record: &R) -> Findings {
        let mut findings = Vec::new();
        self.message(record, "", &mut findings);
        personal_id::check(&identity(record), self.today, &mut findings);
        if !findings.is_empty() {
            let key = crate::walk::record_key(record);
            for f in &mut findings {
                f.kind = R::META.kind;
                f.record_key.clone_from(&key);
            }
        }
        findings
    }

    fn message(&self, message: &dyn Annotated, path: &str, out: &mut Findings) {
        message.visit(&mut |meta: &'static FieldMeta, value: Value<'_>| {
            let before = out.len();
            self.field(meta, value, path, out);
            for f in &mut out[before..] {
                if meta.class >= CLASS_SENSITIVE {
                    f.value.clear();
                }
            }
        });
    }

    fn field(&self, meta: &'static FieldMeta, value: Value<'_>, path: &str, out: &mut Findings) {
        let name = || format!("{path}{}", meta.name);
        match value {
            Value::Absent => match meta.need {
                2 => out.push(error(Reason::Missing, &name())),
                1 => out.push(warning(Reason::Missing, &name())),
                _ => {}
            },
            Value::Text(text) => self.text(meta, text, &name, out),
            Value::Number(x) => self.number(meta, x, &name, out),
            Value::Int(x) => self.number(meta, f64::from(x), &name, out),
            Value::Flag(_) => {}
            Value::List(list) => {
                for rule in meta.rules {
                    if matches!(rule, Rule::MaxItems(n) if list.len() as u64 > *n) {
                        out.push(error(Reason::TooLong, &name()));
                    }
                }
                for i in 0..list.len() {
                    if let Some(entry) = list.get(i) {
                        self.message(entry, &format!("{}[{i}].", name()), out);
                    }
                }
            }
        }
    }

    fn text(&self, meta: &'static FieldMeta, text: &str, name: &dyn Fn() -> String, out: &mut Findings) {
        // The meaning first: "not a date" says more than "does not match a pattern".
        if let Some(reason) = shape::broken(meta.shape, text, self.today) {
            out.push(with_value(error(reason, &name()), text));
            return;
        }
        if let Some(reason) = meta.rules.iter().find_map(|r| self.broken_rule(r, text)) {
            out.push(with_value(error(reason, &name()), text));
            return;
        }
        if let Some(reason) = shape::doubtful(meta.shape, text) {
            out.push(with_value(warning(reason, &name()), text));
        }
        if !meta.code_list.is_empty() {
            self.code(meta, text, name, out);
        }
    }

    fn broken_rule(&self, rule: &Rule, text: &str) -> Option<Reason> {
        match rule {
            Rule::MinChars(n) if (text.chars().count() as u64) < *n => Some(Reason::TooShort),
            Rule::MaxChars(n) if text.chars().count() as u64 > *n => Some(Reason::TooLong),
            Rule::Pattern(p) if !self.patterns.get(p).is_some_and(|re| re.is_match(text)) => {
                Some(Reason::BadFormat)
            }
            _ => None,
        }
    }

    fn code(&self, meta: &'static FieldMeta, code: &str, name: &dyn Fn() -> String, out: &mut Findings) {
        use crate::codes::CodeStatus::{Retired, Unknown, Valid};
        match self.lists.status(meta.code_list, code, self.today) {
            Valid => {}
            Retired => out.push(with_value(error(Reason::RetiredCode, &name()), code)),
            Unknown => {
                let mut problem = with_value(error(Reason::UnknownCode, &name()), code);
                problem.suggestions = self.lists.nearest(meta.code_list, code);
                out.push(problem);
            }
        }
    }

    fn number(&self, meta: &'static FieldMeta, x: f64, name: &dyn Fn() -> String, out: &mut Findings) {
        let broken = meta.rules.iter().any(|rule| match rule {
            Rule::Above(b) => x <= *b,
            Rule::AtLeast(b) => x < *b,
            Rule::Below(b) => x >= *b,
            Rule::AtMost(b) => x > *b,
            _ => false,
        });
        if broken || !x.is_finite() {
            out.push(with_value(error(Reason::OutOfRange, &name()), &x.to_string()));
        } else if shape::not_a_score(meta.shape, x) {
            out.push(with_value(error(Reason::BadFormat, &name()), &x.to_string()));
        } else if meta.plausible.is_some_and(|(min, max)| x < min || x > max) {
            out.push(with_value(warning(Reason::Implausible, &name()), &x.to_string()));
        }
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
