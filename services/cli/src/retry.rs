//! When a call is worth repeating, and after how long.
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use eduhub_faults::{Reason, reason_of};
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// True when the same call may succeed later.
pub fn worth_repeating(status: &Status) -> bool {
    match reason_of(status) {
        Some(reason) => matches!(
            reason,
            Reason::Overloaded
                | Reason::Unavailable
                | Reason::Deadline
                | Reason::Internal
                | Reason::BatchOutOfOrder
                | Reason::ConsumerTooSlow
        ),
        // Without a reason it comes from the transport (or a proxy), not from EduHub.
        None => matches!(
            status.code(),
            Code::Unavailable
                | Code::Unknown
                | Code::Internal
                | Code::Cancelled
                | Code::Aborted
                | Code::DeadlineExceeded
                | Code::ResourceExhausted
        ),
    }
}

/// Pauses between attempts: doubling with jitter, never shorter than the server's hint.
#[derive(Debug)]
pub struct Pauses {
    builder: ExponentialBuilder,
    current: ExponentialBackoff,
}

impl Pauses {
    /// At most `attempts` pauses in a row, from 200 ms to 10 s.
    pub fn new(attempts: usize) -> Self {
        let builder = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(10))
            .with_max_times(attempts);
        Self { builder, current: builder.build() }
    }

    /// Progress was made: the next trouble starts anew.
    pub fn reset(&mut self) {
        self.current = self.builder.build();
    }

    /// The next pause, or `None` when it is time to give up.
    pub fn next(&mut self, status: Option<&Status>) -> Option<Duration> {
        let hint = status.and_then(StatusExt::get_details_retry_info).and_then(|info| info.retry_delay);
        self.current.next().map(|pause| pause.max(hint.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_faults::Fault;

    #[test]
    fn faults_of_the_data_are_final_and_those_of_the_way_are_not() {
        for reason in [
            Reason::GrantConflict,
            Reason::SchoolYearClosed,
            Reason::BatchContentChanged,
            Reason::GrantRevoked,
        ] {
            assert!(!worth_repeating(&Fault::new(reason).into()), "{reason:?}");
        }
        assert!(worth_repeating(&Fault::new(Reason::Overloaded).into()));
        assert!(worth_repeating(&Status::unavailable("tcp connect error")));
        assert!(worth_repeating(&Status::unknown("h2 protocol error: connection reset")));
        assert!(!worth_repeating(&Status::unimplemented("no such method")));
    }

    #[test]
    fn pauses_grow_respect_hints_and_end() {
        let mut pauses = Pauses::new(3);
        let busy: Status = Fault::new(Reason::Overloaded).retry_after(Duration::from_secs(7)).into();
        assert!(pauses.next(Some(&busy)).is_some_and(|p| p >= Duration::from_secs(7)));
        assert!(pauses.next(None).is_some() && pauses.next(None).is_some());
        assert_eq!(pauses.next(None), None);
        pauses.reset();
        assert!(pauses.next(None).is_some());
    }
}
