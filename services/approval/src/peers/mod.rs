//! What approval asks of other services: registry about schools, registry and facility for seals.

mod schools;
mod seals;

pub use schools::Schools;
pub use seals::Seals;

use std::time::Duration;

use eduhub_faults::{Fault, Reason, reason_of};
use tonic::{Code, Status};

/// When to try again after a peer did not answer: it restarts in a few seconds.
const RETRY: Duration = Duration::from_secs(2);

/// A peer's refusal as approval's own. What the caller can act on passes; the rest is a fault between services.
fn refused(peer: &'static str, status: Status) -> Fault {
    match (reason_of(&status), status.code()) {
        (Some(Reason::SchoolNotFound | Reason::NotFound), _) => Fault::new(Reason::SchoolNotFound),
        (Some(reason @ (Reason::SchoolYearClosed | Reason::Overloaded)), _) => {
            Fault::new(reason).meta("service", peer).retry_after(RETRY)
        }
        (_, Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted) => {
            Fault::new(Reason::Unavailable).meta("service", peer).retry_after(RETRY).source(status)
        }
        _ => Fault::internal(status).meta("service", peer),
    }
}
