//! One call that may read personal data, and the lines that tell of it.
use super::{
    ACCESS, Kinds, Names, Personal,
    scan::{Fields, Value, each},
};
use crate::{Caller, Scope};
use eduhub_runtime::propagation::code_name;
use http::HeaderMap;
use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};
use tonic::Code;
use tracing::Span;
use uuid::Uuid;

/// Most schools that a line names; it says how many more there were.
const MOST_SCHOOLS: usize = 50;
/// Longest code of a school in the dictionary.
const LONGEST_CODE: usize = 20;

/// What a question named.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    schools: BTreeSet<String>,
    commune: Option<String>,
    kinds: Kinds,
    ids: Vec<(&'static str, Uuid)>,
}

impl Asked {
    pub fn read(personal: &Personal, question: &[u8]) -> Self {
        let mut asked = Self::default();
        for (number, value) in Fields(question) {
            let named = personal.asks.iter().filter(|(n, _)| *n == number);
            named.for_each(|(_, names)| asked.take(*names, value));
        }
        asked
    }

    fn take(&mut self, names: Names, value: Value<'_>) {
        match (names, value) {
            (Names::School, Value::Bytes(code)) if self.schools.len() <= MOST_SCHOOLS => {
                self.schools.extend(code_of(code));
            }
            // The only one that the service does not look up, so it is held to its form here.
            (Names::Commune, Value::Bytes(code))
                if code.len() == 5 && code.iter().all(u8::is_ascii_digit) =>
            {
                self.commune = code_of(code);
            }
            (Names::Kind, Value::Number(kind)) => self.kinds.add(kind),
            // A list of enum values comes packed.
            (Names::Kind, Value::Bytes(kinds)) => {
                kinds.iter().for_each(|kind| self.kinds.add(u64::from(*kind)))
            }
            (Names::Id(name), Value::Bytes(id)) => {
                self.ids
                    .extend(std::str::from_utf8(id).ok().and_then(|id| id.parse().ok()).map(|id| (name, id)));
            }
            _ => {}
        }
    }

    /// What it was about besides schools: `seal:0197...`.
    fn about(&self) -> Option<String> {
        let mut parts: Vec<String> = self.ids.iter().map(|(name, id)| format!("{name}:{id}")).collect();
        parts.extend(self.commune.iter().map(|code| format!("commune:{code}")));
        (!parts.is_empty()).then(|| parts.join(","))
    }
}

fn code_of(bytes: &[u8]) -> Option<String> {
    let fits =
        !bytes.is_empty() && bytes.len() <= LONGEST_CODE && bytes.iter().all(u8::is_ascii_alphanumeric);
    fits.then(|| String::from_utf8_lossy(bytes).into_owned())
}

/// A call while it lasts. Tells of itself when it is dropped.
pub(crate) struct Reading {
    personal: Arc<Personal>,
    caller: Arc<Caller>,
    span: Span,
    /// What was asked, as soon as the handler has read it.
    pub asked: Arc<OnceLock<Asked>>,
    code: Option<Code>,
    records: u64,
    schools: BTreeSet<String>,
    more_schools: bool,
    kinds: Kinds,
}

impl Reading {
    /// Nothing when nobody keeps such lines.
    pub fn begin(personal: Option<&Arc<Personal>>, caller: &Arc<Caller>) -> Option<Self> {
        let personal = personal.filter(|_| tracing::enabled!(target: ACCESS, tracing::Level::INFO))?;
        Some(Self {
            personal: personal.clone(),
            caller: caller.clone(),
            span: Span::current(),
            asked: Arc::default(),
            code: None,
            records: 0,
            schools: BTreeSet::new(),
            more_schools: false,
            kinds: Kinds::default(),
        })
    }

    pub fn personal(&self) -> &Arc<Personal> {
        &self.personal
    }

    /// Takes the status out of headers or trailers, if it is there.
    pub fn see(&mut self, headers: &HeaderMap) {
        if let Some(value) = headers.get("grpc-status") {
            self.set(Code::from_bytes(value.as_bytes()));
        }
    }

    pub fn set(&mut self, code: Code) {
        self.code = Some(code);
    }

    /// The answer begins: a stream that was let in says so now, since it may last for days.
    pub fn opened(&self) {
        if self.personal.stream && self.code.is_none() {
            self.tell("open", None);
        }
    }

    /// Counts what a message of the answer holds.
    pub fn given(&mut self, message: &[u8]) {
        let personal = self.personal.clone();
        each(message, &personal.records, &mut |found| match found {
            Value::Number(count) => self.records = self.records.saturating_add(count),
            Value::Bytes(record) => self.record(&personal, record),
        });
    }

    fn record(&mut self, personal: &Personal, record: &[u8]) {
        self.records += 1;
        if !personal.kind.is_empty() {
            each(record, &personal.kind, &mut |value| {
                if let Value::Number(kind) = value {
                    self.kinds.add(kind);
                }
            });
        }
        if !personal.school.is_empty() {
            each(record, &personal.school, &mut |value| {
                if let Value::Bytes(code) = value {
                    self.school(code);
                }
            });
        }
    }

    fn school(&mut self, code: &[u8]) {
        let known = std::str::from_utf8(code).is_ok_and(|code| self.schools.contains(code));
        if known {
            return;
        }
        match code_of(code) {
            Some(_) if self.schools.len() >= MOST_SCHOOLS => self.more_schools = true,
            Some(code) => _ = self.schools.insert(code),
            None => {}
        }
    }

    fn tell(&self, phase: &'static str, outcome: Option<&'static str>) {
        // What was refused was not looked up either, so nobody knows that it is what it should be.
        let accepted = outcome.is_none_or(|outcome| outcome == code_name(Code::Ok)) || self.records > 0;
        let asked = self.asked.get().filter(|_| accepted);
        let schools = match asked {
            Some(asked) if self.schools.is_empty() => &asked.schools,
            _ => &self.schools,
        };
        let kinds = self.kinds.names().or_else(|| asked.and_then(|asked| asked.kinds.names()));
        let caller = &self.caller;
        self.span.in_scope(|| {
            // In the span for its trace, and no part of it: the line says all that the span's fields would say again.
            tracing::info!(
                target: ACCESS,
                parent: None,
                phase,
                rpc = self.personal.method,
                principal = caller.sub.as_str(),
                role = caller.roles.first().map(|role| role.name()),
                grant = caller.grant.map(tracing::field::display),
                token = %caller.token_id,
                schools = list(schools),
                more_schools = self.more_schools.then_some(true),
                scope = schools.is_empty().then(|| reach(&caller.scope)),
                about = asked.and_then(Asked::about),
                kinds,
                records = outcome.map(|_| self.records),
                outcome,
                "personal data"
            );
        });
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // No status was sent: the caller went away.
        let code = self.code.unwrap_or(Code::Cancelled);
        let phase = if self.personal.stream { "end" } else { "read" };
        self.tell(phase, Some(code_name(code)));
    }
}

fn list(codes: &BTreeSet<String>) -> Option<String> {
    let some: Vec<&str> = codes.iter().map(String::as_str).collect();
    (!some.is_empty()).then(|| some.join(","))
}

/// What the token let the caller see, for a call that names no school.
fn reach(scope: &Scope) -> String {
    if scope.province {
        return "province".to_owned();
    }
    let parts = scope.communes.iter().map(|c| format!("commune:{c}")).chain(scope.schools.iter().cloned());
    let mut all: Vec<String> = parts.take(MOST_SCHOOLS + 1).collect();
    if all.len() > MOST_SCHOOLS {
        all[MOST_SCHOOLS] = "more".to_owned();
    }
    all.join(",")
}
