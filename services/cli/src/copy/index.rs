//! Heads of the copied records, and how a change moves them.
use super::CopyError;
use super::frame::AnyChange;
use eduhub_proto::common::v1::{ChangeHeader, ChangeOp, KindCount, SchoolDigest};
use prost::Message;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// What became of a batch of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Records that are new or have a new version.
    pub upserted: u64,
    /// Records taken away.
    pub withdrawn: u64,
    /// Changes that the copy had already (the feed gives at least once).
    pub known: u64,
}

/// Place of a change's bytes in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub offset: u64,
    pub length: u32,
}

struct Head {
    /// First 16 bytes of the SHA-256 of the record's id.
    record: [u8; 16],
    version: i64,
    digest: [u8; 16],
    place: Place,
    /// False for a record that was withdrawn: its version still tells old changes from new ones.
    live: bool,
}

/// School, then (kind, key).
#[derive(Default)]
pub(super) struct Index {
    schools: HashMap<String, BTreeMap<(i32, String), Head>>,
    live: u64,
    /// Bytes of changes that still count.
    live_bytes: u64,
}

impl Index {
    /// Applies one change that stands at `place`.
    pub fn apply(&mut self, change: &[u8], place: Place, applied: &mut Applied) -> Result<(), CopyError> {
        let change = AnyChange::decode(change).map_err(|_| CopyError::BadChange("not a change"))?;
        let header = change.header.ok_or(CopyError::BadChange("a change without head"))?;
        let live = match header.op() {
            ChangeOp::Upsert => true,
            ChangeOp::Withdraw => false,
            ChangeOp::Unspecified => return Err(CopyError::BadChange("a change without operation")),
        };
        let head = Head {
            record: short(&header.record_id),
            version: header.version,
            digest: digest(&header)?,
            place,
            live,
        };
        let school = self.schools.entry(header.school_code).or_default();
        let at = (header.kind, header.record_key);
        if let Some(old) = school.get(&at) {
            // Another record under the same key came later by the feed's order; the same record counts by its version.
            if old.record == head.record && old.version >= head.version {
                applied.known += 1;
                return Ok(());
            }
            if old.live {
                self.live -= 1;
                self.live_bytes -= u64::from(old.place.length);
            }
        }
        if live {
            applied.upserted += 1;
            self.live += 1;
            self.live_bytes += u64::from(place.length);
        } else {
            applied.withdrawn += 1;
        }
        school.insert(at, head);
        Ok(())
    }

    /// Forgets these schools and kinds.
    pub fn drop_all(&mut self, schools: &[String], kinds: &[i32]) {
        if schools.is_empty() && kinds.is_empty() {
            return;
        }
        let (mut live, mut bytes) = (0, 0);
        for (school, heads) in &mut self.schools {
            let whole = schools.contains(school);
            heads.retain(|(kind, _), head| {
                let goes = whole || kinds.contains(kind);
                if goes && head.live {
                    live += 1;
                    bytes += u64::from(head.place.length);
                }
                !goes
            });
        }
        self.schools.retain(|_, heads| !heads.is_empty());
        self.live -= live;
        self.live_bytes -= bytes;
    }

    pub fn len(&self) -> u64 {
        self.live
    }

    pub fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    pub fn schools(&self) -> Vec<String> {
        let mut all: Vec<String> = self.schools.keys().cloned().collect();
        all.sort();
        all
    }

    pub fn place(&self, school: &str, kind: i32, key: &str) -> Option<Place> {
        let head = self.schools.get(school)?.get(&(kind, key.to_owned()))?;
        head.live.then_some(head.place)
    }

    /// Places of all live records, school by school.
    pub fn places(&self) -> Vec<Place> {
        let heads = self.schools.values().flat_map(BTreeMap::values);
        let mut places: Vec<Place> = heads.filter(|h| h.live).map(|h| h.place).collect();
        places.sort_by_key(|p| p.offset);
        places
    }

    /// The digest that `SealService.GetSchoolDigest` gives, over what stands here (`eduhub/common/v1/seal.proto`).
    pub fn digest_of(&self, school: &str) -> SchoolDigest {
        let mut sum = Sha256::new();
        let mut counts: BTreeMap<i32, u64> = BTreeMap::new();
        // The map's order is the digest's: kind, then key bytewise.
        for ((kind, key), head) in self.schools.get(school).into_iter().flatten().filter(|(_, h)| h.live) {
            sum.update(format!("{kind}\t{key}\t{}\t{}\n", head.version, hex::encode(head.digest)));
            *counts.entry(*kind).or_default() += 1;
        }
        let counts = counts.into_iter().map(|(kind, count)| KindCount { kind, count }).collect();
        SchoolDigest { school_code: school.to_owned(), counts, digest: sum.finalize().to_vec() }
    }
}

fn short(record_id: &str) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(record_id).into();
    digest.first_chunk::<16>().copied().unwrap_or_default()
}

fn digest(header: &ChangeHeader) -> Result<[u8; 16], CopyError> {
    match header.digest.as_slice().try_into() {
        Ok(digest) => Ok(digest),
        Err(_) if header.op() == ChangeOp::Withdraw => Ok([0; 16]),
        Err(_) => Err(CopyError::BadChange("a digest that does not have 16 bytes")),
    }
}
