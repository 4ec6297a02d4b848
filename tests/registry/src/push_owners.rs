//! Data of a school that another vendor's grant owns: who tries to write it is told whose it is.
use crate::{
    hub::{Hub, SCHOOL, Setup},
    make::{self, Wrap},
    pushing::{batch, full, patch, push, validate_only, withdraw},
};
use eduhub_auth::testing::Persona;
use eduhub_doubles::{Door, Grants};
use eduhub_faults::{Reason, reason_of};
use eduhub_proto::{
    common::v1::{
        DataDomain::{Facility, Health, Pupil, School, Staff},
        Kind, PushOpen,
    },
    identity::v1::grant_service_server::GrantServiceServer,
    registry::v1::PushBatch,
};
use eduhub_testkit::Served;
use tonic::{Code, Status, service::Routes};
use tonic_types::StatusExt;

/// A hub beside an identity that knows these grants.
async fn hub(grants: &Grants) -> (Hub, Served) {
    let routes = Routes::new(GrantServiceServer::new(grants.clone()));
    let identity = Served::start(routes).await;
    let setup = Setup { identity: Some(identity.url().to_owned()), ..Setup::default() };
    (Hub::with(setup).await, identity)
}

async fn refused(hub: &Hub, vendor: &Persona, open: PushOpen, batches: Vec<PushBatch>) -> Status {
    push(hub, vendor, open, batches).await.expect_err("a write to what another owns")
}

fn named(status: &Status, key: &str) -> String {
    let info = status.get_details_error_info().unwrap();
    info.metadata.get(key).cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_write_to_anothers_domain_is_refused_with_the_owners_name() {
    let grants = Grants::new(Door::for_anybody());
    grants.state().give("g-smas", SCHOOL, ("VIETTEL", "SMAS"), &[School, Pupil, Staff]);
    grants.state().give("g-yte", SCHOOL, ("MISA", "Y tế học đường"), &[Health]);
    let (hub, _identity) = hub(&grants).await;
    push(&hub, &Persona::vendor(SCHOOL), patch(SCHOOL), vec![batch(1, vec![make::pupil(1).wrap()])])
        .await
        .unwrap();
    assert_eq!(grants.state().calls, 0, "nobody is asked about what is allowed");

    let vendor = Persona::vendor(SCHOOL).domains(&[School, Pupil, Staff]);
    let health = || vec![batch(1, vec![make::pupil(2).wrap(), make::health(1).wrap()])];
    let gone = vec![withdraw(1, vec![make::withdrawal(Kind::Health, &make::code(1))])];
    for (open, batches) in [
        (patch(SCHOOL), health()),
        (validate_only(SCHOOL), health()),
        (patch(SCHOOL), gone),
        (full(SCHOOL, &[Kind::Health]), vec![]),
    ] {
        let status = refused(&hub, &vendor, open, batches).await;
        assert_eq!((status.code(), reason_of(&status)), (Code::PermissionDenied, Some(Reason::DomainOwned)));
        let owner = ["domain", "grant_id", "vendor_code", "software"].map(|key| named(&status, key));
        assert_eq!(owner, ["DATA_DOMAIN_HEALTH", "g-yte", "MISA", "Y tế học đường"]);
    }
    assert_eq!(hub.rows().await.len(), 1, "nothing of a refused batch is written");
    assert_eq!(grants.state().calls, 1, "the answer is kept");
}

#[tokio::test]
async fn who_has_no_domain_of_the_service_is_told_at_the_door() {
    let grants = Grants::new(Door::for_anybody());
    grants.state().give("g-smas", SCHOOL, ("VIETTEL", "SMAS"), &[School, Pupil]);
    let (hub, _identity) = hub(&grants).await;
    let rooms_only = Persona::vendor(SCHOOL).domains(&[Facility]);
    let status = refused(&hub, &rooms_only, patch(SCHOOL), vec![]).await;
    assert_eq!(reason_of(&status), Some(Reason::DomainOwned));
    assert_eq!(named(&status, "grant_id"), "g-smas");
}

#[tokio::test]
async fn what_nobody_owns_and_what_identity_does_not_tell_is_forbidden() {
    let door = Door::for_anybody();
    let grants = Grants::new(door.clone());
    grants.state().give("g-smas", SCHOOL, ("VIETTEL", "SMAS"), &[School, Pupil]);
    let (hub, _identity) = hub(&grants).await;
    let vendor = Persona::vendor(SCHOOL).domains(&[Pupil]);
    let staff = || vec![withdraw(1, vec![make::withdrawal(Kind::Staff, "GV000001")])];
    door.set_down(true);
    let status = refused(&hub, &vendor, full(SCHOOL, &[Kind::Class]), vec![]).await;
    assert_eq!(
        (reason_of(&status), named(&status, "domain")),
        (Some(Reason::Forbidden), "DATA_DOMAIN_SCHOOL".into())
    );
    door.set_down(false);
    let status = refused(&hub, &vendor, full(SCHOOL, &[Kind::Class]), vec![]).await;
    assert_eq!(reason_of(&status), Some(Reason::DomainOwned), "an outage is not kept");
    let status = refused(&hub, &vendor, patch(SCHOOL), staff()).await;
    assert_eq!((reason_of(&status), named(&status, "grant_id")), (Some(Reason::Forbidden), String::new()));
}
