//! Signed receipts of finished push sessions.
//!
//! A receipt is a compact JWS (RFC 7515, ES256) over [`Delivery`]: what was delivered, for which school, when, with which
//! digest and outcome. Whoever keeps it can prove years later what the hub took, with nothing but the published keys
//! (a JWK set, RFC 7517) and any JOSE library. `eduhub/common/v1/push.proto` is the manual for vendors.

mod delivery;
mod sign;
mod verify;

pub use delivery::{Counts, Delivery};
pub use sign::Stamp;
pub use verify::{ReceiptError, verify};

/// `typ` in a receipt's header: no access token passes for a receipt, and no receipt for a token.
pub const TYPE: &str = "eduhub-receipt+jwt";
