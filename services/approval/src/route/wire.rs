//! Routes between the API and the model.

use eduhub_faults::Fault;
use eduhub_proto::approval::v1::{self as pb, RouteScheme};
use eduhub_proto::common::v1::{Dataset, Level};
use time::Date;
use time::macros::format_description;

use super::model::{Holds, Office, Route};
use crate::fields::{Violations, timestamp};

/// ISO date, as the API writes it.
const DAY: &[time::format_description::BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

pub(super) fn day(text: &str) -> Option<Date> {
    // `parse` takes "+2025" as well; the API has exactly ten characters.
    (text.len() == 10).then(|| Date::parse(text, DAY).ok()).flatten()
}

fn day_text(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

pub(super) fn route_to_wire(route: Route) -> pb::Route {
    pb::Route {
        route_id: route.id.to_string(),
        scheme: i32::from(route.scheme),
        dataset: i32::from(route.holds.dataset),
        level: i32::from(route.holds.level),
        directly_managed: route.holds.directly_managed,
        valid_from: day_text(route.holds.valid_from),
        valid_to: route.holds.valid_to.map(day_text).unwrap_or_default(),
        steps: route.steps,
        version: route.version,
        changed_at: route.changed_at.map(timestamp),
    }
}

pub(super) fn office_to_wire(office: Office) -> pb::Office {
    pb::Office { code: office.code, name: office.name, by_place: office.by_place }
}

/// Reads a route; every malformed field at once. The time of its last change is not read.
///
/// # Errors
/// `INVALID_REQUEST`.
pub(super) fn route_from_wire(route: Option<pb::Route>) -> Result<Route, Fault> {
    let Some(route) = route else { return Err(Fault::invalid("route", "required")) };
    let mut v = Violations::default();
    let id = v.uuid("route.route_id", &route.route_id);
    let scheme = v.number::<RouteScheme>("route.scheme", route.scheme);
    let dataset = v.number::<Dataset>("route.dataset", route.dataset);
    let level = v.number::<Level>("route.level", route.level);
    let valid_from = v.need("route.valid_from", "a date, YYYY-MM-DD", day(&route.valid_from));
    let valid_to = day(&route.valid_to);
    if valid_to.is_none() && !route.valid_to.is_empty() {
        v.add("route.valid_to", "a date, YYYY-MM-DD, or empty");
    }
    v.finish(|| {
        let holds = Holds {
            dataset: dataset?,
            level: level?,
            directly_managed: route.directly_managed,
            valid_from: valid_from?,
            valid_to,
        };
        Some(Route {
            id: id?,
            scheme: scheme?,
            holds,
            steps: route.steps,
            version: route.version,
            changed_at: None,
        })
    })
}
