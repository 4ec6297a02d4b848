//! The state machine of a submission: one table. No IO.
//!
//! [`super::review`] applies it with the rules on who, which step, which digest, which reasons.

use std::fmt;

/// Where a submission stands. Numbers are those of the API and of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum State {
    /// Waits for the decision of its current step.
    InReview = 1,
    /// A step returned it. Final.
    Returned = 2,
    /// Every step approved it.
    Approved = 3,
    /// Approved, and all of it went to the Ministry. Final.
    Transferred = 4,
    /// The school took it back. Final.
    Withdrawn = 5,
}

/// What happens to a submission. Numbers are those of the API and of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum Event {
    /// The school sealed and submitted.
    Submit = 1,
    /// A step approved.
    Approve = 2,
    /// A step returned it.
    Return = 3,
    /// The school took it back.
    Withdraw = 4,
    /// All of it went to the Ministry.
    Transfer = 5,
}

impl State {
    /// All states.
    pub const ALL: [Self; 5] =
        [Self::InReview, Self::Returned, Self::Approved, Self::Transferred, Self::Withdrawn];

    /// The state of this number.
    pub fn of(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|s| *s as i16 == number)
    }

    /// Whether no event leads out of it.
    pub fn is_final(self) -> bool {
        TABLE.iter().all(|row| row.0 != Some(self))
    }
}

impl Event {
    /// All events.
    pub const ALL: [Self; 5] = [Self::Submit, Self::Approve, Self::Return, Self::Withdraw, Self::Transfer];

    /// The event of this number.
    pub fn of(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|e| *e as i16 == number)
    }
}

/// When a row of the table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    StepsLeft,
    LastStep,
}

/// The state machine, whole: state before, event, condition, state after. What is not here is refused.
#[rustfmt::skip]
const TABLE: &[(Option<State>, Event, When, State)] = &[
    (None,                  Event::Submit,   When::Always,    State::InReview),
    (Some(State::InReview), Event::Approve,  When::StepsLeft, State::InReview),
    (Some(State::InReview), Event::Approve,  When::LastStep,  State::Approved),
    (Some(State::InReview), Event::Return,   When::Always,    State::Returned),
    (Some(State::InReview), Event::Withdraw, When::Always,    State::Withdrawn),
    (Some(State::Approved), Event::Transfer, When::Always,    State::Transferred),
];

/// State after `event`, or `None` when the table has no row for it. `last_step`: the event decides the last step.
pub fn next_state(from: Option<State>, event: Event, last_step: bool) -> Option<State> {
    let holds = |when| match when {
        When::Always => true,
        When::StepsLeft => !last_step,
        When::LastStep => last_step,
    };
    TABLE.iter().find(|row| row.0 == from && row.1 == event && holds(row.2)).map(|row| row.3)
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InReview => "IN_REVIEW",
            Self::Returned => "RETURNED",
            Self::Approved => "APPROVED",
            Self::Transferred => "TRANSFERRED",
            Self::Withdrawn => "WITHDRAWN",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returned_transferred_and_withdrawn_are_final() {
        let finals: Vec<State> = State::ALL.into_iter().filter(|s| s.is_final()).collect();
        assert_eq!(finals, [State::Returned, State::Transferred, State::Withdrawn]);
    }

    #[test]
    fn every_state_and_event_has_a_row_and_no_pair_has_two_answers() {
        for state in State::ALL {
            assert!(TABLE.iter().any(|row| row.3 == state), "{state} is never reached");
        }
        for event in Event::ALL {
            assert!(TABLE.iter().any(|row| row.1 == event), "{event:?} never happens");
        }
        for last in [true, false] {
            for row in TABLE {
                let applies = |r: &&(Option<State>, Event, When, State)| {
                    r.0 == row.0 && r.1 == row.1 && (r.2 == When::Always || (r.2 == When::LastStep) == last)
                };
                assert!(TABLE.iter().filter(applies).count() <= 1, "{row:?}");
            }
        }
    }

    #[test]
    fn only_an_approval_of_the_last_step_leads_to_approved() {
        for from in State::ALL.into_iter().map(Some).chain([None]) {
            for event in Event::ALL {
                for last in [true, false] {
                    let reached = next_state(from, event, last) == Some(State::Approved);
                    assert_eq!(reached, from == Some(State::InReview) && event == Event::Approve && last);
                }
            }
        }
    }
}
