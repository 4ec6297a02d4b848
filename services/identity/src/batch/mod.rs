//! Form 2: a commune gathers the applications of its schools and forwards them to the Department (R-API-10, R-API-13).
mod form;
mod store;
mod submit;

pub use submit::submit;
