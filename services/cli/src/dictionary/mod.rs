//! The data dictionary for people: every kind of record with its fields, and the code lists, as one HTML page or one
//! workbook. It is made of what the binary itself was built from, so it can't say anything else than what is checked.
//!
//! - [`book`]: what is printed, as text;
//! - [`words`]: Vietnamese words for levels, needs, sensitivity, types and rules;
//! - [`lists`]: code lists, from the binary or from the hub;
//! - [`html`], [`sheets`]: the two forms.

pub mod book;
pub mod html;
pub mod lists;
pub mod sheets;
mod words;

#[cfg(test)]
mod tests;
