//! Business date of the hub.
use std::sync::Arc;
use time::{Date, OffsetDateTime, UtcOffset};

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
