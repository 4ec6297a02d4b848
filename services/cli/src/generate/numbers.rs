//! Numbers that must be unique in the whole province although every school is made alone: each school has its own block.
use super::GenerateError;
use super::people::Sex;
use super::places::ELSEWHERE;
use std::collections::HashMap;

/// Schools of the whole province; so many blocks share the 1,000,000 numbers of a prefix, sex and birth year.
const BLOCKS: u32 = 1_617;
const BLOCK: u32 = 1_000_000 / BLOCKS;
const HOME: [&str; 3] = ["035", "036", "037"];

/// The numbers of one school.
pub struct Numbers {
    index: u32,
    used: HashMap<(String, u8, i32), u32>,
    students: u32,
    staff: u32,
}

impl Numbers {
    /// The block of the school at this position in the run.
    pub fn new(index: usize) -> Self {
        Self { index: index as u32, used: HashMap::new(), students: 0, staff: 0 }
    }

    /// An unused personal ID (E.1): prefix, century and sex, year, six digits that look random.
    ///
    /// # Errors
    /// [`GenerateError::Numbers`] when the block is used up (a school of more than 5,000 of one age).
    pub fn personal_id(&mut self, prefix: &str, sex: Sex, year: i32) -> Result<String, GenerateError> {
        let century_and_sex = (year / 100 - 19) * 2 + i32::from(sex == Sex::Female);
        let spare = HOME.into_iter().chain(ELSEWHERE.map(|(prefix, _)| prefix));
        for prefix in std::iter::once(prefix).chain(spare) {
            let used = self.used.entry((prefix.to_owned(), century_and_sex as u8, year)).or_insert(0);
            if *used < BLOCK {
                let slot = self.index * BLOCK + *used;
                *used += 1;
                // Each cell is turned by its own amount, so that people of one school do not share their last digits.
                let turn = (century_and_sex * 100 + year % 100) as u64 * 777_767;
                let serial = (scatter(slot, 762_939, 1_000_000) + turn) % 1_000_000;
                return Ok(format!("{prefix}{century_and_sex}{:02}{serial:06}", year % 100));
            }
        }
        Err(GenerateError::Numbers)
    }

    /// Ministry-like pupil code, 10 digits (E.2).
    pub fn student_code(&mut self) -> String {
        self.students += 1;
        format!("37{:08}", scatter(self.index * 6_000 + self.students, 61_803_399, 100_000_000))
    }

    /// Staff code.
    pub fn staff_code(&mut self) -> String {
        self.staff += 1;
        format!("GV37{:07}", scatter(self.index * 1_000 + self.staff, 6_180_339, 10_000_000))
    }
}

/// A bijection of 0..modulus: the factor shares no divisor with it (it ends in 1, 3, 7 or 9, the modulus is a power of 10).
fn scatter(slot: u32, factor: u64, modulus: u64) -> u64 {
    (u64::from(slot) * factor + 271_828) % modulus
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_unique_across_schools_and_say_sex_and_year() {
        let mut all = HashSet::new();
        for index in [0, 1, 1_616] {
            let mut numbers = Numbers::new(index);
            for i in 0..2_000 {
                let id = numbers.personal_id("037", Sex::Female, 2015).unwrap();
                let parsed = eduhub_rules::PersonalId::parse(&id).unwrap();
                assert_eq!((parsed.birth_year, parsed.sex), (2015, 2));
                assert!(eduhub_rules::province_of_registration(parsed.prefix));
                assert!(all.insert(id));
                assert!(all.insert(numbers.student_code()));
                assert!(i >= 1_000 || all.insert(numbers.staff_code()));
            }
        }
    }

    #[test]
    fn scattering_never_meets() {
        let seen: HashSet<u64> = (0..1_000_000).map(|i| scatter(i, 762_939, 1_000_000)).collect();
        assert_eq!(seen.len(), 1_000_000);
    }
}
