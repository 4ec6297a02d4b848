//! Shapes that several messages share.
use eduhub_auth::Scope;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::identity::v1 as pb;
use prost_types::Timestamp;
use time::format_description::well_known::Iso8601;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// A moment.
pub fn timestamp(at: OffsetDateTime) -> Timestamp {
    let nanos = i32::try_from(at.nanosecond()).unwrap_or(0);
    Timestamp { seconds: at.unix_timestamp(), nanos }
}

/// A day as ISO text.
pub fn iso(day: Date) -> String {
    day.format(&Iso8601::DATE).unwrap_or_default()
}

/// An id out of a request.
///
/// # Errors
/// NOT_FOUND/NOT_FOUND for what is no id: it names nothing.
pub fn id(text: &str) -> Result<Uuid, Fault> {
    text.parse().map_err(|_| Fault::new(Reason::NotFound))
}

/// An id that may be absent.
pub fn optional(id: Option<Uuid>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// A scope as the API writes it.
pub fn scope_out(scope: &Scope) -> pb::Scope {
    pb::Scope {
        province: scope.province,
        communes: scope.communes.iter().cloned().collect(),
        schools: scope.schools.iter().cloned().collect(),
    }
}

/// A scope out of a request; its codes are checked elsewhere.
pub fn scope_in(scope: pb::Scope) -> Scope {
    Scope {
        province: scope.province,
        communes: scope.communes.into_iter().collect(),
        schools: scope.schools.into_iter().collect(),
    }
}
