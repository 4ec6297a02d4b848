//! What a school holds, by the documented rules alone: maps in memory, no SQL, none of the hub's code for writing.
use eduhub_proto::{
    common::v1::{Kind, PushCounts, Withdrawal},
    registry::v1::{Record, record::Record as Any},
};
use std::collections::{BTreeMap, BTreeSet};

/// Kind and full key.
pub type Place = (i32, String);

/// Kinds in the order in which a batch is written: parents first.
const ORDER: [Kind; 4] = [Kind::Campus, Kind::Class, Kind::Pupil, Kind::Enrolment];

/// One school.
#[derive(Clone, Default)]
pub struct School {
    pub live: BTreeMap<Place, (i64, Record)>,
    pub versions: BTreeMap<Place, i64>,
    held: BTreeMap<Place, Record>,
}

/// Kind, key as the sender knows it, full key and parents of a record, written out by hand.
pub fn named(record: &Record, year: i32) -> (Place, Vec<Place>) {
    let place = |kind: Kind, key: &str| (kind as i32, key.to_owned());
    let yearly = |kind: Kind, key: &str| (kind as i32, format!("{year}/{key}"));
    match record.record.as_ref().expect("a record") {
        Any::Campus(c) => (place(Kind::Campus, &c.campus_code), vec![]),
        Any::Class(c) => {
            let campus = c.campus_code.iter().map(|code| place(Kind::Campus, code)).collect();
            (yearly(Kind::Class, &c.class_code), campus)
        }
        Any::Pupil(p) => (place(Kind::Pupil, &p.student_code), vec![]),
        Any::Enrolment(e) => {
            let parents = vec![place(Kind::Pupil, &e.student_code), yearly(Kind::Class, &e.class_code)];
            (yearly(Kind::Enrolment, &e.enrolment_id), parents)
        }
        other => panic!("the model has no {other:?}"),
    }
}

impl School {
    /// A batch: its records parents first, then its withdrawals, then what waited for them. `sound` says whether a record is
    /// refused for itself.
    pub fn batch(
        &mut self,
        records: &[Record],
        withdrawals: &[Withdrawal],
        year: i32,
        sound: impl Fn(&Record) -> bool,
    ) -> PushCounts {
        let mut counts = PushCounts::default();
        for kind in ORDER {
            let mut seen: BTreeMap<Place, Record> = BTreeMap::new();
            for record in records {
                let (place, parents) = named(record, year);
                if place.0 != kind as i32 {
                    continue;
                }
                match seen.get(&place) {
                    Some(same) if same == record => counts.unchanged += 1,
                    // Another image of the same key in one batch: the second is refused, the first stays what it is.
                    Some(_) => counts.rejected += 1,
                    None => {
                        seen.insert(place.clone(), record.clone());
                        self.take(place, &parents, record, sound(record), &mut counts);
                    }
                }
            }
        }
        for w in withdrawals {
            let key = if [Kind::Class, Kind::Enrolment].contains(&w.kind()) {
                format!("{year}/{}", w.record_key)
            } else {
                w.record_key.clone()
            };
            if self.withdraw((w.kind, key)) { counts.withdrawn += 1 } else { counts.unchanged += 1 }
        }
        self.admit(year, &mut counts);
        counts
    }

    fn take(
        &mut self,
        place: Place,
        parents: &[Place],
        record: &Record,
        sound: bool,
        counts: &mut PushCounts,
    ) {
        if !sound {
            counts.rejected += 1;
            self.held.remove(&place);
        } else if parents.iter().all(|p| self.live.contains_key(p)) {
            self.held.remove(&place);
            match self.put(place, record) {
                Put::Created => counts.created += 1,
                Put::Updated => counts.updated += 1,
                Put::Unchanged => counts.unchanged += 1,
            }
        } else {
            counts.held += 1;
            self.held.insert(place, record.clone());
        }
    }

    fn put(&mut self, place: Place, record: &Record) -> Put {
        let before = self.live.get(&place);
        if before.is_some_and(|(_, r)| r == record) {
            return Put::Unchanged;
        }
        let put = if before.is_some() { Put::Updated } else { Put::Created };
        let version = self.versions.entry(place.clone()).or_default();
        *version += 1;
        self.live.insert(place, (*version, record.clone()));
        put
    }

    /// True when there was something to take away. What waits under the key is forgotten in any case.
    fn withdraw(&mut self, place: Place) -> bool {
        self.held.remove(&place);
        let was = self.live.remove(&place).is_some();
        if was {
            *self.versions.entry(place).or_default() += 1;
        }
        was
    }

    fn admit(&mut self, year: i32, counts: &mut PushCounts) {
        loop {
            let ready: Vec<(Place, Record)> = self
                .held
                .iter()
                .filter(|(_, r)| named(r, year).1.iter().all(|p| self.live.contains_key(p)))
                .map(|(place, r)| (place.clone(), r.clone()))
                .collect();
            if ready.is_empty() {
                return;
            }
            for (place, record) in ready {
                self.held.remove(&place);
                self.put(place, &record);
                counts.admitted += 1;
            }
        }
    }

    /// The end of a FULL session of these kinds: what it did not name goes, waiting records included. Gives how many
    /// records went.
    pub fn end_of_full(&mut self, kinds: &[Kind], named: &BTreeSet<Place>) -> u64 {
        let covered = |place: &&Place| kinds.iter().any(|k| *k as i32 == place.0) && !named.contains(*place);
        let gone: Vec<Place> = self.live.keys().filter(covered).cloned().collect();
        let waiting: Vec<Place> = self.held.keys().filter(covered).cloned().collect();
        waiting.iter().for_each(|place| drop(self.held.remove(place)));
        gone.into_iter().map(|place| u64::from(self.withdraw(place))).sum()
    }

    /// Records of a kind by key, with their versions.
    pub fn of(&self, kind: Kind) -> Vec<(String, i64, Record)> {
        let own = self.live.iter().filter(|((k, _), _)| *k == kind as i32);
        own.map(|((_, key), (version, record))| (key.clone(), *version, record.clone())).collect()
    }

    /// Changes that its log must hold: one for each version.
    pub fn log_entries(&self) -> i64 {
        self.versions.values().sum()
    }

    /// Records that wait.
    pub fn waiting(&self) -> usize {
        self.held.len()
    }
}

enum Put {
    Created,
    Updated,
    Unchanged,
}
