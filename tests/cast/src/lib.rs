//! Who takes part in a running stack, for the story, the journeys and the benches: an [`Actor`] is signed in, the
//! [`Department`] appoints the others and gives access.

mod actor;
mod department;

pub use actor::{Actor, Doors};
pub use department::{Client, Department, apply};
