//! What is compared: the live records of one kind in one school, of one year when the kind is yearly.
use eduhub_changelog::{RecordSet, Table};
use eduhub_faults::Fault;

/// Years that a yearly kind can be of: four digits, as the keys have them.
const YEARS: std::ops::RangeInclusive<i32> = 1000..=9999;

/// A range of a table's keys.
#[derive(Debug)]
pub(super) struct Range {
    pub table: &'static Table,
    pub school_code: String,
    /// What the keys begin with and the sender does not know of: `2026/`, or nothing.
    pub prefix: String,
}

impl Range {
    /// The records of a kind.
    ///
    /// # Errors
    /// INVALID_ARGUMENT/INVALID_REQUEST for a kind of another service, or no year.
    pub fn of<S: RecordSet>(school_code: &str, school_year: i32, kind: i32) -> Result<Self, Fault> {
        let table = S::table(kind).ok_or_else(|| Fault::invalid("kind", "not a kind of this service"))?;
        if table.meta.yearly && !YEARS.contains(&school_year) {
            return Err(Fault::invalid("school_year", "the kind is yearly: its first year, four digits"));
        }
        let prefix = table.meta.full_key(school_year, "");
        Ok(Self { table, school_code: school_code.to_owned(), prefix })
    }

    /// First key after the range; `None` when it is the end of the school's. Keys compare by their bytes, and `0` is the byte
    /// after `/`.
    pub fn end(&self) -> Option<String> {
        self.prefix.strip_suffix('/').map(|year| format!("{year}0"))
    }

    /// Whether groups are made of keys.
    pub fn hashed(&self) -> bool {
        self.table.group().is_none()
    }
}
