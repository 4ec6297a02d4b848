//! What a route may look like, and whom its steps mean for a school. No IO.

use time::macros::date;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// Stands for the commune or ward of the school.
pub const COMMUNE: &str = "COMMUNE";
/// Stands for the district office of the school.
pub const DISTRICT: &str = "DISTRICT";
/// Last day on which there were district offices; they ended with the districts (domain.md A-15).
pub const LAST_DAY_OF_DISTRICTS: Date = date!(2025 - 06 - 30);
/// More steps than the older three-tier scheme with every domain division would need.
pub const MAX_STEPS: usize = 8;

/// A route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Id.
    pub id: Uuid,
    /// Number of its scheme: for people only.
    pub scheme: i16,
    /// Schools and days that it is for.
    pub holds: Holds,
    /// Offices in the order in which they decide.
    pub steps: Vec<String>,
    /// Rises with every change; 0 before it is stored.
    pub version: i64,
    /// When it last changed; none before it is stored.
    pub changed_at: Option<OffsetDateTime>,
}

/// What a route is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    /// Number of the dataset.
    pub dataset: i16,
    /// Number of the level.
    pub level: i16,
    /// For schools directly under the Department, else under a commune.
    pub directly_managed: bool,
    /// First day.
    pub valid_from: Date,
    /// Last day; none: no end.
    pub valid_to: Option<Date>,
}

/// An office that steps may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    /// Code.
    pub code: String,
    /// Vietnamese name.
    pub name: String,
    /// Stands for the office in the school's place.
    pub by_place: bool,
}

/// The steps of a route for one school.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Offices that decide, by their own codes.
    pub offices: Vec<String>,
    /// Division that answers to the Director for the accuracy (R-REVIEW-4): the last one to decide.
    pub accountable_division: String,
}

impl Route {
    /// The offices that decide for a school of this commune; `None` when a step means an office that the school has not
    /// (a district), so that the route does not fit.
    pub fn for_commune(&self, commune_code: &str) -> Option<Way> {
        let office = |step: &String| match step.as_str() {
            COMMUNE => Some(commune_code.to_owned()).filter(|code| !code.is_empty()),
            DISTRICT => None,
            _ => Some(step.clone()),
        };
        let offices: Vec<String> = self.steps.iter().map(office).collect::<Option<_>>()?;
        let accountable_division = offices.last()?.clone();
        Some(Way { offices, accountable_division })
    }

    /// What is wrong with it: field and text, everything at once.
    pub fn mistakes(&self, offices: &[Office]) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut say = |field: &str, text: &str| found.push((format!("route.{field}"), text.to_owned()));
        if self.holds.valid_to.is_some_and(|to| to < self.holds.valid_from) {
            say("valid_to", "before valid_from");
        }
        if self.steps.is_empty() || self.steps.len() > MAX_STEPS {
            say("steps", "1 to 8 steps");
        }
        for (i, step) in self.steps.iter().enumerate() {
            let field = format!("steps[{i}]");
            let known = offices.iter().find(|o| o.code == *step);
            if self.steps[..i].contains(step) {
                say(&field, "an office decides once");
            }
            match known {
                None => say(&field, "no such office"),
                Some(office) if office.by_place && i + 1 == self.steps.len() => {
                    say(&field, "the last step must be a division: it answers for the accuracy");
                }
                Some(_) => {}
            }
            if step == DISTRICT && self.holds.valid_to.is_none_or(|to| to > LAST_DAY_OF_DISTRICTS) {
                say(&field, "there are no district offices after 2025-06-30");
            }
        }
        found
    }
}

impl Holds {
    /// Whether a day exists on which both hold for the same schools and dataset.
    pub fn clashes(&self, other: &Self) -> bool {
        let begins_by = |from: Date, to: Option<Date>| to.is_none_or(|to| from <= to);
        (self.dataset, self.level, self.directly_managed)
            == (other.dataset, other.level, other.directly_managed)
            && begins_by(self.valid_from, other.valid_to)
            && begins_by(other.valid_from, self.valid_to)
    }

    /// Whether it holds on `day`.
    pub fn on(&self, day: Date) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|to| day <= to)
    }
}

/// The day in Vietnam, which has no daylight saving time.
pub fn day_in_vietnam(now: OffsetDateTime) -> Date {
    now.to_offset(time::macros::offset!(+7)).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn route(steps: &[&str], from: Date, to: Option<Date>) -> Route {
        let holds = Holds { dataset: 1, level: 2, directly_managed: false, valid_from: from, valid_to: to };
        let steps = steps.iter().map(|s| (*s).to_owned()).collect();
        Route { id: Uuid::nil(), scheme: 1, holds, steps, version: 0, changed_at: None }
    }

    fn offices() -> Vec<Office> {
        let office = |code: &str, by_place| Office { code: code.to_owned(), name: String::new(), by_place };
        vec![
            office(COMMUNE, true),
            office(DISTRICT, true),
            office("DIV_PRIMARY", false),
            office("DIV_FINANCE", false),
        ]
    }

    #[test]
    fn the_commune_of_the_school_takes_its_step_and_the_division_answers() {
        let way = route(&[COMMUNE, "DIV_PRIMARY"], date!(2025 - 07 - 01), None).for_commune("14329").unwrap();
        assert_eq!(way.offices, ["14329", "DIV_PRIMARY"]);
        assert_eq!(way.accountable_division, "DIV_PRIMARY");
        assert_eq!(route(&[DISTRICT, "DIV_PRIMARY"], date!(2020 - 01 - 01), None).for_commune("14329"), None);
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let bad = route(
            &["DIV_PRIMARY", "DIV_X", "DIV_PRIMARY", DISTRICT],
            date!(2025 - 07 - 02),
            Some(date!(2025 - 07 - 01)),
        );
        let fields: Vec<String> = bad.mistakes(&offices()).into_iter().map(|m| m.0).collect();
        let expected =
            ["route.valid_to", "route.steps[1]", "route.steps[2]", "route.steps[3]", "route.steps[3]"];
        assert_eq!(fields, expected);
        assert_eq!(route(&[], date!(2025 - 07 - 01), None).mistakes(&offices()).len(), 1);
        assert!(
            route(&[COMMUNE, "DIV_FINANCE"], date!(2025 - 07 - 01), None).mistakes(&offices()).is_empty()
        );
        let district = route(&[DISTRICT, "DIV_PRIMARY"], date!(2020 - 02 - 28), Some(LAST_DAY_OF_DISTRICTS));
        assert!(district.mistakes(&offices()).is_empty());
    }

    #[test]
    fn periods_that_share_a_day_clash() {
        let a = route(&[COMMUNE], date!(2025 - 07 - 01), Some(date!(2025 - 12 - 31))).holds;
        let b = route(&[COMMUNE], date!(2025 - 12 - 31), None).holds;
        let c = route(&[COMMUNE], date!(2026 - 01 - 01), None).holds;
        assert!(a.clashes(&b) && b.clashes(&a) && b.clashes(&c));
        assert!(!a.clashes(&c) && !c.clashes(&a));
        assert!(!a.clashes(&Holds { level: 3, ..b.clone() }));
        assert!(b.on(date!(2025 - 12 - 31)) && !b.on(date!(2025 - 12 - 30)) && !a.on(date!(2026 - 01 - 01)));
    }

    #[test]
    fn the_day_changes_at_midnight_in_vietnam() {
        assert_eq!(day_in_vietnam(datetime!(2025 - 06 - 30 16:59 UTC)), date!(2025 - 06 - 30));
        assert_eq!(day_in_vietnam(datetime!(2025 - 06 - 30 17:00 UTC)), date!(2025 - 07 - 01));
    }
}
