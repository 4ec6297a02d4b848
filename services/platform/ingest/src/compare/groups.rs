//! Comparison by groups.
use super::range::Range;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{CompareGroupsResponse, GroupDigest};
use eduhub_vault::GroupDigest as Digest;
use std::collections::{BTreeMap, HashMap};

/// Most groups that one call may name.
pub const MAX_GROUPS: usize = 10_000;

/// What the hub holds, a digest per group.
#[derive(Default)]
pub(super) struct Held {
    groups: HashMap<String, (u32, Digest)>,
    records: u64,
}

impl Held {
    /// Adds the next record; they come by key.
    pub fn add(&mut self, group: &str, key: &str, digest: &[u8]) {
        self.records += 1;
        if !self.groups.contains_key(group) {
            self.groups.insert(group.to_owned(), Default::default());
        }
        if let Some((count, of_group)) = self.groups.get_mut(group) {
            *count += 1;
            of_group.add(key, digest);
        }
    }
}

/// What the sender has, a digest per group.
#[derive(Debug)]
pub(super) struct Asked(BTreeMap<String, (u32, Vec<u8>)>);

impl Asked {
    /// Checks what was asked.
    ///
    /// # Errors
    /// INVALID_ARGUMENT/INVALID_REQUEST with the first violation of each sort.
    pub fn new(range: &Range, groups: Vec<GroupDigest>) -> Result<Self, Fault> {
        if groups.len() > MAX_GROUPS {
            return Err(Fault::invalid("groups", &format!("more than {MAX_GROUPS}")));
        }
        let mut fault = Fault::new(Reason::InvalidRequest);
        if let Some(at) = groups.iter().position(|g| !is_group(range, &g.group)) {
            fault = fault.violation(&format!("groups[{at}].group"), NOT_A_GROUP);
        }
        if let Some(at) = groups.iter().position(|g| g.digest.len() != 16) {
            fault = fault.violation(&format!("groups[{at}].digest"), "must be 16 bytes");
        }
        if let Some(at) = groups.iter().position(|g| g.count == 0) {
            fault = fault.violation(&format!("groups[{at}].count"), "a group without records is not named");
        }
        let named = groups.len();
        let groups: BTreeMap<_, _> = groups.into_iter().map(|g| (g.group, (g.count, g.digest))).collect();
        if groups.len() < named {
            fault = fault.violation("groups", "a group stands there twice");
        }
        fault.into_result()?;
        Ok(Self(groups))
    }

    /// Holds it against what the hub has.
    pub fn against(self, mut held: Held) -> CompareGroupsResponse {
        let mut answer = CompareGroupsResponse { hub_records: held.records, ..Default::default() };
        for (group, (count, digest)) in self.0 {
            match held.groups.remove(&group) {
                None => answer.only_sender.push(group),
                Some((ours, sum)) => {
                    if ours != count || sum.finish()[..] != digest[..] {
                        answer.differing.push(group);
                    }
                }
            }
        }
        answer.only_hub = held.groups.into_keys().collect();
        answer.only_hub.sort_unstable();
        answer
    }
}

pub(super) const NOT_A_GROUP: &str = "the groups of this kind are two lower-case hexadecimal digits";

/// Whether a kind can have a group of this name.
pub(super) fn is_group(range: &Range, name: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    !range.hashed() || (name.len() == 2 && name.bytes().all(digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(records: &[(&str, &str, u8)]) -> Held {
        let mut held = Held::default();
        records.iter().for_each(|(group, key, digest)| held.add(group, key, &[*digest; 16]));
        held
    }

    fn asked(records: &[(&str, &str, u8)]) -> Asked {
        let groups = held(records).groups.into_iter();
        Asked(groups.map(|(group, (count, digest))| (group, (count, digest.finish().to_vec()))).collect())
    }

    #[test]
    fn groups_are_the_same_or_named_once() {
        let hub = [("6A1", "A", 1), ("6A2", "B", 2), ("6A3", "C", 3), ("6A1", "D", 4)];
        let sender = [("6A1", "A", 1), ("6A1", "D", 4), ("6A2", "B", 9), ("6A4", "E", 5)];
        let answer = asked(&sender).against(held(&hub));
        assert_eq!(answer.differing, ["6A2"]);
        assert_eq!(answer.only_hub, ["6A3"]);
        assert_eq!(answer.only_sender, ["6A4"]);
        assert_eq!(answer.hub_records, 4);
        assert_eq!(
            asked(&hub).against(held(&hub)),
            CompareGroupsResponse { hub_records: 4, ..Default::default() }
        );
    }

    #[test]
    fn a_record_more_with_the_same_bytes_shows() {
        // Keys and digests are framed: "AB" + "C" is not "A" + "BC".
        assert_eq!(
            asked(&[("a", "AB", 1), ("a", "C", 1)]).against(held(&[("a", "A", 1), ("a", "BC", 1)])).differing,
            ["a"]
        );
        assert_eq!(asked(&[("a", "A", 1)]).against(held(&[("a", "A", 1), ("a", "B", 1)])).differing, ["a"]);
    }
}
