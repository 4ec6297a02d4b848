//! Decides what may happen to a submission: the rules around the state machine. No IO.

use super::model::{Event, State, next_state};

/// Who does something, as far as the rules ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Principal at identity.
    pub principal_id: String,
    /// Name, for the history.
    pub name: String,
    /// Office that the actor may decide for (commune or division code), the school's code, or the service's name.
    pub office: String,
    /// Whether the actor acts for the school itself.
    pub of_the_school: bool,
}

/// Approve or return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The step approves.
    Approve,
    /// Back to the school.
    Return,
}

impl Verdict {
    fn event(self) -> Event {
        match self {
            Self::Approve => Event::Approve,
            Self::Return => Event::Return,
        }
    }
}

/// Why one record has to be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordReason {
    /// Number of its `common.v1.Kind`.
    pub kind: i16,
    /// Key within the school.
    pub record_key: String,
    /// For people.
    pub text: String,
}

/// A decision on one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Step that the reviewer was shown as the current one, from 1.
    pub step_no: i16,
    /// Approve or return.
    pub verdict: Verdict,
    /// Digest of the seal that the reviewer was shown.
    pub digest: Vec<u8>,
    /// Comment; may be empty.
    pub comment: String,
    /// Reasons per record; only with a return.
    pub record_reasons: Vec<RecordReason>,
}

/// What was decided on a step that is past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastDecision {
    /// The step.
    pub step_no: i16,
    /// Approve or return.
    pub verdict: Verdict,
    /// Who.
    pub principal_id: String,
}

/// A submission as the rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Where it stands.
    pub state: State,
    /// Step that decides next, from 1; 0 when it is not under review.
    pub current_step: i16,
    /// Offices of the steps in order.
    pub steps: Vec<String>,
    /// Decisions so far.
    pub decided: Vec<PastDecision>,
    /// Division that answers to the Director for the accuracy (R-REVIEW-4).
    pub accountable_division: String,
    /// Digest of the seal.
    pub digest: Vec<u8>,
    /// Who submitted.
    pub submitted_by: String,
    /// Number of transitions so far.
    pub version: i64,
}

/// One transition, to be recorded as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Counted from 1.
    pub seq: i64,
    /// What happened.
    pub event: Event,
    /// State before; none for the first.
    pub from: Option<State>,
    /// State after.
    pub to: State,
    /// Step that decides next after it, 0 when none does.
    pub next_step: i16,
    /// Step that decided; of decisions only.
    pub step_no: Option<i16>,
    /// Division that answers; of decisions only.
    pub accountable_division: Option<String>,
    /// Why, in the actor's words.
    pub why: String,
    /// Digest of the seal that it is about.
    pub digest: Vec<u8>,
    /// Reasons per record.
    pub record_reasons: Vec<RecordReason>,
}

/// What comes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This is to be recorded.
    Changed(Box<Transition>),
    /// It has happened already: a repetition.
    Unchanged,
}

/// Why an event is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its state, or its current step, does not allow this.
    WrongState {
        /// State it is in.
        state: State,
        /// Step that decides next; 0 for none.
        current_step: i16,
    },
    /// The digest is not that of the seal.
    DigestMismatch,
    /// A return or withdrawal without a reason.
    ReasonRequired,
    /// The step is another office's.
    OtherOffice,
    /// The actor belongs to the school, or submitted it.
    OwnSchool,
}

impl Review {
    /// A new submission and its first transition. `statement` is what the school stated (R-FLOW-4).
    pub fn submit(
        steps: Vec<String>,
        accountable_division: String,
        digest: Vec<u8>,
        by: &Actor,
        statement: &str,
    ) -> Option<(Self, Transition)> {
        let state = next_state(None, Event::Submit, false).filter(|_| !steps.is_empty())?;
        let submitted_by = by.principal_id.clone();
        let first = Transition {
            seq: 1,
            event: Event::Submit,
            from: None,
            to: state,
            next_step: 1,
            step_no: None,
            accountable_division: None,
            why: statement.to_owned(),
            digest: digest.clone(),
            record_reasons: vec![],
        };
        let decided = vec![];
        let review = Self {
            state,
            current_step: 1,
            steps,
            decided,
            accountable_division,
            digest,
            submitted_by,
            version: 1,
        };
        Some((review, first))
    }

    /// Decides a step.
    ///
    /// # Errors
    /// Any [`Refusal`].
    pub fn decide(&self, by: &Actor, decision: Decision) -> Result<Outcome, Refusal> {
        if by.of_the_school || by.principal_id == self.submitted_by {
            return Err(Refusal::OwnSchool);
        }
        let Some(office) = usize::try_from(decision.step_no - 1).ok().and_then(|i| self.steps.get(i)) else {
            return Err(self.wrong_state());
        };
        if *office != by.office {
            return Err(Refusal::OtherOffice);
        }
        if decision.digest != self.digest {
            return Err(Refusal::DigestMismatch);
        }
        let same = |past: &PastDecision| {
            (past.step_no, past.verdict, &past.principal_id)
                == (decision.step_no, decision.verdict, &by.principal_id)
        };
        if self.decided.iter().any(same) {
            return Ok(Outcome::Unchanged);
        }
        if self.state != State::InReview || decision.step_no != self.current_step {
            return Err(self.wrong_state());
        }
        let given = !decision.comment.is_empty() || !decision.record_reasons.is_empty();
        if decision.verdict == Verdict::Return && !given {
            return Err(Refusal::ReasonRequired);
        }
        let mut transition = self.transition(decision.verdict.event(), decision.comment)?;
        transition.step_no = Some(decision.step_no);
        transition.accountable_division = Some(self.accountable_division.clone());
        transition.record_reasons = decision.record_reasons;
        Ok(Outcome::Changed(Box::new(transition)))
    }

    /// Takes it back; the caller has checked that the actor acts for the school.
    ///
    /// # Errors
    /// [`Refusal::ReasonRequired`], [`Refusal::WrongState`].
    pub fn withdraw(&self, reason: String) -> Result<Outcome, Refusal> {
        if reason.is_empty() {
            return Err(Refusal::ReasonRequired);
        }
        if self.state == State::Withdrawn {
            return Ok(Outcome::Unchanged);
        }
        self.transition(Event::Withdraw, reason).map(|t| Outcome::Changed(Box::new(t)))
    }

    /// Notes that all of it went to the Ministry.
    ///
    /// # Errors
    /// [`Refusal::WrongState`].
    pub fn transfer(&self, note: String) -> Result<Outcome, Refusal> {
        if self.state == State::Transferred {
            return Ok(Outcome::Unchanged);
        }
        self.transition(Event::Transfer, note).map(|t| Outcome::Changed(Box::new(t)))
    }

    /// Office that decides next.
    pub fn current_office(&self) -> Option<&str> {
        usize::try_from(self.current_step - 1).ok().and_then(|i| self.steps.get(i)).map(String::as_str)
    }

    /// This submission after `transition`, made by `by`.
    pub fn after(mut self, transition: &Transition, by: &Actor) -> Self {
        let verdict = match transition.event {
            Event::Approve => Some(Verdict::Approve),
            Event::Return => Some(Verdict::Return),
            Event::Submit | Event::Withdraw | Event::Transfer => None,
        };
        if let (Some(verdict), Some(step_no)) = (verdict, transition.step_no) {
            self.decided.push(PastDecision { step_no, verdict, principal_id: by.principal_id.clone() });
        }
        self.state = transition.to;
        self.current_step = transition.next_step;
        self.version = transition.seq;
        self
    }

    fn transition(&self, event: Event, why: String) -> Result<Transition, Refusal> {
        let last_step = usize::try_from(self.current_step).is_ok_and(|step| step == self.steps.len());
        let to = next_state(Some(self.state), event, last_step).ok_or_else(|| self.wrong_state())?;
        Ok(Transition {
            seq: self.version + 1,
            event,
            from: Some(self.state),
            to,
            next_step: if to == State::InReview { self.current_step + 1 } else { 0 },
            step_no: None,
            accountable_division: None,
            why,
            digest: self.digest.clone(),
            record_reasons: vec![],
        })
    }

    fn wrong_state(&self) -> Refusal {
        Refusal::WrongState { state: self.state, current_step: self.current_step }
    }
}
