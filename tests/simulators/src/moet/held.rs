//! What the Ministry holds, with the indexes that its rules ask.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::message::{Fields, any_text, text};

/// Payload types that rules speak of.
pub(crate) const CLASS: u8 = 3;
/// Pupils.
pub(crate) const PUPIL: u8 = 4;

/// Where pupil codes start, in the observed shape of ten digits (domain.md E.2).
const FIRST_CODE: u64 = 142_976_686;

/// One record as stored.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) ma_truong: String,
    pub(crate) loai: u8,
    pub(crate) nam_hoc: i32,
    pub(crate) idbanghi: Uuid,
    pub(crate) khoa: String,
    pub(crate) phienban: i64,
    pub(crate) du_lieu: Fields,
    pub(crate) ma_bo: Option<String>,
    /// Cancelled at the sender: the version stays known, nothing else counts.
    pub(crate) cancelled: bool,
}

type Place = (String, u8, Uuid);
type Name = (u8, String, i32, String);

/// Records by school and type (the order of reading back), and indexes over those that are not cancelled.
#[derive(Default)]
pub(crate) struct Store {
    rows: BTreeMap<Place, Held>,
    /// School of a record, cancelled ones included.
    home: BTreeMap<(u8, Uuid), String>,
    /// Records by type, school, year and own code: a class by its code.
    by_code: BTreeMap<Name, Uuid>,
    /// Pupils by the Ministry's code and by the sender's key, in their school.
    pupils: BTreeMap<(String, String), Uuid>,
    /// Pupils by personal identification number.
    by_personal_id: BTreeMap<String, Uuid>,
    /// Codes given, kept for life: by record, and by person.
    codes: BTreeMap<Uuid, String>,
    codes_of_persons: BTreeMap<String, String>,
    /// Codes in use, those that came with the records included.
    taken: BTreeSet<String>,
}

impl Store {
    pub(crate) fn get(&self, loai: u8, id: Uuid) -> Option<&Held> {
        let school = self.home.get(&(loai, id))?;
        self.rows.get(&(school.clone(), loai, id))
    }

    /// Stores a record over the one before.
    pub(crate) fn put(&mut self, held: Held) {
        self.take_out(held.loai, held.idbanghi);
        self.home.insert((held.loai, held.idbanghi), held.ma_truong.clone());
        if !held.cancelled {
            self.by_code.insert(name_of(&held), held.idbanghi);
            for key in pupil_keys(&held) {
                self.pupils.insert(key, held.idbanghi);
            }
            if let Some(number) = personal_id(&held) {
                self.by_personal_id.insert(number, held.idbanghi);
            }
        }
        self.rows.insert((held.ma_truong.clone(), held.loai, held.idbanghi), held);
    }

    fn take_out(&mut self, loai: u8, id: Uuid) {
        let Some(school) = self.home.remove(&(loai, id)) else { return };
        let Some(old) = self.rows.remove(&(school, loai, id)) else { return };
        remove_own(&mut self.by_code, &name_of(&old), id);
        for key in pupil_keys(&old) {
            remove_own(&mut self.pupils, &key, id);
        }
        if let Some(number) = personal_id(&old) {
            remove_own(&mut self.by_personal_id, &number, id);
        }
    }

    /// The live record of this type with this code in the school and year.
    pub(crate) fn by_code(&self, loai: u8, school: &str, year: i32, code: &str) -> Option<Uuid> {
        self.by_code.get(&(loai, school.to_owned(), year, code.to_owned())).copied()
    }

    /// Whether the school has a live pupil with this Ministry code or sender's key.
    pub(crate) fn has_pupil(&self, school: &str, code: &str) -> bool {
        self.pupils.contains_key(&(school.to_owned(), code.to_owned()))
    }

    pub(crate) fn holder_of_personal_id(&self, number: &str) -> Option<Uuid> {
        self.by_personal_id.get(number).copied()
    }

    /// Whether a live pupil of the school and year sits in the class.
    pub(crate) fn class_has_pupils(&self, school: &str, year: i32, class: &str) -> bool {
        self.page(school, PUPIL, None)
            .any(|pupil| pupil.nam_hoc == year && text(&pupil.du_lieu, "MA_LOP").as_deref() == Some(class))
    }

    /// The Ministry's code of a pupil: the key itself when it is one; else the person's or the record's code
    /// of before; else a new one.
    pub(crate) fn code_for(&mut self, id: Uuid, khoa: &str, personal_id: Option<&str>) -> String {
        let known = if khoa.starts_with("TAM-") {
            let of_person = personal_id.and_then(|number| self.codes_of_persons.get(number));
            of_person.or_else(|| self.codes.get(&id)).cloned()
        } else {
            Some(khoa.to_owned())
        };
        let code = known.unwrap_or_else(|| self.new_code());
        self.taken.insert(code.clone());
        self.codes.insert(id, code.clone());
        if let Some(number) = personal_id {
            self.codes_of_persons.insert(number.to_owned(), code.clone());
        }
        code
    }

    fn new_code(&self) -> String {
        let serial = FIRST_CODE + self.codes.len() as u64;
        let mut codes = (serial..).map(|n| format!("{n:010}"));
        codes.find(|code| !self.taken.contains(code)).unwrap_or_default()
    }

    /// The code given to this record before, if any.
    pub(crate) fn code_given(&self, id: Uuid) -> Option<&str> {
        self.codes.get(&id).map(String::as_str)
    }

    /// Live records of a school and type in the order of their ids, after the given one.
    pub(crate) fn page(&self, school: &str, loai: u8, after: Option<Uuid>) -> impl Iterator<Item = &Held> {
        use std::ops::Bound::{Excluded, Included};
        let place = |id| (school.to_owned(), loai, id);
        let from = after.map_or(Included(place(Uuid::nil())), |id| Excluded(place(id)));
        let rows = self.rows.range((from, Included(place(Uuid::max()))));
        rows.map(|(_, held)| held).filter(|held| !held.cancelled)
    }

    /// How many live records of each type each school has.
    pub(crate) fn counts(&self) -> BTreeMap<String, BTreeMap<u8, u64>> {
        let mut counts: BTreeMap<String, BTreeMap<u8, u64>> = BTreeMap::new();
        for held in self.rows.values().filter(|held| !held.cancelled) {
            *counts.entry(held.ma_truong.clone()).or_default().entry(held.loai).or_default() += 1;
        }
        counts
    }
}

/// A record's own code: a class has one apart from its key.
pub(crate) fn code_of(loai: u8, khoa: &str, fields: &Fields) -> String {
    let own = if loai == CLASS { text(fields, "MA") } else { None };
    own.unwrap_or_else(|| khoa.to_owned())
}

fn name_of(held: &Held) -> Name {
    (held.loai, held.ma_truong.clone(), held.nam_hoc, code_of(held.loai, &held.khoa, &held.du_lieu))
}

fn pupil_keys(held: &Held) -> Vec<(String, String)> {
    if held.loai != PUPIL {
        return Vec::new();
    }
    let own = any_text(&held.du_lieu, &["HOC_SINH_ID", "HOC_VIEN_ID"]);
    let names = [Some(held.khoa.clone()), held.ma_bo.clone(), own];
    names.into_iter().flatten().map(|name| (held.ma_truong.clone(), name)).collect()
}

fn personal_id(held: &Held) -> Option<String> {
    if held.loai == PUPIL { text(&held.du_lieu, "MA_CONG_DAN_ID") } else { None }
}

/// Removes an index entry unless another record has taken it over meanwhile.
fn remove_own<K: Ord>(index: &mut BTreeMap<K, Uuid>, key: &K, own: Uuid) {
    if index.get(key) == Some(&own) {
        index.remove(key);
    }
}
