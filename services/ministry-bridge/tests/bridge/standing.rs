//! How the Ministry answers, as the Department asks it.
use crate::lab::{Lab, quick};
use eduhub_auth::testing::Persona;
use eduhub_proto::bridge::v1::{self as pb, MinistryReach};
use std::time::Duration;

async fn standing(lab: &Lab) -> pb::MinistryStanding {
    let request = lab.by(&Persona::admin(), pb::CheckMinistryRequest {});
    lab.capabilities().check_ministry(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn the_ministry_answers_or_is_away_and_both_are_answers() {
    let lab = Lab::start().await;
    let well = standing(&lab).await;
    assert_eq!((well.reach(), well.code.as_str(), well.circuit_open), (MinistryReach::Answers, "", false));
    assert_eq!((well.waiting, well.waiting_since), (0, None));
    assert!(well.took.is_some());

    // Nobody listens there.
    let lab = Lab::at(quick(), "http://127.0.0.1:1/moet", Duration::from_millis(500)).await;
    let away = standing(&lab).await;
    assert_eq!((away.reach(), away.code.as_str()), (MinistryReach::Away, "TOKEN"));
}

#[tokio::test]
async fn credentials_that_it_does_not_take_are_told_apart() {
    let config = eduhub_simulators::Config::new("another-client", "another-secret", "npd");
    let simulator = eduhub_simulators::start(config).await.unwrap();
    let url = format!("{}/moet", simulator.base_url());
    let lab = Lab::at(quick(), &url, Duration::from_millis(1_500)).await;
    let refused = standing(&lab).await;
    assert_eq!(refused.reach(), MinistryReach::Refused, "{refused:?}");
    assert!(refused.code.starts_with("TOKEN-4"), "{refused:?}");
}
