//! The access log (Luật 91/2025 Art 23, NĐ 356/2025 Art 28: who read what must be told within 72 hours): one line per call of an
//! RPC whose policy row says that it returns personal data, `target` [`ACCESS`]. A stream has one line when it opens and one when
//! it ends.
//!
//! What was asked is taken from the request's bytes and what was given from the answer's, by the field numbers of the
//! descriptors: so no handler has a part in it, and none can forget it. Codes of schools, kinds, ids that EduHub made, and
//! numbers of records leave; names, personal numbers, record keys and search texts are never looked at.

mod asked;
mod bodies;
mod scan;
mod told;

use asked::Asked;
pub(crate) use bodies::{Answer, Question};
pub(crate) use told::Reading;

use crate::policy::Row;
use eduhub_proto::common::v1::Kind;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorSet, MethodDescriptorProto,
    field_descriptor_proto::Type,
};
use std::collections::{HashMap, HashSet};

/// Target of the lines.
pub const ACCESS: &str = "eduhub::access";

/// What a field of a request names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    School,
    Commune,
    Kind,
    /// A seal, a transfer ...: the field's name.
    Id(&'static str),
}

/// How to read the calls of an RPC that returns personal data.
#[derive(Debug)]
pub(crate) struct Personal {
    /// `eduhub.registry.v1.RecordService/GetRecord`.
    pub method: &'static str,
    /// Whether the answer is a stream.
    pub stream: bool,
    /// Fields of the request that say what it is about.
    asks: Vec<(u32, Names)>,
    /// From the answer to its records; a number at its end counts for itself.
    records: Vec<u32>,
    /// From a record to the code of its school.
    school: Vec<u32>,
    /// From a record to its kind.
    kind: Vec<u32>,
}

impl Personal {
    /// Whether the question has to be read: a single answer says all of it.
    pub fn asks(&self) -> bool {
        self.stream || !(self.asks.is_empty() || self.records.is_empty() && !self.school.is_empty())
    }
}

/// The API's messages by their full names, to resolve the marks of policy rows.
pub(crate) struct Messages<'a>(HashMap<String, &'a DescriptorProto>);

impl<'a> Messages<'a> {
    pub fn of(set: &'a FileDescriptorSet) -> Self {
        let named =
            |package: &str, message: &'a DescriptorProto| (format!(".{package}.{}", message.name()), message);
        let files = set.file.iter();
        Self(files.flat_map(|f| f.message_type.iter().map(|m| named(f.package(), m))).collect())
    }

    /// What the row says of the RPC; `Err` names what is wrong with it.
    pub fn personal(&self, row: &Row, method: &MethodDescriptorProto) -> Result<Option<Personal>, String> {
        let Some(path) = row.personal else {
            let hidden = self.holds_persons(method.output_type(), &mut HashSet::new());
            let gap = || format!("{}: returns personal records, and its row does not say so", row.method);
            return if hidden { Err(gap()) } else { Ok(None) };
        };
        let gap = || format!("{}: its answer has no {path}", row.method);
        let steps: Vec<&str> = path.split('.').filter(|step| !step.is_empty()).collect();
        let (records, record) = self.follow(method.output_type(), &steps).ok_or_else(gap)?;
        let first = |paths: [&[&str]; 2], fits: fn(&FieldDescriptorProto) -> bool| {
            paths.iter().find_map(|path| self.leaf(&record, path, fits)).unwrap_or_default()
        };
        Ok(Some(Personal {
            method: row.method.trim_start_matches('/'),
            stream: method.server_streaming(),
            asks: self.0.get(method.input_type()).map(|m| asks(m)).unwrap_or_default(),
            school: first([&["header", "school_code"], &["school_code"]], |f| f.r#type() == Type::String),
            kind: first([&["header", "kind"], &["kind"]], is_kind),
            records,
        }))
    }

    /// Numbers of the fields of a path of names, and the type that it ends at (empty when that is no message).
    fn follow(&self, from: &str, steps: &[&str]) -> Option<(Vec<u32>, String)> {
        let mut at = from.to_owned();
        let mut numbers = Vec::new();
        for step in steps {
            let field = self.0.get(&at)?.field.iter().find(|field| field.name() == *step)?;
            numbers.push(field.number().unsigned_abs());
            at = field.type_name().to_owned();
        }
        Some((numbers, at))
    }

    fn leaf(&self, from: &str, path: &[&str], fits: fn(&FieldDescriptorProto) -> bool) -> Option<Vec<u32>> {
        let (last, way) = path.split_last()?;
        let (mut numbers, at) = self.follow(from, way)?;
        let field = self.0.get(&at)?.field.iter().find(|field| field.name() == *last && fits(field))?;
        numbers.push(field.number().unsigned_abs());
        Some(numbers)
    }

    /// Whether a record of the dictionary with a field above the public class is in a message.
    fn holds_persons(&self, name: &str, seen: &mut HashSet<String>) -> bool {
        if !seen.insert(name.to_owned()) {
            return false;
        }
        let Some(message) = self.0.get(name) else { return false };
        let short = message.name();
        let classed =
            |record: &&&eduhub_proto::dictionary::RecordMeta| record.fields.iter().any(|f| f.class > 1);
        eduhub_proto::RECORDS.iter().filter(|record| record.name == short).any(|record| classed(&record))
            || message.field.iter().any(|field| self.holds_persons(field.type_name(), seen))
    }
}

fn is_kind(field: &FieldDescriptorProto) -> bool {
    field.type_name() == ".eduhub.common.v1.Kind"
}

fn asks(request: &DescriptorProto) -> Vec<(u32, Names)> {
    let named = request.field.iter().filter_map(|field| {
        let names = match field.name() {
            "school_code" | "school_codes" => Names::School,
            "commune_code" => Names::Commune,
            "seal_id" => Names::Id("seal"),
            "transfer_id" => Names::Id("transfer"),
            "reconciliation_id" => Names::Id("reconciliation"),
            "submission_id" => Names::Id("submission"),
            "application_id" => Names::Id("application"),
            _ if is_kind(field) => Names::Kind,
            _ => return None,
        };
        Some((field.number().unsigned_abs(), names))
    });
    named.collect()
}

/// Kinds as the bits of their numbers, which are below 64; others are not told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Kinds(u64);

impl Kinds {
    fn add(&mut self, number: u64) {
        if number < 64 {
            self.0 |= 1 << number;
        }
    }

    /// Their names, with commas.
    fn names(self) -> Option<String> {
        let among = (1..64).filter(|number| self.0 & (1 << number) != 0);
        let names: Vec<_> =
            among.filter_map(|n| Kind::try_from(n).ok()).map(|kind| kind.as_str_name()).collect();
        (!names.is_empty()).then(|| names.join(","))
    }
}
