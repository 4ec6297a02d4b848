//! Enrolments seen over several schools: transfers as pairs of a move out and a move in (domain.md C.9). The pupil is the same by
//! code, which is for life, or, while one school has none for the pupil yet, by the personal ID's blind index.

pub mod rpc;
mod store;
