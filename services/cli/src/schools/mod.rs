//! The Ministry-coded list of schools as a file: what its columns are called, what its cells mean, what is wrong in it.

mod campuses;
mod cells;
mod list;
mod places;

pub use list::{List, Mistake, Place, Reading};
pub use places::Places;

#[cfg(test)]
mod tests;
