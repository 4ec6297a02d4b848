//! What approval asks of other services: registry about schools, registry and facility for seals.

mod schools;
mod seals;

pub use schools::Schools;
pub use seals::Seals;

use std::time::Duration;

use eduhub_faults::{Fault, Reason, of_peer, reason_of};
use tonic::Status;

/// When to try again after a peer that has too much to do.
const RETRY: Duration = Duration::from_secs(2);

/// A peer's refusal as approval's own. That the peer has too much to do passes as that.
fn refused(peer: &'static str, status: Status) -> Fault {
    match reason_of(&status) {
        Some(reason @ Reason::Overloaded) => Fault::new(reason).meta("service", peer).retry_after(RETRY),
        _ => of_peer(peer, status),
    }
}
