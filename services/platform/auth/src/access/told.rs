//! One call that may read personal data, and the lines that tell of it.
use super::{
    ACCESS, Kinds, Personal,
    asked::{Asked, MOST_SCHOOLS, code_of},
    scan::{Value, each},
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
        // A feed of the province takes any list of schools and gives what is there of it.
        let looked_up = !(self.personal.stream && self.caller.scope.province);
        let schools = match asked {
            Some(asked) if self.schools.is_empty() && looked_up => &asked.schools,
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
