//! The simulators through their HTTP interface, as EduHub's services meet them.

#![allow(clippy::unwrap_used, reason = "the lint spares test functions but not the fixtures they call")]

mod control;
mod lost_answers;
mod npd;
mod program;
mod readback;
mod receive;
mod refused_calls;
mod rules;
mod stand;
mod token;
mod wrong_answers;
