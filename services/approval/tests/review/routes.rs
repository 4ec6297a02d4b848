//! Routes are rows: they change by day, and running reviews keep theirs.

use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::approval::v1::{ListRoutesRequest, PutRouteRequest, Route, RouteScheme};
use eduhub_proto::common::v1::{Dataset, Level};
use tonic::{Code, Response, Status};
use uuid::Uuid;

use crate::lab::{COMMUNE, Lab, PRIMARY, metadata, refusal, submission, violated};

async fn routes(lab: &Lab, valid_on: &str) -> Vec<Route> {
    let ask = ListRoutesRequest { valid_on: valid_on.to_owned() };
    lab.routes().list_routes(lab.by(&Persona::admin(), ask)).await.unwrap().into_inner().routes
}

async fn put(lab: &Lab, route: &Route, expected_version: i64) -> Result<Route, Status> {
    let ask = PutRouteRequest { route: Some(route.clone()), expected_version };
    lab.routes().put_route(lab.by(&Persona::admin(), ask)).await.map(Response::into_inner)
}

async fn primary_pupils(lab: &Lab) -> Route {
    let is_it =
        |r: &Route| (r.dataset(), r.level(), r.directly_managed) == (Dataset::Pupils, Level::Primary, false);
    routes(lab, "2026-09-05").await.into_iter().find(is_it).unwrap()
}

#[tokio::test]
async fn both_schemes_are_there_and_one_holds_on_a_day() {
    let lab = Lab::start().await;
    assert_eq!(routes(&lab, "").await.len(), 80);
    let present = routes(&lab, "2025-07-01").await;
    assert!(present.len() == 40 && present.iter().all(|r| r.scheme() == RouteScheme::TwoTier));
    let past = routes(&lab, "2025-06-30").await;
    assert!(past.len() == 40 && past.iter().all(|r| r.scheme() == RouteScheme::ThreeTier));
    assert!(past.iter().any(|r| r.steps == ["DISTRICT", "DIV_SECONDARY"]));
    assert!(routes(&lab, "2020-02-27").await.is_empty());
    let ask = ListRoutesRequest { valid_on: "5/9/2026".to_owned() };
    let outcome = lab.routes().list_routes(lab.by(&Persona::admin(), ask)).await;
    assert_eq!(violated(&outcome.unwrap_err()), ["valid_on"]);
}

#[tokio::test]
async fn a_changed_route_holds_for_new_submissions_and_leaves_running_ones() {
    let lab = Lab::start().await;
    let running = lab.submitted().await;
    let route = primary_pupils(&lab).await;
    let steps = vec!["COMMUNE".to_owned(), "DIV_STUDENT_AFFAIRS".to_owned(), "DIV_PRIMARY".to_owned()];
    let changed = put(&lab, &Route { steps, ..route.clone() }, route.version).await.unwrap();
    assert_eq!(changed.version, route.version + 1);

    let done = lab.approve_all(running).await;
    assert_eq!(done.steps.len(), 2);
    let next = lab.submitted().await;
    let offices: Vec<&str> = next.steps.iter().map(|s| s.office.as_str()).collect();
    assert_eq!(offices, [COMMUNE, "DIV_STUDENT_AFFAIRS", "DIV_PRIMARY"]);

    let stale = put(&lab, &route, route.version).await.unwrap_err();
    assert_eq!(metadata(&stale, "version"), changed.version.to_string());
    assert_eq!(refusal::<()>(Err(stale)), (Code::Aborted, Reason::Conflict));
}

#[tokio::test]
async fn a_route_that_ended_leaves_no_route_and_a_second_one_at_once_is_refused() {
    let lab = Lab::start().await;
    let route = primary_pupils(&lab).await;
    let rival =
        Route { route_id: Uuid::now_v7().to_string(), valid_from: "2030-01-01".to_owned(), ..route.clone() };
    let status = put(&lab, &rival, 0).await.unwrap_err();
    assert_eq!(metadata(&status, "route_id"), route.route_id);
    assert_eq!(refusal::<()>(Err(status)), (Code::AlreadyExists, Reason::AlreadyExists));

    put(&lab, &Route { valid_to: "2025-12-31".to_owned(), ..route.clone() }, route.version).await.unwrap();
    let outcome = lab.submit(submission(PRIMARY, Dataset::Pupils)).await;
    assert_eq!(refusal(outcome), (Code::FailedPrecondition, Reason::NoRoute));
    put(&lab, &rival, 0).await.unwrap();
    put(
        &lab,
        &Route {
            route_id: Uuid::now_v7().to_string(),
            valid_from: "2026-01-01".into(),
            valid_to: "2029-12-31".into(),
            ..route
        },
        0,
    )
    .await
    .unwrap();
    lab.submitted().await;
}

#[tokio::test]
async fn every_mistake_of_a_route_is_named_at_once() {
    let lab = Lab::start().await;
    let route = primary_pupils(&lab).await;
    let shapeless =
        Route { route_id: "x".into(), scheme: 9, valid_from: "2026-13-01".into(), ..route.clone() };
    let fields = violated(&put(&lab, &shapeless, 0).await.unwrap_err());
    assert_eq!(fields, ["route.route_id", "route.scheme", "route.valid_from"]);
    let steps = vec!["DISTRICT".to_owned(), "DIV_MAGIC".to_owned(), "COMMUNE".to_owned()];
    let senseless = Route { steps, ..route.clone() };
    let fields = violated(&put(&lab, &senseless, route.version).await.unwrap_err());
    assert_eq!(fields, ["route.steps[0]", "route.steps[1]", "route.steps[2]"]);
    assert_eq!(primary_pupils(&lab).await, route);
}
