//! Business date of the hub.
use std::{str::FromStr, sync::Arc};
use time::{Date, OffsetDateTime, UtcOffset, format_description::well_known::Iso8601};

/// Gives today's date.
pub type Clock = Arc<dyn Fn() -> Date + Send + Sync>;

/// Today in Việt Nam (UTC+7, no summer time), or always the given day: tests and the demonstration play a fixed autumn.
pub fn clock(fixed: Option<Date>) -> Clock {
    Arc::new(move || {
        fixed.unwrap_or_else(|| {
            let offset = UtcOffset::from_hms(7, 0, 0).unwrap_or(UtcOffset::UTC);
            OffsetDateTime::now_utc().to_offset(offset).date()
        })
    })
}

/// A day as a setting: `2026-09-05`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub Date);

impl FromStr for Day {
    type Err = time::error::Parse;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Date::parse(text, &Iso8601::DATE).map(Day)
    }
}
