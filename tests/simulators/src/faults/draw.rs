//! Which fault the next call to an endpoint meets.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use axum::http::StatusCode;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use super::plan::{Endpoint, EndpointPlan, FaultKind, Step};

/// What to do with one call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Action {
    /// Answer properly.
    Answer,
    /// Answer with an error before looking at the request; 429 says when to come back, in seconds.
    Refuse { status: StatusCode, retry_after: Option<u64> },
    /// Say nothing for so long, then reset the connection.
    Hang { wait: Duration, after_store: bool },
    /// Reset the connection at once.
    Reset { after_store: bool },
    /// Answer properly, late.
    Slow(Duration),
}

/// One lane per endpoint, each with its own generator, so that calls elsewhere do not change its draws.
#[derive(Default)]
pub(crate) struct Lanes(BTreeMap<Endpoint, Lane>);

struct Lane {
    plan: EndpointPlan,
    script: VecDeque<Step>,
    rng: ChaCha8Rng,
}

impl Lanes {
    pub(crate) fn new(seed: u64, plans: BTreeMap<Endpoint, EndpointPlan>) -> Self {
        let lane = |(endpoint, mut plan): (Endpoint, EndpointPlan)| {
            let script = std::mem::take(&mut plan.script).into();
            let rng = ChaCha8Rng::from_seed(Sha256::digest(format!("lane {seed} {endpoint:?}")).into());
            (endpoint, Lane { plan, script, rng })
        };
        Self(plans.into_iter().map(lane).collect())
    }

    /// The next step of the endpoint's script, or a draw.
    pub(crate) fn next(&mut self, endpoint: Endpoint) -> (FaultKind, Action) {
        match self.0.get_mut(&endpoint) {
            Some(lane) => lane.next(),
            None => (FaultKind::Ok, Action::Answer),
        }
    }
}

impl Lane {
    fn next(&mut self) -> (FaultKind, Action) {
        match self.script.pop_front() {
            Some(Step::Named(kind)) => (kind, self.action(kind, None)),
            Some(Step::Timed { fault, seconds }) => (fault, self.action(fault, Some(seconds))),
            None => {
                let kind = self.draw();
                (kind, self.action(kind, None))
            }
        }
    }

    /// One number per call, whatever comes of it: the n-th call of a seed always meets the same fault.
    fn draw(&mut self) -> FaultKind {
        let mut left: f64 = self.rng.random();
        for (kind, share) in &self.plan.probability {
            if left < *share {
                return *kind;
            }
            left -= share;
        }
        FaultKind::Ok
    }

    fn action(&self, kind: FaultKind, seconds: Option<f64>) -> Action {
        let refuse = |status| Action::Refuse { status, retry_after: None };
        let wait = |default: f64| Duration::from_secs_f64(seconds.unwrap_or(default));
        match kind {
            FaultKind::Ok => Action::Answer,
            FaultKind::Http500 => refuse(StatusCode::INTERNAL_SERVER_ERROR),
            FaultKind::Http502 => refuse(StatusCode::BAD_GATEWAY),
            FaultKind::Http503 => refuse(StatusCode::SERVICE_UNAVAILABLE),
            FaultKind::Http429 => {
                // The header counts whole seconds: half a second is said as one.
                let after = seconds
                    .map_or(self.plan.retry_after_seconds, |s| Duration::from_secs_f64(s.ceil()).as_secs());
                Action::Refuse { status: StatusCode::TOO_MANY_REQUESTS, retry_after: Some(after) }
            }
            FaultKind::Hang => Action::Hang { wait: wait(self.plan.hang_seconds), after_store: false },
            FaultKind::HangAfterStore => {
                Action::Hang { wait: wait(self.plan.hang_seconds), after_store: true }
            }
            FaultKind::Reset => Action::Reset { after_store: false },
            FaultKind::ResetAfterStore => Action::Reset { after_store: true },
            FaultKind::Slow => Action::Slow(wait(self.plan.slow_seconds)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(seed: u64) -> Lanes {
        let plan = EndpointPlan {
            probability: BTreeMap::from([(FaultKind::Http503, 0.25), (FaultKind::Slow, 0.25)]),
            ..EndpointPlan::default()
        };
        Lanes::new(seed, BTreeMap::from([(Endpoint::TiepNhan, plan)]))
    }

    fn kinds(seed: u64) -> Vec<FaultKind> {
        let mut lanes = lanes(seed);
        (0..1000).map(|_| lanes.next(Endpoint::TiepNhan).0).collect()
    }

    #[test]
    fn a_seed_repeats_its_faults_and_another_does_not() {
        assert_eq!(kinds(7), kinds(7));
        assert_ne!(kinds(7), kinds(8));
    }

    #[test]
    fn shares_come_out_near_what_was_asked() {
        let drawn = kinds(7);
        for kind in [FaultKind::Http503, FaultKind::Slow] {
            let n = drawn.iter().filter(|k| **k == kind).count();
            assert!((200..300).contains(&n), "{kind:?} {n} of 1000");
        }
    }

    #[test]
    fn an_endpoint_without_a_plan_answers() {
        assert_eq!(lanes(7).next(Endpoint::DoiSoat), (FaultKind::Ok, Action::Answer));
    }
}
