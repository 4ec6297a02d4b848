//! Comparison record by record.
use super::{
    groups::{MAX_GROUPS, NOT_A_GROUP, is_group},
    range::Range,
};
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{CompareRecordsResponse, RecordDigest};
use std::collections::{HashMap, HashSet};

/// Most records that one call may name, and most extra ones that it answers.
pub const MAX_RECORDS: usize = 20_000;

/// What the sender has under one key.
struct Sent {
    digest: Vec<u8>,
    place: usize,
}

/// What was asked, and what came of it so far.
#[derive(Default)]
pub(super) struct Asked {
    groups: HashSet<String>,
    /// Those that the hub's records have not met yet.
    sent: HashMap<String, Sent>,
    differing: Vec<(usize, String)>,
    extra: Vec<String>,
    extra_omitted: u64,
}

impl Asked {
    /// Checks what was asked.
    ///
    /// # Errors
    /// INVALID_ARGUMENT/INVALID_REQUEST with the first violation of each sort.
    pub fn new(range: &Range, groups: Vec<String>, records: Vec<RecordDigest>) -> Result<Self, Fault> {
        let mut fault = Fault::new(Reason::InvalidRequest);
        if groups.is_empty() || groups.len() > MAX_GROUPS {
            fault = fault.violation("groups", &format!("from 1 to {MAX_GROUPS}"));
        }
        if let Some(at) = groups.iter().position(|group| !is_group(range, group)) {
            fault = fault.violation(&format!("groups[{at}]"), NOT_A_GROUP);
        }
        if records.len() > MAX_RECORDS {
            return Err(fault.violation("records", &format!("more than {MAX_RECORDS}")));
        }
        if let Some(at) = records.iter().position(|r| r.digest.len() != 16) {
            fault = fault.violation(&format!("records[{at}].digest"), "must be 16 bytes");
        }
        let named = records.len();
        let sent = records.into_iter().enumerate();
        let sent: HashMap<_, _> =
            sent.map(|(place, r)| (r.record_key, Sent { digest: r.digest, place })).collect();
        if sent.len() < named {
            fault = fault.violation("records", "a key stands there twice");
        }
        fault.into_result()?;
        Ok(Self { groups: groups.into_iter().collect(), sent, ..Self::default() })
    }

    /// Meets a record of the hub; they come by key.
    pub fn meet(&mut self, group: &str, key: &str, digest: &[u8]) {
        // By key alone: the record may have been in another group when the hub got it.
        if let Some((key, sent)) = self.sent.remove_entry(key) {
            if sent.digest != digest {
                self.differing.push((sent.place, key));
            }
        } else if self.groups.contains(group) {
            if self.extra.len() < MAX_RECORDS {
                self.extra.push(key.to_owned());
            } else {
                self.extra_omitted += 1;
            }
        }
    }

    /// What came of it when all of the hub's records were met.
    pub fn answer(self) -> CompareRecordsResponse {
        let lacking = self.sent.into_iter().map(|(key, sent)| (sent.place, key)).collect();
        CompareRecordsResponse {
            lacking: in_order(lacking),
            differing: in_order(self.differing),
            extra: self.extra,
            extra_omitted: self.extra_omitted,
        }
    }
}

/// Keys in the order of the request.
fn in_order(mut keys: Vec<(usize, String)>) -> Vec<String> {
    keys.sort_unstable_by_key(|(place, _)| *place);
    keys.into_iter().map(|(_, key)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(groups: &[&str], records: &[(&str, u8)]) -> Asked {
        let sent = records.iter().enumerate();
        let sent = sent.map(|(place, (key, d))| ((*key).to_owned(), Sent { digest: vec![*d; 16], place }));
        let groups = groups.iter().map(|g| (*g).to_owned()).collect();
        Asked { groups, sent: sent.collect(), ..Asked::default() }
    }

    #[test]
    fn each_record_is_the_same_or_named_once() {
        let mut asked = asked(&["6A1", "6A2"], &[("Z", 1), ("A", 1), ("B", 2), ("M", 4)]);
        asked.meet("6A1", "A", &[1; 16]);
        asked.meet("6A1", "B", &[9; 16]);
        asked.meet("6A2", "C", &[3; 16]);
        // In a group that is not asked about: known by its key, or none of this call's.
        asked.meet("6A9", "M", &[5; 16]);
        asked.meet("6A9", "N", &[6; 16]);
        let answer = asked.answer();
        assert_eq!(answer.lacking, ["Z"]);
        assert_eq!(answer.differing, ["B", "M"]);
        assert_eq!((answer.extra, answer.extra_omitted), (vec!["C".to_owned()], 0));
    }

    #[test]
    fn extra_records_are_bounded_and_the_rest_is_counted() {
        let mut asked = asked(&[""], &[]);
        for n in 0..MAX_RECORDS + 3 {
            asked.meet("", &format!("{n:06}"), &[0; 16]);
        }
        let answer = asked.answer();
        assert_eq!((answer.extra.len(), answer.extra_omitted), (MAX_RECORDS, 3));
    }
}
