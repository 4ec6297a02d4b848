//! What a question named: codes, kinds and ids that EduHub made; no key, no name, no text.
use super::{
    Kinds, Names, Personal,
    scan::{Fields, Value},
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Most schools that are kept of a list, and that a line names.
pub(super) const MOST_SCHOOLS: usize = 50;
/// Longest code of a school in the dictionary.
const LONGEST_CODE: usize = 20;

/// What a question named.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(super) schools: BTreeSet<String>,
    commune: Option<String>,
    pub(super) kinds: Kinds,
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
    pub(super) fn about(&self) -> Option<String> {
        let mut parts: Vec<String> = self.ids.iter().map(|(name, id)| format!("{name}:{id}")).collect();
        parts.extend(self.commune.iter().map(|code| format!("commune:{code}")));
        (!parts.is_empty()).then(|| parts.join(","))
    }
}

/// A text that has the form of a code.
pub(super) fn code_of(bytes: &[u8]) -> Option<String> {
    let fits =
        !bytes.is_empty() && bytes.len() <= LONGEST_CODE && bytes.iter().all(u8::is_ascii_alphanumeric);
    fits.then(|| String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Messages;
    use crate::policy::{Row, ScopeRule};
    use eduhub_proto::common::v1::{GetRecordHistoryRequest, Kind, SearchRecordsRequest, WatchRequest};
    use prost::Message;
    use prost_types::FileDescriptorSet;

    fn personal(method: &'static str, records: &'static str) -> Personal {
        let set = FileDescriptorSet::decode(eduhub_proto::DESCRIPTORS).unwrap();
        let (service, name) = method.rsplit_once('/').unwrap();
        let services = set.file.iter().flat_map(|f| f.service.iter().map(move |s| (f.package(), s)));
        let (_, found) = services.into_iter().find(|(p, s)| format!("/{p}.{}", s.name()) == service).unwrap();
        let method_of = found.method.iter().find(|m| m.name() == name).unwrap();
        let row = Row::allow(method, &[], ScopeRule::Own).personal(records);
        Messages::of(&set).personal(&row, method_of).unwrap().unwrap()
    }

    #[test]
    fn a_question_gives_codes_and_kinds_and_nothing_of_a_person() {
        let search = personal("/eduhub.registry.v1.RecordService/SearchRecords", "records");
        let question = SearchRecordsRequest {
            kind: Kind::Staff as i32,
            name: "nguyen thi huong".into(),
            commune_code: "14329".into(),
            birth_date: "2012-05-04".into(),
            ..SearchRecordsRequest::default()
        };
        let asked = Asked::read(&search, &question.encode_to_vec());
        assert_eq!(
            (asked.kinds.names().as_deref(), asked.about().as_deref()),
            (Some("KIND_STAFF"), Some("commune:14329"))
        );
        let told = format!("{asked:?}");
        assert!(!told.contains("huong") && !told.contains("2012"), "{told}");

        let odd = SearchRecordsRequest {
            commune_code: "037201001234".into(),
            school_code: "Hương".into(),
            ..question
        };
        let asked = Asked::read(&search, &odd.encode_to_vec());
        assert_eq!((asked.about(), asked.schools.len()), (None, 0), "neither has the form of a code");
    }

    #[test]
    fn lists_of_a_question_are_read_whole_and_keys_are_not() {
        let watch = personal("/eduhub.registry.v1.FeedService/Watch", "changes.changes");
        assert!(watch.stream && watch.asks());
        let question = WatchRequest {
            kinds: vec![Kind::Pupil as i32, Kind::Health as i32],
            school_codes: vec!["37143290001".into(), "37143300001".into()],
            ..WatchRequest::default()
        };
        let asked = Asked::read(&watch, &question.encode_to_vec());
        assert_eq!(asked.kinds.names().as_deref(), Some("KIND_PUPIL,KIND_HEALTH"));
        assert!(asked.schools.iter().eq(["37143290001", "37143300001"]));

        let history = personal("/eduhub.registry.v1.RecordService/GetHistory", "versions");
        let question = GetRecordHistoryRequest { record_key: "3700113518".into(), ..Default::default() };
        let asked = Asked::read(&history, &question.encode_to_vec());
        assert!(!format!("{asked:?}").contains("3700113518"));
    }
}
