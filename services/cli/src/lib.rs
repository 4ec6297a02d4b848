//! The `eduhub` command as a library: what the command line, the demonstration and the tests have in common.
//!
//! - [`generate`]: synthetic provinces with known defects;
//! - [`lines`]: records as JSON lines.

pub mod commands;
pub mod generate;
pub mod lines;
pub mod output;
