//! The push stream of facility (design section 4).

mod campus;
pub mod rpc;

pub use campus::CampusCheck;
