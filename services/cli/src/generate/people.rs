//! True persons: what the population database holds of them, before anything is broken.
use super::GenerateError;
use super::chance::{Chance, happens, pick};
use super::names;
use super::numbers::Numbers;
use super::places::{Commune, ELSEWHERE};
use super::settings::Settings;
use rand::Rng;
use serde::{Deserialize, Serialize};
use time::{Date, Duration, Month};

/// Sex as in D.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sex {
    /// 1.
    Male,
    /// 2.
    Female,
}

impl Sex {
    /// Code of D.1.
    pub fn code(self) -> &'static str {
        match self {
            Sex::Male => "1",
            Sex::Female => "2",
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Sex::Male => Sex::Female,
            Sex::Female => Sex::Male,
        }
    }
}

/// A person as it is.
#[derive(Clone, Debug)]
pub struct Person {
    /// Name, NFC.
    pub full_name: String,
    /// Sex.
    pub sex: Sex,
    /// Birth date.
    pub born: Date,
    /// Personal ID.
    pub personal_id: String,
    /// Prefix of the personal ID.
    pub prefix: &'static str,
    /// Where the birth was registered.
    pub birth_place: String,
    /// Ethnic group (D.2).
    pub ethnicity: &'static str,
}

/// A person as the population database writes it (the file of the simulator).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citizen {
    /// Personal ID.
    pub so_dinh_danh: String,
    /// Name.
    pub ho_ten: String,
    /// Birth date, ISO.
    pub ngay_sinh: String,
    /// "1" male, "2" female.
    pub gioi_tinh: String,
}

impl Person {
    /// As the population database writes it.
    pub fn citizen(&self) -> Citizen {
        Citizen {
            so_dinh_danh: self.personal_id.clone(),
            ho_ten: self.full_name.clone(),
            ngay_sinh: self.born.to_string(),
            gioi_tinh: self.sex.code().to_owned(),
        }
    }
}

/// Makes persons of one school's commune.
pub struct People<'a> {
    /// Settings.
    pub settings: &'a Settings,
    /// Commune.
    pub commune: Commune,
    /// The school's numbers.
    pub numbers: &'a mut Numbers,
}

impl People<'_> {
    /// A child born in this year, at the latest on `last`.
    ///
    /// # Errors
    /// [`GenerateError::Numbers`].
    pub fn child(&mut self, rng: &mut Chance, year: i32, last: Date) -> Result<Person, GenerateError> {
        let sex = if happens(rng, self.settings.boys) { Sex::Male } else { Sex::Female };
        let born = birthday(rng, year, last)?;
        self.person(rng, sex, born, false)
    }

    /// An adult of this sex born in this year.
    ///
    /// # Errors
    /// [`GenerateError::Numbers`].
    pub fn adult(&mut self, rng: &mut Chance, sex: Sex, year: i32) -> Result<Person, GenerateError> {
        let born = birthday(rng, year, Date::MAX)?;
        self.person(rng, sex, born, true)
    }

    fn person(
        &mut self,
        rng: &mut Chance,
        sex: Sex,
        born: Date,
        adult: bool,
    ) -> Result<Person, GenerateError> {
        let (hills, elsewhere, others) = self.settings.muong;
        let muong = happens(rng, if self.commune.hills() { hills } else { elsewhere });
        let ethnicity = match muong {
            true => "06",
            false if happens(rng, others) => pick(rng, &["02", "03", "07", "04", "09"]),
            false => "01",
        };
        let family = names::surname(rng, muong);
        let full_name = if adult { names::adult(rng, family, sex) } else { names::child(rng, family, sex) };
        let home = happens(rng, self.settings.home_id);
        let (prefix, birth_place) = if home {
            (self.commune.id_prefix(), format!("{}, tỉnh {}", self.commune.name, self.commune.old_province()))
        } else {
            let (prefix, province) = *pick(rng, &ELSEWHERE);
            (prefix, format!("Tỉnh {province}").replace("Tỉnh TP", "TP"))
        };
        let personal_id = self.numbers.personal_id(prefix, sex, born.year())?;
        Ok(Person { full_name, sex, born, personal_id, prefix, birth_place, ethnicity })
    }
}

/// A day of the year, uniform, at the latest `last`.
fn birthday(rng: &mut Chance, year: i32, last: Date) -> Result<Date, GenerateError> {
    let first = Date::from_calendar_date(year, Month::January, 1).map_err(|_| GenerateError::Date)?;
    let end = Date::from_calendar_date(year, Month::December, 31).map_err(|_| GenerateError::Date)?.min(last);
    let days = (end - first).whole_days().max(0);
    Ok(first + Duration::days(rng.random_range(0..=days)))
}

/// Mobile number of a range that has not been in use since its operator closed in 2012, so that nobody is called.
pub fn mobile(rng: &mut Chance) -> String {
    format!("0955{:06}", rng.random_range(0..1_000_000))
}
