//! The units that come with the hub.
use super::{FIRST_DAY, LAST_DAY};
use crate::code_list::{Entries, Entry, seed_rows};
use eduhub_rules::OPEN;
use std::collections::{BTreeMap, BTreeSet};

/// Name of the entry that stands for districts which ended before June 2025.
const EARLIER: &str = "(huyện đã sáp nhập trước 6/2025: nhận mã đúng dạng)";
const UNITS: &str = include_str!("../../seed/admin_units_2025.tsv");
const FORMER: &str = include_str!("../../seed/former_units.tsv");

/// A commune of today.
#[derive(Debug)]
pub struct Commune {
    /// Five digits.
    pub code: String,
    /// Name with its kind.
    pub name: String,
    /// Two digits.
    pub province_code: String,
    /// Name of the province.
    pub province_name: String,
}

/// A unit before July 2025.
#[derive(Debug)]
pub struct Former {
    /// Two digits of a province, three of a district, five of a commune.
    pub code: String,
    /// Name with its kind.
    pub name: String,
    /// District of a commune, province of a district; empty for a province.
    pub parent: String,
    /// Whether it went as a whole.
    pub whole: bool,
    /// Units that took it; none when that is not known, and for districts.
    pub successors: Vec<String>,
}

/// All of them.
#[derive(Debug)]
pub struct Seed {
    /// Communes of today.
    pub communes: Vec<Commune>,
    /// Units before July 2025.
    pub former: Vec<Former>,
}

impl Seed {
    /// Reads the files.
    ///
    /// # Errors
    /// A malformed file.
    pub fn read() -> Result<Self, csv::Error> {
        let text = |row: &[String], i: usize| row.get(i).cloned().unwrap_or_default();
        let commune = |row: &Vec<String>| Commune {
            province_code: text(row, 0),
            province_name: text(row, 1),
            code: text(row, 2),
            name: text(row, 3),
        };
        let former = |row: &Vec<String>| Former {
            code: text(row, 0),
            name: text(row, 1),
            parent: text(row, 2),
            whole: text(row, 3) == "whole",
            successors: text(row, 4).split_whitespace().map(str::to_owned).collect(),
        };
        let communes = seed_rows(UNITS)?.iter().map(commune).collect();
        let former = seed_rows(FORMER)?.iter().map(former).collect();
        Ok(Self { communes, former })
    }

    /// The units as code lists. A code that lives on is valid all the time, under the name of today: which piece of land it meant
    /// when is told by the units themselves.
    pub fn lists(&self) -> BTreeMap<String, Entries> {
        let known: BTreeSet<&str> = self.former.iter().map(|f| f.code.as_str()).collect();
        let mut lists: BTreeMap<String, Entries> = BTreeMap::new();
        for former in &self.former {
            let list = match former.code.len() {
                2 => "DM_TINH",
                3 => "DM_HUYEN",
                _ => "DM_XA",
            };
            let entry = Entry { name: former.name.clone(), from: None, to: Some(LAST_DAY) };
            lists.entry(list.to_owned()).or_default().insert(former.code.clone(), entry);
        }
        // Districts that were joined before June 2025 are not in the file, and records of older years have them.
        let open = Entry { name: EARLIER.to_owned(), from: None, to: Some(LAST_DAY) };
        lists.entry("DM_HUYEN".to_owned()).or_default().insert(OPEN.to_owned(), open);
        for commune in &self.communes {
            let from = (!known.contains(commune.code.as_str())).then_some(FIRST_DAY);
            let entry = Entry { name: commune.name.clone(), from, to: None };
            lists.entry("DM_XA".to_owned()).or_default().insert(commune.code.clone(), entry);
            let entry = Entry { name: commune.province_name.clone(), from: None, to: None };
            lists.entry("DM_TINH".to_owned()).or_default().insert(commune.province_code.clone(), entry);
        }
        lists
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_has_the_published_numbers_of_units() {
        let seed = Seed::read().unwrap();
        // QĐ 19/2025: 34 provinces, 3,321 units; Ninh Bình has 129.
        assert_eq!(seed.communes.len(), 3_321);
        assert_eq!(seed.communes.iter().map(|c| &c.province_code).collect::<BTreeSet<_>>().len(), 34);
        assert_eq!(seed.communes.iter().filter(|c| c.province_code == "37").count(), 129);
        let of_length = |n: usize| seed.former.iter().filter(|f| f.code.len() == n).count();
        assert_eq!((of_length(2), of_length(3), of_length(5)), (63, 696, 10_035));
    }

    #[test]
    fn every_successor_is_a_unit_of_today_and_every_parent_a_former_unit() {
        let seed = Seed::read().unwrap();
        let mut today: BTreeSet<&str> = seed.communes.iter().map(|c| c.code.as_str()).collect();
        today.extend(seed.communes.iter().map(|c| c.province_code.as_str()));
        let former: BTreeSet<&str> = seed.former.iter().map(|f| f.code.as_str()).collect();
        assert_eq!(former.len(), seed.former.len(), "a code stands twice");
        for f in &seed.former {
            assert!(f.successors.iter().all(|s| today.contains(s.as_str())), "{}", f.code);
            assert!(f.parent.is_empty() == (f.code.len() == 2), "{}", f.code);
            assert!(f.parent.is_empty() || former.contains(f.parent.as_str()), "{}", f.code);
            assert!(!f.whole || f.successors.len() == 1, "{} went as a whole into several", f.code);
        }
    }

    /// The three provinces that became Ninh Bình: nothing of them is unknown, and together they are the 129 communes.
    #[test]
    fn the_conversion_of_ninh_binh_is_whole() {
        let seed = Seed::read().unwrap();
        let districts: BTreeSet<&str> = seed
            .former
            .iter()
            .filter(|f| f.code.len() == 3 && ["35", "36", "37"].contains(&f.parent.as_str()))
            .map(|f| f.code.as_str())
            .collect();
        let communes: Vec<_> = seed
            .former
            .iter()
            .filter(|f| f.code.len() == 5 && districts.contains(f.parent.as_str()))
            .collect();
        assert_eq!((communes.len(), communes.iter().filter(|f| f.whole).count()), (398, 392));
        assert!(communes.iter().all(|f| !f.successors.is_empty()));
        let taken: BTreeSet<&str> = communes.iter().flat_map(|f| &f.successors).map(String::as_str).collect();
        let today = seed.communes.iter().filter(|c| c.province_code == "37").map(|c| c.code.as_str());
        assert_eq!(taken, today.collect());
    }

    #[test]
    fn a_code_that_lives_on_is_valid_and_one_that_does_not_has_a_last_day() {
        let lists = Seed::read().unwrap().lists();
        assert_eq!(lists["DM_XA"]["14329"], Entry { name: "Phường Hoa Lư".into(), from: None, to: None });
        assert_eq!(lists["DM_XA"]["14332"].to, Some(LAST_DAY));
        assert_eq!(lists["DM_TINH"]["35"].to, Some(LAST_DAY));
        assert_eq!((lists["DM_TINH"]["37"].to, lists["DM_TINH"].len()), (None, 63));
        assert!(lists["DM_HUYEN"].values().all(|e| e.to == Some(LAST_DAY)));
        let new = lists["DM_XA"].values().filter(|e| e.from == Some(FIRST_DAY)).count();
        assert_eq!(new, 5, "islands that had no commune");
    }
}
