//! Schools.
use super::{Found, Judge, Rule, years};
use eduhub_proto::registry::v1::School;

pub fn school(record: &School, _: &Judge<'_>, found: &mut Found<'_>) {
    if years::reversed(record.founded_on.as_deref(), record.licence_renewal_date.as_deref()) {
        found.at(Rule::SchoolDates, "licence_renewal_date");
    }
}
