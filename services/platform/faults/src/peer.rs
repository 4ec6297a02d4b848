//! A peer's refusal as the service's own.
use crate::{Fault, Reason, reason_of};
use std::time::Duration;
use tonic::{Code, Status};

/// When to try again after a peer did not answer: it restarts in a few seconds.
const RETRY: Duration = Duration::from_secs(2);

/// What a refusal by another EduHub service means for this service's caller. That a school or a thing is absent passes,
/// as does that it is not in the state for it, which the caller can act on; a peer that is away or was overtaken is
/// UNAVAILABLE with a hint; the rest is a fault between services.
pub fn of_peer(peer: &'static str, status: Status) -> Fault {
    match (reason_of(&status), status.code()) {
        // Nothing is added: what is absent there must look like what is out of the caller's reach here.
        (Some(reason @ (Reason::SchoolNotFound | Reason::NotFound)), _) => Fault::new(reason),
        (Some(reason), Code::FailedPrecondition) => Fault::new(reason).meta("service", peer),
        (
            _,
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Aborted
            | Code::ResourceExhausted
            // Our token: the peer may not have identity's keys yet.
            | Code::Unauthenticated,
        ) => Fault::new(Reason::Unavailable).meta("service", peer).retry_after(RETRY).source(status),
        _ => Fault::internal(status).meta("service", peer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absence_and_state_pass_an_outage_is_one_and_the_rest_is_ours() {
        let reason = |status: Status| of_peer("registry", status).reason();
        assert_eq!(reason(Fault::new(Reason::SchoolNotFound).into()), Reason::SchoolNotFound);
        assert_eq!(reason(Fault::new(Reason::SchoolYearClosed).into()), Reason::SchoolYearClosed);
        assert_eq!(reason(Fault::new(Reason::WrongState).into()), Reason::WrongState);
        assert_eq!(reason(Fault::new(Reason::Conflict).into()), Reason::Unavailable);
        assert_eq!(reason(Status::unavailable("restarting")), Reason::Unavailable);
        assert_eq!(reason(Status::unauthenticated("no keys yet")), Reason::Unavailable);
        assert_eq!(reason(Fault::new(Reason::Forbidden).into()), Reason::Internal);
        assert_eq!(reason(Status::not_found("of a proxy")), Reason::Internal);
        assert_eq!(reason(Status::failed_precondition("of a proxy")), Reason::Internal);
    }

    #[test]
    fn absent_there_looks_like_out_of_reach_here() {
        let absent: Status = of_peer("registry", Fault::new(Reason::SchoolNotFound).into()).into();
        let hidden: Status = Fault::new(Reason::SchoolNotFound).into();
        assert_eq!((absent.code(), absent.message()), (hidden.code(), hidden.message()));
        assert_eq!(absent.details(), hidden.details());
    }
}
