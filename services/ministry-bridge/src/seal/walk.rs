use std::collections::VecDeque;

use eduhub_faults::Fault;
use eduhub_proto::common::v1::{Dataset, Kind, Level};
use eduhub_proto::dictionary::Annotated;
use eduhub_proto::registry::v1::Staff;
use serde_json::Value;

use super::page::{self, Entry, Sealed};
use crate::mapping::{Fields, Outgoing, PupilParts, compose, level_of, parts_of, sent_kinds};
use crate::peers::Peers;
use crate::places;

/// Which seal.
#[derive(Debug, Clone)]
pub struct SealRef {
    /// Id of the seal.
    pub seal_id: String,
    /// School.
    pub school_code: String,
    /// School year by its first year.
    pub school_year: i32,
    /// Dataset.
    pub dataset: Dataset,
}

/// A walk over a seal in the order that the Ministry needs. Holds one page and the parts of pupils of one school.
pub struct Walk<'a> {
    peers: &'a Peers,
    seal: SealRef,
    /// Level of the school, once it is known: symbols differ by it.
    level: Option<Level>,
    left: VecDeque<Kind>,
    token: String,
    pupils: PupilParts,
    campuses: Vec<Value>,
    campus_versions: i64,
}

impl<'a> Walk<'a> {
    /// At the start of the seal.
    pub fn new(peers: &'a Peers, seal: SealRef) -> Self {
        let kinds = sent_kinds(seal.dataset).iter();
        let left =
            kinds.flat_map(|kind| parts_of(*kind).iter().chain(std::iter::once(kind))).copied().collect();
        Self {
            peers,
            seal,
            level: None,
            left,
            token: String::new(),
            pupils: PupilParts::default(),
            campuses: Vec::new(),
            campus_versions: 0,
        }
    }

    /// Payloads of the next page, possibly none of them; `None` at the end of the seal.
    ///
    /// # Errors
    /// What the holder of the seal answered.
    pub async fn next(&mut self) -> Result<Option<Vec<Outgoing>>, Fault> {
        let Some(kind) = self.left.front().copied() else { return Ok(None) };
        let level = match self.level {
            Some(level) => level,
            None => *self.level.insert(places::level(self.peers, &self.seal.school_code).await?),
        };
        let token = std::mem::take(&mut self.token);
        let (entries, next) = page::read(self.peers, &self.seal.seal_id, kind, token).await?;
        if next.is_empty() {
            self.left.pop_front();
        }
        self.token = next;
        Ok(Some(entries.into_iter().filter_map(|entry| self.take(entry, level)).collect()))
    }

    /// A payload, or a part that is kept for a later one.
    fn take(&mut self, entry: Entry, level: Level) -> Option<Outgoing> {
        let Entry { record_id, record_key, version, record } = entry;
        let school_code = self.seal.school_code.clone();
        let of_school = Some((Kind::School, school_code.clone()));
        let out = |kind, parent, fields| Outgoing { record_id, kind, record_key, parent, version, fields };
        let mut outgoing = match record {
            Sealed::Campus(campus) => {
                let mut fields = Fields::new();
                compose(&mut fields, &campus, level);
                self.campuses.push(Value::Object(fields.into_iter().collect()));
                self.campus_versions += version;
                return None;
            }
            Sealed::Enrolment(record) => {
                self.pupils.enrolment(record, version);
                return None;
            }
            Sealed::Health(record) => {
                self.pupils.health(record, version);
                return None;
            }
            Sealed::School(record) => {
                let mut fields = fields_of(&record, level);
                if !self.campuses.is_empty() {
                    if matches!(level, Level::Primary | Level::LowerSecondary | Level::UpperSecondary) {
                        fields.insert("SO_DIEM_TRUONG".to_owned(), Value::from(self.campuses.len()));
                    }
                    fields
                        .insert("DIEM_TRUONGS".to_owned(), Value::Array(std::mem::take(&mut self.campuses)));
                }
                Outgoing { version: version + self.campus_versions, ..out(Kind::School, None, fields) }
            }
            Sealed::Class(record) => {
                out(Kind::Class, of_school, fields_of(&record, level_of(level, &record.grade)))
            }
            Sealed::Staff(record) => out(Kind::Staff, None, staff_fields(&record, level)),
            Sealed::TermResult(record) => out(Kind::TermResult, None, graded(&record, &record.grade, level)),
            Sealed::Retake(record) => out(Kind::Retake, None, graded(&record, &record.grade, level)),
            Sealed::Graduation(record) => out(Kind::Graduation, None, graded(&record, &record.grade, level)),
            Sealed::FreeCandidate(record) => {
                out(Kind::FreeCandidate, None, graded(&record, &record.grade, level))
            }
            Sealed::Room(record) => out(Kind::Room, None, fields_of(&record, level)),
            // The Ministry has no payload for it.
            Sealed::Attendance(_) => return None,
            Sealed::Pupil(record) => {
                self.pupils.compose(&record, (record_id, version), self.seal.school_year, level)
            }
        };
        let school = if level == Level::Continuing { "TRUNG_TAM_ID" } else { "TRUONG_ID" };
        outgoing.fields.entry(school.to_owned()).or_insert_with(|| Value::from(school_code));
        Some(outgoing)
    }
}

fn fields_of(record: &dyn Annotated, level: Level) -> Fields {
    let mut fields = Fields::new();
    compose(&mut fields, record, level);
    fields
}

/// Fields of a record that names its grade; without it the school's level counts.
fn graded(record: &dyn Annotated, grade: &Option<String>, school: Level) -> Fields {
    fields_of(record, level_of(school, grade.as_deref().unwrap_or_default()))
}

/// The annex has one field for every identity document: the 12-digit number where there is one, else the other document's.
fn staff_fields(staff: &Staff, level: Level) -> Fields {
    let mut fields = fields_of(staff, level);
    if let Some(number) = &staff.other_document_no {
        fields.entry("SO_CMTND".to_owned()).or_insert_with(|| Value::from(number.as_str()));
    }
    fields
}
