//! Officers' accounts.
use crate::world::{ADMIN_PASSWORD, HOA_LU, World, reason, violations};
use eduhub_auth::Role;
use eduhub_faults::Reason;
use eduhub_proto::identity::v1 as pb;

fn officer(user_name: &str, role: pb::Role, office: &str) -> pb::CreateOfficerRequest {
    pb::CreateOfficerRequest {
        user_name: user_name.into(),
        name: "Trần Thị Mai".into(),
        role: role as i32,
        office: office.into(),
        ..pb::CreateOfficerRequest::default()
    }
}

async fn disable(world: &World, principal_id: &str) -> Result<tonic::Response<pb::Principal>, tonic::Status> {
    let request =
        pb::DisablePrincipalRequest { principal_id: principal_id.into(), reason: "Nghỉ việc".into() };
    world.principals().disable_principal(world.as_admin(request).await).await
}

#[tokio::test]
async fn an_officer_signs_in_until_disabled() {
    let world = World::new().await;
    let request = officer("tran.mai", pb::Role::CommuneReviewer, HOA_LU);
    let made =
        world.principals().create_officer(world.as_admin(request.clone()).await).await.unwrap().into_inner();
    let id = made.principal.unwrap().principal_id;
    let token = world.by_password("tran.mai", &made.password).await.unwrap().into_inner().access_token;
    let verifier = world.verifier().await;
    let caller = verifier.verify(&token).await.unwrap();
    assert_eq!(
        (caller.roles.as_slice(), caller.office.as_deref()),
        (&[Role::CommuneReviewer][..], Some(HOA_LU))
    );
    assert!(caller.require_commune(HOA_LU).is_ok());

    let again = world.principals().create_officer(world.as_admin(request).await).await;
    assert_eq!(reason(again), Reason::AlreadyExists);

    assert!(disable(&world, &id).await.unwrap().into_inner().disabled_at.is_some());
    assert!(disable(&world, &id).await.is_ok(), "idempotent");
    verifier.refresh().await.unwrap();
    assert_eq!(verifier.verify(&token).await.unwrap_err().reason(), Reason::GrantRevoked);
    assert_eq!(reason(world.by_password("tran.mai", &made.password).await), Reason::BadCredentials);
    world.end().await;
}

#[tokio::test]
async fn a_chosen_password_is_not_shown_and_a_bad_request_names_everything() {
    let world = World::new().await;
    let mut request = officer("phong.cthssv", pb::Role::DivisionReviewer, "DIV_STUDENT_AFFAIRS");
    request.password = "mười hai ký tự".into();
    let made = world.principals().create_officer(world.as_admin(request).await).await.unwrap().into_inner();
    assert_eq!(made.password, "");
    assert!(world.by_password("phong.cthssv", "mười hai ký tự").await.is_ok());

    let bad = pb::CreateOfficerRequest { password: "ngắn".into(), ..pb::CreateOfficerRequest::default() };
    let found = violations(world.principals().create_officer(world.as_admin(bad).await).await);
    assert_eq!(found, ["user_name MISSING", "name MISSING", "role MISSING", "password TOO_SHORT"]);
    world.end().await;
}

#[tokio::test]
async fn services_oneself_and_the_last_administrator_stay() {
    let world = World::new().await;
    let list = pb::ListPrincipalsRequest::default();
    let all =
        world.principals().list_principals(world.as_admin(list).await).await.unwrap().into_inner().principals;
    let id = |login: &str| all.iter().find(|p| p.login == login).unwrap().principal_id.clone();
    assert_eq!(all.len(), 3, "identity, registry, admin");
    assert_eq!(reason(disable(&world, &id("registry")).await), Reason::WrongState);
    assert_eq!(reason(disable(&world, &id("admin")).await), Reason::WrongState);
    assert_eq!(reason(disable(&world, "nobody").await), Reason::NotFound);
    assert!(world.by_password("admin", ADMIN_PASSWORD).await.is_ok());
    world.end().await;
}
