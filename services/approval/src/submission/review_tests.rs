//! Model-based property test: whatever sequence of events comes, by whomever, the promises of a review hold.
//! The oracle keeps its own books (which step was approved with which digest) and never looks at the state machine.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::model::{Event, State};
use super::review::{Actor, Decision, Outcome, RecordReason, Refusal, Review, Transition, Verdict};

const SEAL: [u8; 32] = [7; 32];
const OTHER_SEAL: [u8; 32] = [8; 32];
const OFFICES: [&str; 4] = ["14329", "DIV_PRIMARY", "DIV_FINANCE", "DIV_PERSONNEL"];

#[derive(Debug, Clone)]
enum Try {
    /// `aimed`: at the current step and its office, else at the step and office given here.
    Decide {
        aimed: bool,
        office: usize,
        person: u8,
        of_the_school: bool,
        decision: Decision,
    },
    Withdraw {
        reason: String,
    },
    Transfer,
}

fn decision() -> impl Strategy<Value = Decision> {
    let verdict = prop_oneof![4 => Just(Verdict::Approve), 1 => Just(Verdict::Return)];
    let digest = prop_oneof![4 => Just(SEAL.to_vec()), 1 => Just(OTHER_SEAL.to_vec()), 1 => Just(vec![])];
    let comment = prop_oneof![Just(String::new()), Just("sĩ số chưa khớp".to_owned())];
    let reason =
        || RecordReason { kind: 4, record_key: "HS01".to_owned(), text: "thiếu ngày sinh".to_owned() };
    let reasons = prop_oneof![3 => Just(vec![]), 1 => Just(vec![reason()])];
    (0..6_i16, verdict, digest, comment, reasons).prop_map(
        |(step_no, verdict, digest, comment, record_reasons)| Decision {
            step_no,
            verdict,
            digest,
            comment,
            record_reasons,
        },
    )
}

fn attempt() -> impl Strategy<Value = Try> {
    let aimed = prop::bool::weighted(0.7);
    let decide = (aimed, 0..OFFICES.len(), 0..4_u8, prop::bool::weighted(0.1), decision()).prop_map(
        |(aimed, office, person, of_the_school, decision)| Try::Decide {
            aimed,
            office,
            person,
            of_the_school,
            decision,
        },
    );
    let reason = prop_oneof![Just(String::new()), Just("nhầm kỳ".to_owned())];
    prop_oneof![
        20 => decide,
        1 => reason.prop_map(|reason| Try::Withdraw { reason }),
        2 => Just(Try::Transfer),
    ]
}

fn actor(office: &str, person: u8, of_the_school: bool) -> Actor {
    // Person 0 is the one who submitted, whatever office they also sit in.
    Actor {
        principal_id: format!("p{person}"),
        name: String::new(),
        office: office.to_owned(),
        of_the_school,
    }
}

fn run(review: &Review, attempt: &Try) -> (Actor, Result<Outcome, Refusal>) {
    match attempt {
        Try::Decide { aimed, office, person, of_the_school, decision } => {
            let current = review.current_office().filter(|_| *aimed);
            let by = actor(current.unwrap_or(OFFICES[*office]), *person, *of_the_school);
            let step_no = if *aimed { review.current_step } else { decision.step_no };
            let outcome = review.decide(&by, Decision { step_no, ..decision.clone() });
            (by, outcome)
        }
        Try::Withdraw { reason } => (actor("08001234", 0, true), review.withdraw(reason.clone())),
        Try::Transfer => (actor("bridge", 9, false), review.transfer(String::new())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_sequence_of_events_breaks_a_promise(
        steps in 1..=OFFICES.len(),
        attempts in prop::collection::vec(attempt(), 0..60),
    ) {
        let offices: Vec<String> = OFFICES[..steps].iter().map(|o| (*o).to_owned()).collect();
        let by = actor("08001234", 0, true);
        let (mut review, first) =
            Review::submit(offices, "DIV_PRIMARY".to_owned(), SEAL.to_vec(), &by, "tôi đã kiểm tra").unwrap();
        let mut recorded: Vec<Transition> = vec![first];
        let mut approved_with: BTreeMap<usize, Vec<u8>> = BTreeMap::new();

        for attempt in &attempts {
            let before = review.clone();
            let (by, outcome) = run(&review, attempt);
            let Ok(Outcome::Changed(transition)) = outcome else { continue };
            if let Try::Decide { decision, .. } = attempt {
                prop_assert!(!by.of_the_school && by.principal_id != "p0", "a school decided on its own data");
                // Approvals come in order, so the next step to decide is the one after those approved.
                let step = approved_with.len();
                prop_assert_eq!(Some(by.office.as_str()), before.steps.get(step).map(String::as_str));
                prop_assert_eq!(&decision.digest[..], &SEAL[..]);
                if decision.verdict == Verdict::Approve {
                    prop_assert!(approved_with.insert(step, decision.digest.clone()).is_none());
                } else {
                    prop_assert!(!transition.why.is_empty() || !transition.record_reasons.is_empty());
                }
            }
            prop_assert!(
                !matches!(before.state, State::Returned | State::Transferred | State::Withdrawn),
                "a final state was left"
            );
            review = review.after(&transition, &by);
            recorded.push(*transition);
        }

        if matches!(review.state, State::Approved | State::Transferred) {
            prop_assert_eq!(approved_with.len(), steps, "approved without every step");
            prop_assert!(approved_with.values().all(|d| d[..] == SEAL[..]));
        }
        prop_assert_eq!(review.version, recorded.len() as i64);
        for (i, pair) in recorded.windows(2).enumerate() {
            prop_assert_eq!(pair[1].seq, i as i64 + 2);
            prop_assert_eq!(pair[1].from, Some(pair[0].to));
        }
        prop_assert_eq!(recorded.last().map(|t| t.to), Some(review.state));
        prop_assert_eq!(review.current_office().is_some(), review.state == State::InReview);
    }

    #[test]
    fn repeating_what_succeeded_changes_nothing(attempts in prop::collection::vec(attempt(), 0..60)) {
        let offices = vec![OFFICES[0].to_owned(), OFFICES[1].to_owned()];
        let school = actor("08001234", 0, true);
        let (mut review, _) =
            Review::submit(offices, "DIV_PRIMARY".to_owned(), SEAL.to_vec(), &school, "x").unwrap();
        for attempt in &attempts {
            let literal = match attempt {
                Try::Decide { aimed: true, person, of_the_school, decision, .. } => Try::Decide {
                    aimed: false,
                    office: usize::try_from(review.current_step).unwrap().saturating_sub(1),
                    person: *person,
                    of_the_school: *of_the_school,
                    decision: Decision { step_no: review.current_step, ..decision.clone() },
                },
                other => other.clone(),
            };
            let (by, outcome) = run(&review, &literal);
            if let Ok(Outcome::Changed(transition)) = outcome {
                review = review.after(&transition, &by);
                prop_assert_eq!(run(&review, &literal).1, Ok(Outcome::Unchanged));
            }
        }
    }
}

#[test]
fn the_full_way_reaches_transferred_and_each_refusal_has_its_reason() {
    let school = actor("08001234", 0, true);
    let offices = vec!["14329".to_owned(), "DIV_PRIMARY".to_owned()];
    let submit =
        || Review::submit(offices.clone(), "DIV_PRIMARY".into(), SEAL.to_vec(), &school, "x").unwrap();
    let (review, first) = submit();
    assert_eq!((first.seq, first.event, first.from, first.to), (1, Event::Submit, None, State::InReview));
    let (commune, division) = (actor("14329", 1, false), actor("DIV_PRIMARY", 2, false));
    let approve = |step_no| Decision {
        step_no,
        verdict: Verdict::Approve,
        digest: SEAL.to_vec(),
        comment: String::new(),
        record_reasons: vec![],
    };

    assert_eq!(review.decide(&division, approve(1)), Err(Refusal::OtherOffice));
    let wrong = Refusal::WrongState { state: State::InReview, current_step: 1 };
    assert_eq!(review.decide(&division, approve(2)), Err(wrong));
    assert_eq!(review.decide(&division, approve(3)), Err(wrong));
    assert_eq!(review.decide(&actor("14329", 0, false), approve(1)), Err(Refusal::OwnSchool));
    let other_digest = Decision { digest: OTHER_SEAL.to_vec(), ..approve(1) };
    assert_eq!(review.decide(&commune, other_digest), Err(Refusal::DigestMismatch));
    let bare_return = Decision { verdict: Verdict::Return, ..approve(1) };
    assert_eq!(review.decide(&commune, bare_return), Err(Refusal::ReasonRequired));
    assert_eq!(review.withdraw(String::new()), Err(Refusal::ReasonRequired));
    assert_eq!(review.transfer(String::new()), Err(wrong));

    let changed = |outcome| match outcome {
        Ok(Outcome::Changed(t)) => *t,
        other => panic!("{other:?}"),
    };
    let t = changed(review.decide(&commune, approve(1)));
    assert_eq!((t.step_no, t.accountable_division.as_deref()), (Some(1), Some("DIV_PRIMARY")));
    let review = review.after(&t, &commune);
    let t = changed(review.decide(&division, approve(2)));
    let review = review.after(&t, &division);
    assert_eq!(review.state, State::Approved);
    let done = Refusal::WrongState { state: State::Approved, current_step: 0 };
    assert_eq!(review.withdraw("muộn".to_owned()), Err(done));
    let t = changed(review.transfer(String::new()));
    assert_eq!(t.to, State::Transferred);
}
