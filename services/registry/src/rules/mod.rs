//! Rules beyond one field: packs of them with dates, those over stored data, and how a pack to come would judge what is stored.

pub mod pack;
pub mod stored;
