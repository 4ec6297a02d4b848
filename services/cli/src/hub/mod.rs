//! The two services that take and give records, as one shape.
//!
//! Their messages say the same and differ in the records they carry, so their generated types have nothing in common: what
//! is written for both stands once here, in macros that only name the types.
mod compared;
mod followed;
mod pushed;

pub use compared::{Compared, Look};
pub use followed::{Followed, Watched};
pub use pushed::{Pushed, SentBatch};

/// A service that records are pushed to and followed from.
pub trait Hub: Compared + Followed {
    /// Short name: `registry` or `facility`.
    const NAME: &'static str;
    /// Full name of its record message.
    const RECORD: &'static str;
}

/// Schools, classes, pupils, staff, enrolments, results, health.
#[derive(Clone, Copy, Debug)]
pub struct Registry;

impl Hub for Registry {
    const NAME: &'static str = "registry";
    const RECORD: &'static str = "eduhub.registry.v1.Record";
}

/// Rooms.
#[derive(Clone, Copy, Debug)]
pub struct Facility;

impl Hub for Facility {
    const NAME: &'static str = "facility";
    const RECORD: &'static str = "eduhub.facility.v1.Record";
}
