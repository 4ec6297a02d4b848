//! Decide: each refusal has its reason, and changes nothing.

use eduhub_auth::testing::Persona;
use eduhub_auth::{Role, Scope};
use eduhub_faults::Reason;
use eduhub_proto::approval::v1::{DecideRequest, GetSubmissionRequest, RecordReason, SubmissionState};
use eduhub_proto::common::v1::Kind;
use tonic::Code;

use crate::lab::{COMMUNE, Lab, PRIMARY, approve, metadata, refusal, send_back, violated};

#[tokio::test]
async fn a_decision_names_its_step_and_the_digest_that_was_shown() {
    let lab = Lab::start().await;
    let made = lab.submitted().await;
    let commune = Persona::commune_reviewer(COMMUNE);

    for digest in [vec![], vec![0; 32], made.seal.clone().unwrap().digest[..31].to_vec()] {
        let wrong = DecideRequest { digest, ..approve(&made) };
        assert_eq!(
            refusal(lab.decide(&commune, wrong).await),
            (Code::FailedPrecondition, Reason::DigestMismatch)
        );
    }
    let beyond = DecideRequest { step_no: 3, ..approve(&made) };
    assert_eq!(refusal(lab.decide(&commune, beyond).await), (Code::FailedPrecondition, Reason::WrongState));
    let early = DecideRequest { step_no: 2, ..approve(&made) };
    let division = Persona::division_reviewer("DIV_PRIMARY");
    let status = lab.decide(&division, early).await.unwrap_err();
    assert_eq!(
        (metadata(&status, "state"), metadata(&status, "current_step")),
        ("IN_REVIEW".into(), "1".into())
    );
    assert_eq!(refusal::<()>(Err(status)), (Code::FailedPrecondition, Reason::WrongState));

    lab.decide(&commune, approve(&made)).await.unwrap();
    let second_officer = Persona::commune_reviewer(COMMUNE);
    let late = lab.decide(&second_officer, approve(&made)).await;
    assert_eq!(refusal(late), (Code::FailedPrecondition, Reason::WrongState));
}

#[tokio::test]
async fn the_same_decision_again_changes_nothing_and_another_one_is_refused() {
    let lab = Lab::start().await;
    let made = lab.submitted().await;
    let commune = Persona::commune_reviewer(COMMUNE);
    let first = lab.decide(&commune, approve(&made)).await.unwrap();
    let again = lab.decide(&commune, approve(&made)).await.unwrap();
    assert_eq!(first, again);
    let changed_mind = lab.decide(&commune, send_back(&made, "nhầm")).await;
    assert_eq!(refusal(changed_mind), (Code::FailedPrecondition, Reason::WrongState));
}

#[tokio::test]
async fn only_the_office_of_the_step_decides() {
    let lab = Lab::start().await;
    let made = lab.submitted().await;
    // They see it, but it is not their step.
    for other in ["DIV_PRIMARY", "DIV_SECONDARY", "DIV_PERSONNEL"] {
        let outcome = lab.decide(&Persona::division_reviewer(other), approve(&made)).await;
        assert_eq!(refusal(outcome), (Code::PermissionDenied, Reason::Forbidden), "{other}");
    }
    // Another commune does not see it at all.
    let neighbour = lab.decide(&Persona::commune_reviewer("14330"), approve(&made)).await;
    assert_eq!(refusal(neighbour), (Code::NotFound, Reason::NotFound));
    // A division's role does not make a commune's decision, even with that office in the token.
    let posing = Persona::division_reviewer(COMMUNE);
    assert_eq!(
        refusal(lab.decide(&posing, approve(&made)).await),
        (Code::PermissionDenied, Reason::Forbidden)
    );
}

#[tokio::test]
async fn a_school_never_decides_on_its_own_data() {
    let lab = Lab::start().await;
    let made = lab.submitted().await;
    let mut both = Persona::new(Role::CommuneReviewer, Scope::commune(COMMUNE)).office(COMMUNE);
    both.0.roles.push(Role::SchoolOfficer);
    both.0.scope.schools.insert(PRIMARY.to_owned());
    assert_eq!(refusal(lab.decide(&both, approve(&made)).await), (Code::PermissionDenied, Reason::Forbidden));

    let mut submitter = Persona::commune_reviewer(COMMUNE);
    submitter.0.sub = made.submitted_by.clone().unwrap().principal_id;
    assert_eq!(
        refusal(lab.decide(&submitter, approve(&made)).await),
        (Code::PermissionDenied, Reason::Forbidden)
    );
    lab.decide(&Persona::commune_reviewer(COMMUNE), approve(&made)).await.unwrap();
}

#[tokio::test]
async fn a_return_needs_a_reason_that_fits_the_dataset() {
    let lab = Lab::start().await;
    let made = lab.submitted().await;
    let commune = Persona::commune_reviewer(COMMUNE);
    let bare = lab.decide(&commune, send_back(&made, " \n")).await;
    assert_eq!(refusal(bare), (Code::InvalidArgument, Reason::ReasonRequired));

    let reason = |kind: Kind, key: &str| RecordReason {
        kind: kind as i32,
        record_key: key.into(),
        text: "sai".into(),
    };
    let foreign = DecideRequest { record_reasons: vec![reason(Kind::Staff, "GV01")], ..send_back(&made, "") };
    assert_eq!(violated(&lab.decide(&commune, foreign).await.unwrap_err()), ["record_reasons[0].kind"]);
    let twice = vec![reason(Kind::Pupil, "HS01"), reason(Kind::Pupil, "HS01"), reason(Kind::Class, "")];
    let twice = DecideRequest { record_reasons: twice, ..send_back(&made, "") };
    let fields = violated(&lab.decide(&commune, twice).await.unwrap_err());
    assert_eq!(fields, ["record_reasons[1].record_key", "record_reasons[2].record_key"]);
    let praise = DecideRequest { record_reasons: vec![reason(Kind::Pupil, "HS01")], ..approve(&made) };
    assert_eq!(violated(&lab.decide(&commune, praise).await.unwrap_err()), ["record_reasons"]);

    let ask = GetSubmissionRequest { submission_id: made.submission_id.clone() };
    let now = lab.submissions().get_submission(lab.by(&commune, ask)).await.unwrap().into_inner();
    assert_eq!((now.state(), now.version), (SubmissionState::InReview, 1), "refusals changed something");

    let many = (0..1_000).map(|i| reason(Kind::Pupil, &format!("HS{i:04}"))).collect();
    let many = DecideRequest { record_reasons: many, ..send_back(&made, "") };
    assert_eq!(lab.decide(&commune, many).await.unwrap().state(), SubmissionState::Returned);
    let stored: i64 =
        sqlx::query_scalar("select count(*) from record_reason").fetch_one(&lab.pool).await.unwrap();
    assert_eq!(stored, 1_000);
}
