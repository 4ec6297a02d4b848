//! A pack, and which of several is in force.
use eduhub_rules::{NotARule, RulePack, Strength};
use time::Date;

/// What a pack says of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Name.
    pub rule: String,
    /// Strength.
    pub strength: Strength,
    /// First day; none: the pack's.
    pub valid_from: Option<Date>,
    /// Last day; none: as long as the pack.
    pub valid_to: Option<Date>,
}

/// A published pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// Version.
    pub version: String,
    /// First school year that it is for.
    pub first_school_year: i32,
    /// First day on which it is in force.
    pub valid_from: Date,
    /// Its rules, by name.
    pub settings: Vec<Setting>,
}

impl Pack {
    /// The rules that it runs on a day.
    ///
    /// # Errors
    /// A rule that this version of the program does not have: one to come, or one of before.
    pub fn on(&self, day: Date) -> Result<RulePack, NotARule> {
        let valid = |s: &&Setting| {
            s.valid_from.is_none_or(|from| from <= day) && s.valid_to.is_none_or(|to| day <= to)
        };
        RulePack::of(self.settings.iter().filter(valid).map(|s| (s.rule.as_str(), s.strength.word())))
    }

    /// Number of a version `2026.1`, so that `2026.10` comes after `2026.9`.
    fn number(&self) -> (u32, u32) {
        let parts = self.version.split_once('.').unwrap_or_default();
        (parts.0.parse().unwrap_or_default(), parts.1.parse().unwrap_or_default())
    }
}

/// The pack that holds for a school year on a day: of those in force the one with the latest first day, then the higher version.
pub fn in_force(packs: &[Pack], school_year: i32, day: Date) -> Option<&Pack> {
    let fits = |p: &&Pack| p.first_school_year <= school_year && p.valid_from <= day;
    packs.iter().filter(fits).max_by_key(|p| (p.valid_from, p.number()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_rules::Rule;
    use time::macros::date;

    fn pack(version: &str, first_school_year: i32, valid_from: Date, rules: &[&str]) -> Pack {
        let setting = |rule: &&str| Setting {
            rule: (*rule).to_owned(),
            strength: Strength::Warning,
            valid_from: None,
            valid_to: None,
        };
        let settings = rules.iter().map(setting).collect();
        Pack { version: version.to_owned(), first_school_year, valid_from, settings }
    }

    #[test]
    fn the_latest_that_has_begun_holds() {
        let packs = [
            pack("2026.1", 2000, date!(2000 - 01 - 01), &[]),
            pack("2026.9", 2026, date!(2026 - 09 - 01), &[]),
            pack("2026.10", 2026, date!(2026 - 09 - 01), &[]),
            pack("2027.1", 2027, date!(2027 - 08 - 01), &[]),
        ];
        let held = |year, day| in_force(&packs, year, day).map(|p| p.version.as_str());
        assert_eq!(held(2026, date!(2026 - 08 - 31)), Some("2026.1"));
        assert_eq!(held(2026, date!(2026 - 09 - 01)), Some("2026.10"));
        assert_eq!(held(2025, date!(2026 - 09 - 01)), Some("2026.1"), "an old year keeps its pack");
        assert_eq!(held(2026, date!(2027 - 08 - 01)), Some("2026.10"));
        assert_eq!(held(2027, date!(2027 - 08 - 01)), Some("2027.1"));
        assert_eq!(held(1999, date!(2027 - 08 - 01)), None);
    }

    #[test]
    fn a_rule_has_days_of_its_own() {
        let mut pack = pack("2026.1", 2000, date!(2000 - 01 - 01), &["pupil.tuition"]);
        pack.settings[0].valid_from = Some(date!(2026 - 10 - 01));
        pack.settings[0].valid_to = Some(date!(2026 - 10 - 31));
        let strength = |day| pack.on(day).unwrap().strength(Rule::Tuition);
        assert_eq!(strength(date!(2026 - 09 - 30)), Strength::Off);
        assert_eq!(strength(date!(2026 - 10 - 01)), Strength::Warning);
        assert_eq!(strength(date!(2026 - 10 - 31)), Strength::Warning);
        assert_eq!(strength(date!(2026 - 11 - 01)), Strength::Off);
    }

    /// The last pack of the migrations is every rule at its usual strength.
    #[test]
    fn the_pack_that_comes_with_the_hub_is_the_usual_one() {
        let sql = include_str!("../../../migrations/0011_rules_of_2026_2.sql");
        let seeded = sql.lines().filter_map(|l| l.trim().strip_prefix("('")?.split_once("', '"));
        let seeded: Vec<_> =
            seeded.filter_map(|(rule, rest)| Some((rule, rest.split('\'').next()?))).collect();
        assert_eq!(seeded.len(), Rule::ALL.len());
        assert_eq!(RulePack::of(seeded), Ok(RulePack::USUAL));
    }
}
