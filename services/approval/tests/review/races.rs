//! Several at once: exactly one decides.

use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::approval::v1::{GetHistoryRequest, SubmissionState, WithdrawSubmissionRequest};
use tonic::{Code, Response};

use crate::lab::{COMMUNE, Lab, PRIMARY, approve, at_once, refusal, send_back};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_several_deciders_at_once_exactly_one_decides() {
    let lab = Lab::start().await;
    for round in 0..10 {
        let made = lab.submitted().await;
        let deciders = (0..6).map(|i| {
            let request = if i % 2 == 0 { approve(&made) } else { send_back(&made, "chưa khớp sĩ số") };
            let (mut client, request) =
                (lab.submissions(), lab.by(&Persona::commune_reviewer(COMMUNE), request));
            async move { client.decide(request).await.map(Response::into_inner) }
        });
        let (won, lost): (Vec<_>, Vec<_>) =
            at_once(deciders.collect()).await.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "round {round}");
        for outcome in lost {
            assert_eq!(refusal(outcome), (Code::FailedPrecondition, Reason::WrongState));
        }
        let won = won.into_iter().next().unwrap().unwrap();
        assert_eq!(won.version, 2);
        if won.state() == SubmissionState::InReview {
            lab.approve_all(won).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_withdrawal_and_a_decision_at_once_do_not_both_happen() {
    let lab = Lab::start().await;
    for _ in 0..10 {
        let made = lab.submitted().await;
        let officer = Persona::school_officer(PRIMARY);
        let withdraw = WithdrawSubmissionRequest {
            submission_id: made.submission_id.clone(),
            reason: "nhầm".to_owned(),
        };
        let (mut a, withdraw) = (lab.submissions(), lab.by(&officer, withdraw));
        let commune = Persona::commune_reviewer(COMMUNE);
        let (mut b, back) = (lab.submissions(), lab.by(&commune, send_back(&made, "thiếu")));
        let (withdrawn, returned) = tokio::join!(a.withdraw_submission(withdraw), b.decide(back));
        assert!(withdrawn.is_ok() != returned.is_ok());
        let ask = GetHistoryRequest { submission_id: made.submission_id };
        let history = lab.submissions().get_history(lab.by(&officer, ask)).await.unwrap().into_inner();
        assert_eq!(history.transitions.len(), 2);
    }
}
