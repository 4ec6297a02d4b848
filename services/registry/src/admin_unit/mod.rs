//! Administrative units: the provinces and communes of QĐ 19/2025, the three tiers before them, and where each of those went
//! on 1 July 2025. They come with the hub (`seed/`) and are lists of codes, too: DM_TINH, DM_HUYEN, DM_XA.

mod seed;
pub mod store;

pub use seed::Seed;

use time::{Date, macros::date};

/// Last day of the three tiers.
pub const LAST_DAY: Date = date!(2025 - 06 - 30);
/// First day of the two tiers of today.
pub const FIRST_DAY: Date = date!(2025 - 07 - 01);
