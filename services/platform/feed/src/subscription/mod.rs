//! Stored subscriptions: a place in the feed that the hub keeps for a consumer, with its lag. The log that one still needs is
//! kept longer than the rest ([`eduhub_changelog::prune`]).
//!
//! A subscription belongs to the principal that made it: to nobody else it exists, but the Department may see and delete all,
//! because a forgotten one costs disk. Its cursor moves forward only.

mod model;
mod rpc;
mod store;

pub(crate) use model::Named;
