//! Communes by code or name.
use eduhub_proto::registry::v1::AdminUnit;
use eduhub_rules::fold;
use std::collections::HashMap;

/// Words that open a commune's name and that lists leave out or shorten.
const KINDS: [&str; 8] = ["thi tran ", "dac khu ", "phuong ", "xa ", "tt ", "p ", "x ", "dk "];

/// The communes of a province.
#[derive(Debug, Default)]
pub struct Places {
    /// Province, two digits.
    pub province: String,
    by_code: HashMap<String, String>,
    by_name: HashMap<String, Vec<String>>,
    /// What became of codes of before July 2025 that the file has, in words.
    pub converted: HashMap<String, String>,
}

/// Why a text is no commune.
#[derive(Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// Nothing stands there.
    Missing,
    /// No commune of the province has this code.
    UnknownCode,
    /// No commune of the province has this name.
    UnknownName,
    /// Several have it: their names.
    Several(String),
}

impl Places {
    /// Those of the registry's answer.
    pub fn new(province: &str, units: &[AdminUnit]) -> Self {
        let mut places = Self { province: province.to_owned(), ..Self::default() };
        for unit in units {
            places.by_code.insert(unit.commune_code.clone(), unit.name.clone());
            let folded = fold(&unit.name);
            let plain = plain(&folded).to_owned();
            for name in std::collections::BTreeSet::from([folded, plain]) {
                places.by_name.entry(name).or_default().push(unit.commune_code.clone());
            }
        }
        places
    }

    /// Code of the commune that a cell names by its code or name.
    pub fn find(&self, text: &str) -> Result<String, NoPlace> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NoPlace::Missing);
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return if self.by_code.contains_key(text) {
                Ok(text.to_owned())
            } else {
                Err(NoPlace::UnknownCode)
            };
        }
        let folded = fold(text);
        // The whole name first: a ward and a commune may share the rest of theirs.
        let found = self.by_name.get(&folded).or_else(|| self.by_name.get(plain(&folded)));
        match found.map(Vec::as_slice) {
            None | Some([]) => Err(NoPlace::UnknownName),
            Some([one]) => Ok(one.clone()),
            Some(several) => {
                let names =
                    several.iter().map(|c| format!("{c} {}", self.by_code.get(c).map_or("", String::as_str)));
                Err(NoPlace::Several(names.collect::<Vec<_>>().join(", ")))
            }
        }
    }
}

fn plain(folded: &str) -> &str {
    KINDS.iter().find_map(|kind| folded.strip_prefix(kind)).unwrap_or(folded)
}
