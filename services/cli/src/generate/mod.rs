//! Synthetic provinces: deterministic, realistic, and with known defects.
//!
//! A run writes, under its directory:
//! - `province.json`: the schools as the Department registers them ([`Province`]);
//! - `<school_code>/registry.jsonl`, `facility.jsonl`: the records a vendor pushes, in dependency order;
//! - `<school_code>/fixed.jsonl`: the mended version of every record that will be refused;
//! - `truth.jsonl`: every planted defect ([`Truth`]);
//! - `population.jsonl`: the true persons as the national population database holds them ([`Citizen`]).
//!
//! One school is in memory at a time. The same options give the same bytes.

mod application;
mod attendance;
mod candidates;
pub mod chance;
pub mod classes;
pub mod defects;
mod files;
mod flaws;
pub mod health;
pub mod marks;
pub mod names;
pub mod numbers;
pub mod people;
pub mod places;
pub mod plan;
mod premises;
mod profile;
pub mod pupils;
pub mod rating;
mod rooms;
pub mod school;
pub mod settings;
pub mod sizes;
mod staff;
mod staff_file;
mod teaching;
#[cfg(test)]
mod tests;
mod titles;
mod transfers;
pub mod year;

pub use defects::{Defect, Effect, Truth};
pub use files::{Summary, generate, read_province, read_truth};
pub use flaws::Flaw;
pub use people::Citizen;
pub use plan::{Province, School, plan};
pub use school::{Content, school};
pub use settings::{Institution, Settings};

use crate::lines::LineError;
use std::path::PathBuf;

/// What to make.
#[derive(Clone, Debug)]
pub struct Options {
    /// Directory to write to.
    pub out: PathBuf,
    /// Seed.
    pub seed: u64,
    /// Institutions, 1 to 1,617. Up to 3 is a test run of 50 learners each.
    pub schools: usize,
    /// Learners of all schools; `None` for the province's proportion.
    pub learners: Option<usize>,
    /// Province, two digits.
    pub province: String,
    /// School year by its first year.
    pub school_year: i32,
    /// Empty the directory first. Without it, a directory that is not empty is refused.
    pub clean: bool,
}

impl Options {
    /// The default slice: 16 schools of Ninh Bình, school year 2026-2027, seed 1.
    pub fn new(out: PathBuf) -> Self {
        Self {
            out,
            seed: 1,
            schools: 16,
            learners: None,
            province: "37".into(),
            school_year: 2026,
            clean: false,
        }
    }
}

/// Why a province can't be made.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The options do not fit.
    #[error("{0}")]
    Options(String),
    /// A school is larger than the numbers set aside for it.
    #[error("a school has more people of one age than there are numbers for")]
    Numbers,
    /// The school year is no year.
    #[error("the school year is out of the calendar")]
    Date,
    /// The directory holds something else.
    #[error("{0} is not empty; give --clean to replace what an earlier run wrote there")]
    NotEmpty(PathBuf),
    /// A file can't be written or read.
    #[error("{path}: {source}")]
    File {
        /// File.
        path: PathBuf,
        /// Why.
        source: LineError,
    },
}
