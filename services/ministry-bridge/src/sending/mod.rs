//! Sends a batch and does what its answer, or the lack of one, asks for.
//!
//! A batch is on record as sent before it is sent, with its rows and its idempotency key: after a lost answer the very same
//! request goes again, so nothing doubles. A batch that keeps failing as a whole is halved until the record that makes it
//! fail stands alone, and only that one is given up.

mod decide;
mod request;
mod settle;
mod stale;

pub use settle::send;
