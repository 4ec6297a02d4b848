//! What facility asks of registry: schools, campuses, code lists. Registry away means UNAVAILABLE; nothing is guessed.

mod campuses;
mod codes;
mod schools;

pub use campuses::Campuses;
pub use codes::CodeBook;
pub use schools::Schools;

/// Name of the peer in errors.
const REGISTRY: &str = "registry";
