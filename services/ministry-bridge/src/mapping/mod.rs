//! From records of the hub to payloads of the Ministry.
//!
//! Symbols, labels and classes come from the data dictionary (`eduhub_proto::dictionary`): a field goes to the Ministry when
//! its annotation names a symbol of QĐ 4998 at the record's level, and nothing here repeats them. What the annotations can't
//! say is here: a pupil's payload is made of three records, campuses ride in the school's, and what can be computed (body-mass
//! index, number of campuses) is computed, never taken over.

mod payload;
mod pupil;
mod symbols;

pub use payload::{Fields, Outgoing, canonical, compose, key_in_year, level_of};
pub use pupil::PupilParts;
pub use symbols::{Symbol, symbol};

use eduhub_proto::common::v1::{Dataset, Kind};

/// Payload type of rooms, once the Ministry opens it (domain.md B.8, report list). Their annotation has none yet.
pub const ROOM_TYPE: i32 = 14;

/// Kinds of a dataset that are payloads of their own, in the order that the Ministry needs.
pub fn sent_kinds(dataset: Dataset) -> &'static [Kind] {
    match dataset {
        Dataset::Pupils => &[Kind::School, Kind::Class, Kind::Pupil],
        Dataset::Staff => &[Kind::Staff],
        Dataset::Results => &[Kind::TermResult, Kind::Retake, Kind::Graduation, Kind::FreeCandidate],
        Dataset::Facilities => &[Kind::Room],
        Dataset::Unspecified => &[],
    }
}

/// Kinds whose records are parts of another's payload: read before it.
pub fn parts_of(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::School => &[Kind::Campus],
        Kind::Pupil => &[Kind::Enrolment, Kind::Health],
        _ => &[],
    }
}

/// Payload type of a kind; 0 when it has none of its own.
pub fn ministry_type(kind: Kind) -> i32 {
    if kind == Kind::Room {
        return ROOM_TYPE;
    }
    eduhub_proto::dictionary::record_of(kind).map_or(0, |meta| meta.ministry_type)
}

/// When a withdrawn record is cancelled: leaves before what they hang on.
pub fn cancel_stage(kind: Kind) -> i16 {
    if kind == Kind::Class { 2 } else { 1 }
}
