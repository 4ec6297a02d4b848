//! What the sender has: key, group and digest of every record, kind by kind.
use crate::hub::{Hub, Look};
use crate::lines::LineError;
use crate::push::Source;
use eduhub_proto::common::v1 as common;
use eduhub_proto::dictionary::{Record, Value};
use eduhub_rules::record_key;
use eduhub_vault::{GroupDigest, RecordDigester, hashed_group};
use std::collections::{BTreeMap, HashMap};

/// All that a source has.
#[derive(Default)]
pub(super) struct Inventory(BTreeMap<i32, Shelf>);

/// The records of one kind, by key.
#[derive(Default)]
pub(super) struct Shelf {
    records: Vec<Own>,
    /// Names of the groups.
    groups: Vec<String>,
    places: HashMap<String, usize>,
    /// Positions of records whose key stands in the source again with other content.
    disputed: Vec<usize>,
}

/// One record.
pub(super) struct Own {
    pub key: String,
    pub digest: [u8; 16],
    /// Place of its group.
    pub group: usize,
    /// Position in the source.
    pub position: usize,
}

impl Inventory {
    /// Reads a source to its end.
    ///
    /// # Errors
    /// When it can't be read, or has an empty record.
    pub fn of<H: Hub>(source: &dyn Source<H::Record>, digester: &RecordDigester) -> Result<Self, LineError> {
        let mut inventory = Self::default();
        let mut buffer = Vec::new();
        source.each(&mut |position, record| {
            let note = Note { inventory: &mut inventory, digester, buffer: &mut buffer, position };
            let empty = || LineError::Bad { line: position + 1, what: "an empty record".into() };
            H::look(record, note).ok_or_else(empty)
        })?;
        inventory.0.values_mut().for_each(Shelf::settle);
        Ok(inventory)
    }

    /// Kinds that it has records of.
    pub fn kinds(&self) -> impl Iterator<Item = i32> {
        self.0.keys().copied()
    }

    /// The records of a kind.
    pub fn of_kind(&self, kind: i32) -> Option<&Shelf> {
        self.0.get(&kind)
    }
}

/// Takes note of one record.
struct Note<'a> {
    inventory: &'a mut Inventory,
    digester: &'a RecordDigester,
    buffer: &'a mut Vec<u8>,
    position: usize,
}

impl Look for Note<'_> {
    type Seen = ();

    fn at<R: Record>(self, record: &R) {
        let key = record_key(record);
        self.buffer.clear();
        // A vector has room for everything.
        let _ = record.encode(self.buffer);
        let digest = self.digester.digest(self.buffer);
        let shelf = self.inventory.0.entry(R::META.kind).or_default();
        let group = match R::META.group_field().map(|field| record.value(field.number)) {
            None => shelf.place(hashed_group(&key)),
            Some(Value::Text(name)) => shelf.place(name),
            Some(_) => shelf.place(""),
        };
        shelf.records.push(Own { key, digest, group, position: self.position });
    }
}

impl Shelf {
    /// The place of a group.
    fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.groups.len();
        self.groups.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
        place
    }

    /// Puts the records in order. Of several with one key the first is compared; unless they are the same, all are sent, so that
    /// the hub says what it thinks of that.
    fn settle(&mut self) {
        self.records.sort_unstable_by(|a, b| a.key.cmp(&b.key).then(a.position.cmp(&b.position)));
        let disputed = &mut self.disputed;
        self.records.dedup_by(|later, first| {
            let again = later.key == first.key;
            if again && (later.digest, later.group) != (first.digest, first.group) {
                disputed.extend([first.position, later.position]);
            }
            again
        });
    }

    /// Records of all keys.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Digest of each group.
    pub fn digests(&self) -> Vec<common::GroupDigest> {
        let mut sums: Vec<(u32, GroupDigest)> = Vec::new();
        sums.resize_with(self.groups.len(), Default::default);
        for own in &self.records {
            let (count, digest) = &mut sums[own.group];
            *count += 1;
            digest.add(&own.key, &own.digest);
        }
        let named = self.groups.iter().zip(sums).filter(|(_, (count, _))| *count > 0);
        let digest = |(group, (count, digest)): (&String, (u32, GroupDigest))| common::GroupDigest {
            group: group.clone(),
            count,
            digest: digest.finish().to_vec(),
        };
        named.map(digest).collect()
    }

    /// The records of these groups, group by group; a group without any is an empty list.
    pub fn members(&self, names: &[String]) -> Vec<Vec<&Own>> {
        let mut of_place: Vec<Option<usize>> = vec![None; self.groups.len()];
        let mut members: Vec<Vec<&Own>> = Vec::new();
        members.resize_with(names.len(), Vec::new);
        for (n, name) in names.iter().enumerate() {
            if let Some(place) = self.places.get(name) {
                of_place[*place] = Some(n);
            }
        }
        for own in &self.records {
            if let Some(n) = of_place[own.group] {
                members[n].push(own);
            }
        }
        members
    }

    /// Position of the record with this key.
    pub fn position(&self, key: &str) -> Option<usize> {
        let at = self.records.binary_search_by(|own| own.key.as_str().cmp(key)).ok()?;
        Some(self.records[at].position)
    }

    /// Positions that are sent whatever the hub holds.
    pub fn disputed(&self) -> &[usize] {
        &self.disputed
    }
}
