//! Levels of education as a set, because an inter-level school has several.
use crate::common::v1::Level;

/// Set of [`Level`]s; the bit of a level is its number, so 31 levels fit. Empty means "not known", or "all" where a
/// field states at which levels it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Levels(u32);

impl Levels {
    /// No level.
    pub const NONE: Self = Self(0);

    /// Every level there is.
    pub const ALL: Self = Self(crate::ALL_LEVELS);

    /// Set with these bits; for the generated tables.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Set of one level; empty for [`Level::Unspecified`].
    pub const fn of(level: Level) -> Self {
        Self(if level as i32 == 0 { 0 } else { 1 << level as i32 })
    }

    /// Level of a grade as `DM_KHOI` codes it (domain.md D.4): 1..5 primary, 6..9 lower secondary, 10..12 upper
    /// secondary, 13..18 nursery and kindergarten; empty for anything else.
    pub fn of_grade(grade: &str) -> Self {
        match grade.parse::<u8>() {
            Ok(1..=5) => Self::of(Level::Primary),
            Ok(6..=9) => Self::of(Level::LowerSecondary),
            Ok(10..=12) => Self::of(Level::UpperSecondary),
            Ok(13..=18) => Self::of(Level::Preschool),
            _ => Self::NONE,
        }
    }

    /// Level of a national level group code (`DM_NHOM_CAP_HOC`, domain.md D.4): 01 preschool .. 05 continuing; empty for
    /// anything else.
    pub fn of_group(code: &str) -> Self {
        let number = code.parse::<i32>().ok().filter(|_| code.len() == 2);
        number.and_then(|n| Level::try_from(n).ok()).map_or(Self::NONE, Self::of)
    }

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn shared(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// True without any level.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True when the level is in the set.
    pub const fn contains(self, level: Level) -> bool {
        self.0 & Self::of(level).0 != 0
    }

    /// The levels in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Level> {
        let mut bits = self.0;
        let numbers = std::iter::from_fn(move || {
            let lowest = (bits != 0).then(|| bits.trailing_zeros())?;
            bits &= bits - 1;
            i32::try_from(lowest).ok()
        });
        numbers.filter_map(|n| Level::try_from(n).ok())
    }
}

impl From<Level> for Levels {
    fn from(level: Level) -> Self {
        Self::of(level)
    }
}

impl FromIterator<Level> for Levels {
    fn from_iter<I: IntoIterator<Item = Level>>(levels: I) -> Self {
        levels.into_iter().fold(Self::NONE, |set, level| set.with(Self::of(level)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_fits_and_comes_back() {
        let all: Vec<Level> = (1..32).filter_map(|n| Level::try_from(n).ok()).collect();
        assert!(all.len() >= 5 && Level::try_from(32).is_err(), "a level's number is below 32");
        let set: Levels = all.iter().copied().collect();
        assert_eq!(set, Levels::ALL);
        assert_eq!(set.iter().collect::<Vec<_>>(), all);
        assert!(all.iter().all(|level| set.contains(*level)));
        assert!(!set.contains(Level::Unspecified) && Levels::of(Level::Unspecified).is_empty());
    }

    #[test]
    fn group_codes_name_their_level() {
        assert_eq!(Levels::of_group("01"), Levels::of(Level::Preschool));
        assert_eq!(Levels::of_group("05"), Levels::of(Level::Continuing));
        for odd in ["", "00", "1", "99", "x"] {
            assert!(Levels::of_group(odd).is_empty(), "{odd:?}");
        }
    }

    #[test]
    fn grades_name_their_level() {
        for (grade, level) in [
            ("1", Level::Primary),
            ("5", Level::Primary),
            ("6", Level::LowerSecondary),
            ("9", Level::LowerSecondary),
            ("10", Level::UpperSecondary),
            ("12", Level::UpperSecondary),
            ("13", Level::Preschool),
            ("18", Level::Preschool),
        ] {
            assert_eq!(Levels::of_grade(grade), Levels::of(level), "{grade}");
        }
        for odd in ["", "0", "19", "-1", "6A"] {
            assert!(Levels::of_grade(odd).is_empty(), "{odd:?}");
        }
    }
}
