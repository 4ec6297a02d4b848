//! Random walks through the real service: whatever happens, the history is whole and says how the state came about.
//! (The rules themselves have a larger property test beside the model.)

use eduhub_auth::testing::Persona;
use eduhub_proto::approval::v1::{
    DecideRequest, DecisionKind, GetHistoryRequest, GetSubmissionRequest, MarkTransferredRequest, Submission,
    SubmissionEvent, SubmissionState, WithdrawSubmissionRequest,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::lab::{COMMUNE, Lab, PRIMARY, reviewer};

#[derive(Debug, Clone)]
enum Step {
    Decide { office: &'static str, step_no: i32, approve: bool, true_digest: bool, comment: &'static str },
    Withdraw,
    Transfer,
}

fn step() -> impl Strategy<Value = Step> {
    let office = prop_oneof![4 => Just(COMMUNE), 4 => Just("DIV_PRIMARY"), 1 => Just("DIV_FINANCE")];
    let truth = prop::bool::weighted(0.8);
    let decide = (office, 1..=2_i32, prop::bool::weighted(0.8), truth, prop_oneof![Just(""), Just("sai")])
        .prop_map(|(office, step_no, approve, true_digest, comment)| Step::Decide {
            office,
            step_no,
            approve,
            true_digest,
            comment,
        });
    prop_oneof![12 => decide, 1 => Just(Step::Withdraw), 2 => Just(Step::Transfer)]
}

#[tokio::test]
async fn every_walk_is_recorded_whole() {
    let lab = Lab::start().await;
    let mut runner = TestRunner::deterministic();
    let walks = prop::collection::vec(step(), 16);
    let mut ends = std::collections::BTreeMap::<i32, u32>::new();
    for _ in 0..30 {
        let walk = walks.new_tree(&mut runner).unwrap().current();
        let made = lab.submitted().await;
        let mut accepted = 1;
        for step in &walk {
            let before = read(&lab, &made).await;
            if take(&lab, &made, step).await {
                // A repetition is accepted and changes nothing.
                accepted += read(&lab, &made).await.version - before.version;
            } else {
                assert_eq!(read(&lab, &made).await, before, "a refusal of {step:?} changed something");
            }
        }
        check(&lab, &made, accepted).await;
        let end = read(&lab, &made).await;
        *ends.entry(end.state).or_default() += 1;
        if end.state() == SubmissionState::InReview {
            assert!(take(&lab, &made, &Step::Withdraw).await);
        }
    }
    // The walks reach what they are about.
    for state in [SubmissionState::Returned, SubmissionState::Transferred, SubmissionState::Withdrawn] {
        assert!(ends.contains_key(&(state as i32)), "no walk ended {state:?}: {ends:?}");
    }
}

async fn take(lab: &Lab, made: &Submission, step: &Step) -> bool {
    let submission_id = made.submission_id.clone();
    match step {
        Step::Decide { office, step_no, approve, true_digest, comment } => {
            let decision = if *approve { DecisionKind::Approve } else { DecisionKind::Return };
            let digest = if *true_digest { made.seal.clone().unwrap().digest } else { vec![1; 32] };
            let request = DecideRequest {
                submission_id,
                step_no: *step_no,
                decision: decision as i32,
                digest,
                comment: (*comment).to_owned(),
                record_reasons: vec![],
            };
            lab.decide(&reviewer(office), request).await.is_ok()
        }
        Step::Withdraw => {
            let request = WithdrawSubmissionRequest { submission_id, reason: "nhầm".to_owned() };
            let request = lab.by(&Persona::school_officer(PRIMARY), request);
            lab.submissions().withdraw_submission(request).await.is_ok()
        }
        Step::Transfer => {
            let request = MarkTransferredRequest { submission_id, note: String::new() };
            lab.submissions().mark_transferred(lab.by(&Persona::service("bridge"), request)).await.is_ok()
        }
    }
}

async fn read(lab: &Lab, made: &Submission) -> Submission {
    let ask = GetSubmissionRequest { submission_id: made.submission_id.clone() };
    lab.submissions().get_submission(lab.by(&Persona::admin(), ask)).await.unwrap().into_inner()
}

async fn check(lab: &Lab, made: &Submission, accepted: i64) {
    let ask = GetHistoryRequest { submission_id: made.submission_id.clone() };
    let history =
        lab.submissions().get_history(lab.by(&Persona::admin(), ask)).await.unwrap().into_inner().transitions;
    let now = read(lab, made).await;
    assert_eq!(i64::try_from(history.len()).unwrap(), accepted);
    assert_eq!(now.version, accepted);
    for (i, t) in history.iter().enumerate() {
        assert_eq!(t.seq, i64::try_from(i).unwrap() + 1);
        assert_eq!(t.from_state, if i == 0 { 0 } else { history[i - 1].to_state });
        assert_eq!(t.digest, made.seal.as_ref().unwrap().digest);
    }
    assert_eq!(history.last().map(|t| t.to_state), Some(now.state));
    if matches!(now.state(), SubmissionState::Approved | SubmissionState::Transferred) {
        let approved: Vec<i32> =
            history.iter().filter(|t| t.event() == SubmissionEvent::Approve).map(|t| t.step_no).collect();
        assert_eq!(approved, [1, 2]);
    }
}
