//! Who owns which data of a school: one software, or one for each data domain where the Department allows it (R-FLOW-2,
//! decision 0017). The first promise, one software, is in `journey`.
use crate::world::{SCHOOL, World, form, meta, with_token};
use eduhub_auth::testing::Persona;
use eduhub_faults::{Reason, reason_of};
use eduhub_identity::Exclusive;
use eduhub_proto::common::v1::DataDomain::{self, Facility, Health, Pupil, School};
use eduhub_proto::identity::v1::{Decision, Form1, ListGrantsRequest};
use tonic::Status;

async fn world() -> World {
    World::with(|parts| parts.exclusive = Exclusive::Domains).await
}

fn form_for(vendor: &str, software: &str, domains: &[DataDomain]) -> Form1 {
    Form1 { domains: domains.iter().map(|d| *d as i32).collect(), ..form(SCHOOL, vendor, software) }
}

/// Grant of an application that is submitted and approved.
async fn granted(world: &World, form: Form1) -> Result<String, Status> {
    let application = world.submit(form).await?.into_inner().application_id;
    world.decide(&application, Decision::Approve, "").await
}

fn assert_owned_by(status: &Status, grant: &str, domains: &str) {
    assert_eq!(reason_of(status), Some(Reason::GrantConflict));
    assert_eq!((meta(status, "grant_id").as_str(), meta(status, "domains").as_str()), (grant, domains));
    assert_eq!((meta(status, "vendor_code"), meta(status, "software")), ("VIETTEL".into(), "SMAS".into()));
}

#[tokio::test]
async fn domains_that_the_first_vendor_lacks_may_go_to_another_and_shared_ones_may_not() {
    let world = world().await;
    let first = granted(&world, form_for("VIETTEL", "SMAS", &[School, Pupil])).await.unwrap();
    let waiting =
        world.submit(form_for("MISA", "MISA_EMIS", &[Facility, Health])).await.unwrap().into_inner();
    let second = granted(&world, form_for("VNPT", "VNEDU", &[Facility])).await.unwrap();

    let overlap = granted(&world, form_for("VNPT", "VNEDU", &[Facility, Pupil])).await.unwrap_err();
    assert_owned_by(&overlap, &first, "DATA_DOMAIN_PUPIL");
    let late = world.decide(&waiting.application_id, Decision::Approve, "").await.unwrap_err();
    assert_eq!((reason_of(&late), meta(&late, "grant_id")), (Some(Reason::GrantConflict), second.clone()));

    // A vendor's own domains may grow into what nobody holds; the application that waited still overlaps the second's.
    let wider = granted(&world, form_for("VIETTEL", "SMAS", &[School, Pupil, Health])).await.unwrap();
    let narrow = granted(&world, form_for("MISA", "MISA_EMIS", &[Health])).await.unwrap_err();
    assert_owned_by(&narrow, &wider, "DATA_DOMAIN_HEALTH");
    world.revoke(&wider).await;
    granted(&world, form_for("MISA", "MISA_EMIS", &[Health])).await.expect("its end makes room");
    world.end().await;
}

#[tokio::test]
async fn each_token_has_its_own_domains_and_a_service_can_ask_who_owns_the_others() {
    let world = world().await;
    granted(&world, form_for("VIETTEL", "SMAS", &[School, Pupil])).await.unwrap();
    let grant = granted(&world, form_for("VNPT", "VNEDU", &[Facility])).await.unwrap();
    let credential = world.credential(&grant).await;
    let token = world.by_secret(&credential.client_id, &credential.secret).await.unwrap().into_inner();
    let caller = world.verifier().await.verify(&token.access_token).await.unwrap();
    assert_eq!(caller.domains, [Facility]);

    let of_school = || ListGrantsRequest { school_code: SCHOOL.into(), ..ListGrantsRequest::default() };
    let asked =
        world.grants().list_grants(world.as_persona(&Persona::service("registry"), of_school())).await;
    let owners = asked.unwrap().into_inner().grants;
    let of_pupils: Vec<_> = owners.iter().filter(|g| g.domains().any(|d| d == Pupil)).collect();
    assert_eq!(of_pupils.len(), 1);
    assert_eq!((of_pupils[0].vendor_code.as_str(), of_pupils[0].software.as_str()), ("VIETTEL", "SMAS"));
    // The vendor itself sees its own grant only.
    let own = world.grants().list_grants(with_token(&token.access_token, of_school())).await;
    assert_eq!(own.unwrap().into_inner().grants.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_software_that_had_the_school_to_itself_gives_up_only_what_it_has_not() {
    let world = world().await;
    let first = granted(&world, form_for("VIETTEL", "SMAS", &[School, Pupil])).await.unwrap();
    // As grants of before are: it holds the whole school.
    for sql in ["delete from domain_owners", "update grants set whole_school = true"] {
        sqlx::query(sql).execute(&world.database.pool).await.unwrap();
    }
    let hold = "insert into domain_owners select $1, d, $2::uuid from generate_series(1, 31) as d";
    sqlx::query(hold).bind(SCHOOL).bind(&first).execute(&world.database.pool).await.unwrap();

    let overlap = granted(&world, form_for("VNPT", "VNEDU", &[School])).await.unwrap_err();
    assert_owned_by(&overlap, &first, "DATA_DOMAIN_SCHOOL");
    granted(&world, form_for("VNPT", "VNEDU", &[Facility])).await.unwrap();
    let held = "select count(*) from domain_owners where grant_id = $1::uuid";
    let held: i64 = sqlx::query_scalar(held).bind(&first).fetch_one(&world.database.pool).await.unwrap();
    assert_eq!(held, 2);
    world.end().await;
}

/// What no code of the service does: the database refuses it.
#[tokio::test]
async fn the_database_holds_one_grant_for_each_domain_of_a_school() {
    let world = world().await;
    granted(&world, form_for("VIETTEL", "SMAS", &[School, Pupil])).await.unwrap();
    granted(&world, form_for("VNPT", "VNEDU", &[Facility])).await.unwrap();
    let copy = |domains: &str, whole: bool| {
        format!(
            "with p as (insert into principals (id, kind, name, role, created_by)
               values (gen_random_uuid(), 1, 'x', 'vendor', 'x') returning id)
             insert into grants (id, kind, principal_id, name, vendor_code, contract_number, secrecy_clause, school_code,
               domains, max_class, valid_from, valid_to, created_by, whole_school)
             select gen_random_uuid(), 1, p.id, 'x', 'MISA', 'x', 'x', '{SCHOOL}', '{{{domains}}}', 3, '2026-01-01',
               '2026-12-31', 'x', {whole} from p"
        )
    };
    for (domains, whole) in [("2", false), ("5,6", false), ("5", true)] {
        let error = sqlx::query(sqlx::AssertSqlSafe(copy(domains, whole)))
            .execute(&world.database.pool)
            .await
            .expect_err("a second owner");
        let database = error.as_database_error().unwrap();
        assert_eq!(database.constraint(), Some("domain_owners_one_grant"), "{domains} {whole}: {error}");
    }
    sqlx::query(sqlx::AssertSqlSafe(copy("5", false))).execute(&world.database.pool).await.unwrap();
    let ended =
        "update grants set ended_at = now(), ended_by = 'x', end_reason = 'x' where vendor_code = 'VIETTEL'";
    sqlx::query(ended).execute(&world.database.pool).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(copy("1,2", false))).execute(&world.database.pool).await.unwrap();
    world.end().await;
}
