//! Verification of personal IDs with the national population database (B.7). Nothing of a person is kept or logged here.
mod breaker;
mod model;
mod population;
mod rpc;

pub use population::{Population, PopulationConfig};
pub use rpc::Verifications;
