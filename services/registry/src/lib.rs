//! Registry: schools, campuses, school years, classes, pupils, staff, enrolments, results and health; what school software
//! pushes, what consumers follow, what is sealed for review, and the work list of each school.

pub mod access;
pub mod admin_unit;
pub mod app;
pub mod code_list;
pub mod config;
pub mod enrolment;
pub mod issue;
pub mod metrics;
pub mod policy;
pub mod push;
pub mod record;
pub mod records;
pub mod rules;
pub mod schema;
pub mod school;
pub mod seal;
pub mod verification;
