//! Who is in the population database.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};
use time::Date;
use time::macros::format_description;

use super::fold::fold;
use crate::config::StartError;

/// A person as written in the population file and in questions.
#[derive(Deserialize)]
pub(crate) struct PersonRecord {
    pub(crate) so_dinh_danh: String,
    ho_ten: String,
    #[serde(deserialize_with = "iso_date")]
    ngay_sinh: Date,
    #[serde(deserialize_with = "sex")]
    gioi_tinh: u8,
}

/// A person as held. The name is folded once, when loaded.
pub(crate) struct Person {
    name: String,
    born: Date,
    sex: u8,
}

impl Person {
    /// The fields in which the described person differs. Unknown sex (0) differs from nothing.
    pub(crate) fn differences(&self, described: &PersonRecord) -> Vec<&'static str> {
        let sex_differs = described.gioi_tinh != 0 && self.sex != 0 && described.gioi_tinh != self.sex;
        let checks = [
            ("HO_TEN", fold(&described.ho_ten) != self.name),
            ("NGAY_SINH", described.ngay_sinh != self.born),
            ("GIOI_TINH", sex_differs),
        ];
        checks.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
    }
}

/// Everyone, by personal identification number.
#[derive(Default)]
pub(crate) struct Population(BTreeMap<String, Person>);

impl Population {
    pub(crate) fn find(&self, number: &str) -> Option<&Person> {
        self.0.get(number)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds persons from JSON lines, or nobody when a line is wrong. The later of two with one number counts.
    /// Returns how many lines there were.
    pub(crate) fn load(&mut self, lines: &str) -> Result<usize, String> {
        let filled = lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let read: Vec<(String, Person)> =
            filled.map(|(n, line)| person(n + 1, line)).collect::<Result<_, _>>()?;
        let count = read.len();
        self.0.extend(read);
        Ok(count)
    }

    /// Reads a whole JSON-lines file.
    pub(crate) async fn from_file(path: PathBuf) -> Result<Self, StartError> {
        let text = tokio::fs::read_to_string(&path).await;
        let text = text.map_err(|source| StartError::PopulationFile { path, source })?;
        let mut population = Self::default();
        population.load(&text).map_err(StartError::PopulationLine)?;
        Ok(population)
    }
}

/// The sentence names the line only: what stands there is a person.
fn person(number: usize, line: &str) -> Result<(String, Person), String> {
    let wrong = |what: &str| format!("line {number}: {what}");
    let record: PersonRecord = serde_json::from_str(line).map_err(|e| {
        wrong(&format!("no {{so_dinh_danh, ho_ten, ngay_sinh, gioi_tinh}} at column {}", e.column()))
    })?;
    let digits = record.so_dinh_danh.bytes().all(|b| b.is_ascii_digit());
    if !digits || record.so_dinh_danh.len() != 12 {
        return Err(wrong("so_dinh_danh must be 12 digits"));
    }
    let person = Person { name: fold(&record.ho_ten), born: record.ngay_sinh, sex: record.gioi_tinh };
    Ok((record.so_dinh_danh, person))
}

fn iso_date<'de, D: Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
    let text = String::deserialize(from)?;
    Date::parse(&text, format_description!("[year]-[month]-[day]"))
        .map_err(|_| de::Error::custom("a date is yyyy-MM-dd"))
}

/// DM_GIOI_TINH as number or text: 0 unknown, 1 male, 2 female.
fn sex<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    struct Code;
    impl de::Visitor<'_> for Code {
        type Value = u8;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("0, 1 or 2")
        }
        fn visit_u64<E: de::Error>(self, n: u64) -> Result<u8, E> {
            u8::try_from(n).ok().filter(|n| *n <= 2).ok_or_else(|| E::custom("sex is 0, 1 or 2"))
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<u8, E> {
            text.parse().map_err(|_| E::custom("sex is 0, 1 or 2")).and_then(|n: u64| self.visit_u64(n))
        }
    }
    from.deserialize_any(Code)
}
