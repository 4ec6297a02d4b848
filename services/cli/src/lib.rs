//! The `eduhub` command as a library: what the command line, the demonstration and the tests have in common.
//!
//! - [`generate`]: synthetic provinces with known defects;
//! - [`push`]: pushing a school's records, resumed over broken connections;
//! - [`copy`], [`watch`] and [`subscription`]: an own, crash-safe copy that follows the feed, and the log kept for it;
//! - [`server`]: where to call and as whom; [`hub`]: registry and facility as one shape;
//! - [`retry`], [`explain`]: what to do about a refusal, and how to say it;
//! - [`lines`]: records as JSON lines;
//! - [`dictionary`]: the data dictionary for people; [`doctor`]: what is wrong with a deployment;
//! - [`tabular`]: tables in files that people make; [`schools`]: the list of schools among them.

pub mod commands;
pub mod copy;
pub mod dictionary;
pub mod doctor;
pub mod explain;
pub mod generate;
pub mod hub;
pub mod lines;
pub mod output;
pub mod push;
pub mod retry;
pub mod schools;
pub mod server;
pub mod subscription;
pub mod tabular;
pub mod watch;
