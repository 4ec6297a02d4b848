//! Search by name: without accents, within the caller's scope, up to its class; by an index.
use crate::{
    hub::{COMMUNE, Hub, OTHER, SCHOOL},
    make::{self, Wrap, code},
    pushing::{push_one, refusal, withdraw_one},
    reads::{key_of, pupil_of, violations},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::{DataDomain, Kind, SearchRecordsRequest, Sensitivity},
    registry::v1::{Pupil, Record, SearchRecordsResponse},
};
use sqlx::{AssertSqlSafe, Row};
use tonic::{Code, Status};

fn named(n: u32, full_name: &str) -> Record {
    Pupil { full_name: full_name.into(), ..make::pupil(n) }.wrap()
}

fn asked(name: &str) -> SearchRecordsRequest {
    SearchRecordsRequest { kind: Kind::Pupil as i32, name: name.into(), ..Default::default() }
}

async fn search(
    hub: &Hub,
    persona: &Persona,
    asked: SearchRecordsRequest,
) -> Result<SearchRecordsResponse, Status> {
    Ok(hub.records(persona).search_records(asked).await?.into_inner())
}

async fn names(hub: &Hub, persona: &Persona, asked: SearchRecordsRequest) -> Vec<String> {
    let found = search(hub, persona, asked).await.unwrap();
    found.records.iter().map(|change| pupil_of(change).full_name.clone()).collect()
}

/// Four pupils in the first school and three in the second: by COPY there, by the other way of writing here.
async fn some_names(hub: &Hub) {
    for (n, name) in
        [(1, "Nguyễn Thị Hương"), (2, "Đỗ Đình Đạt"), (3, "Nguyễn Hướng Dương"), (4, "Trần Văn Hoà")]
    {
        push_one(hub, SCHOOL, vec![named(n, name)]).await;
    }
    let mut many: Vec<Record> = (101..=130).map(|n| named(n, "Phạm Thị Lan")).collect();
    many.extend([named(11, "Huong Nguyen"), named(12, "Nguyễn Thị Hường"), named(13, "Lê Hòa")]);
    push_one(hub, OTHER, many).await;
}

#[tokio::test]
async fn accents_capitals_and_order_do_not_count() {
    let hub = Hub::start().await;
    some_names(&hub).await;
    let admin = Persona::admin();
    for (typed, expected) in [
        ("nguyen thi huong", vec!["Nguyễn Thị Hương", "Nguyễn Thị Hường"]),
        ("NGUYỄN THỊ HƯƠNG", vec!["Nguyễn Thị Hương", "Nguyễn Thị Hường"]),
        ("huong ng", vec!["Huong Nguyen", "Nguyễn Hướng Dương", "Nguyễn Thị Hương", "Nguyễn Thị Hường"]),
        ("do dat", vec!["Đỗ Đình Đạt"]),
        ("Đạt", vec!["Đỗ Đình Đạt"]),
        ("hoà", vec!["Lê Hòa", "Trần Văn Hoà"]),
        ("đinh đo", vec!["Đỗ Đình Đạt"]),
        ("hoang", vec![]),
        ("uong", vec![]),
    ] {
        assert_eq!(names(&hub, &admin, asked(typed)).await, expected, "{typed}");
    }
    let decomposed = "Nguye\u{302}\u{303}n Thi\u{323} Hu\u{31b}o\u{31b}ng";
    assert_eq!(names(&hub, &admin, asked(decomposed)).await[0], "Nguyễn Thị Hương");
}

#[tokio::test]
async fn a_search_stays_in_the_callers_scope() {
    let hub = Hub::start().await;
    some_names(&hub).await;
    let huong = || asked("huong");
    let own = ["Nguyễn Thị Hương", "Nguyễn Hướng Dương"];
    for persona in
        [Persona::vendor(SCHOOL), Persona::commune_reviewer(COMMUNE), Persona::school_officer(SCHOOL)]
    {
        assert_eq!(names(&hub, &persona, huong()).await, own, "{persona:?}");
    }
    let admin = Persona::admin();
    assert_eq!(names(&hub, &admin, huong()).await.len(), 4);
    let in_commune = SearchRecordsRequest { commune_code: COMMUNE.into(), ..huong() };
    assert_eq!(names(&hub, &admin, in_commune.clone()).await, own);
    let in_school = SearchRecordsRequest { school_code: OTHER.into(), ..huong() };
    assert_eq!(names(&hub, &admin, in_school.clone()).await.len(), 2);
    assert_eq!(names(&hub, &Persona::commune_reviewer("99999"), huong()).await, [""; 0]);

    let hidden = (Code::NotFound, Reason::SchoolNotFound);
    assert_eq!(refusal(search(&hub, &Persona::vendor(SCHOOL), in_school).await), hidden);
    let stranger = Persona::commune_reviewer("14359");
    assert_eq!(refusal(search(&hub, &stranger, in_commune).await), (Code::NotFound, Reason::NotFound));
    let denied = (Code::PermissionDenied, Reason::Forbidden);
    let staff_only = Persona::admin().domains(&[DataDomain::Staff]);
    assert_eq!(refusal(search(&hub, &staff_only, huong()).await), denied);
    let public = Persona::admin().max_class(Sensitivity::Public);
    assert_eq!(refusal(search(&hub, &public, huong()).await), denied);
    let basic = search(&hub, &Persona::admin().max_class(Sensitivity::Basic), huong()).await.unwrap();
    assert!(
        basic.records.iter().all(|c| pupil_of(c).ethnicity.is_none() && pupil_of(c).personal_id.is_none())
    );
}

#[tokio::test]
async fn what_is_found_follows_what_is_written() {
    let hub = Hub::start().await;
    some_names(&hub).await;
    let vendor = Persona::vendor(SCHOOL);
    push_one(&hub, SCHOOL, vec![named(1, "Vũ Thị Mai")]).await;
    assert_eq!(names(&hub, &vendor, asked("huong")).await, ["Nguyễn Hướng Dương"]);
    assert_eq!(names(&hub, &vendor, asked("mai vu")).await, ["Vũ Thị Mai"]);
    withdraw_one(&hub, SCHOOL, vec![make::withdrawal(Kind::Pupil, &code(1))]).await;
    assert_eq!(names(&hub, &vendor, asked("mai")).await, [""; 0]);
    push_one(&hub, SCHOOL, vec![named(1, "Vũ Thị Mai")]).await;
    assert_eq!(names(&hub, &vendor, asked("mai")).await, ["Vũ Thị Mai"]);
}

#[tokio::test]
async fn an_answer_is_bounded_and_says_so() {
    let hub = Hub::start().await;
    some_names(&hub).await;
    let admin = Persona::admin();
    let lan = SearchRecordsRequest { limit: 10, ..asked("lan pham") };
    let found = search(&hub, &admin, lan).await.unwrap();
    assert_eq!((found.records.len(), found.more), (10, true));
    let all = SearchRecordsRequest { limit: 100, ..asked("lan pham") };
    let found = search(&hub, &admin, all).await.unwrap();
    assert_eq!((found.records.len(), found.more), (30, false));
    assert_eq!(key_of(&found.records[0]), code(101), "equals in the order of their ids");

    let born = SearchRecordsRequest { birth_date: "2015-03-04".into(), ..asked("huong") };
    assert_eq!(names(&hub, &admin, born.clone()).await.len(), 4);
    let another_day = SearchRecordsRequest { birth_date: "2015-03-05".into(), ..born };
    assert_eq!(names(&hub, &admin, another_day).await, [""; 0]);
    let staff = SearchRecordsRequest { kind: Kind::Staff as i32, ..asked("minh tran") };
    push_one(&hub, SCHOOL, vec![make::staff(1).wrap()]).await;
    assert_eq!(search(&hub, &admin, staff).await.unwrap().records.len(), 1);
}

#[tokio::test]
async fn searches_that_make_no_sense_are_refused() {
    let hub = Hub::start().await;
    for (asked, field) in [
        (asked("h"), "name"),
        (asked("' | !"), "name"),
        (asked(&"an ".repeat(40)), "name"),
        (SearchRecordsRequest { birth_date: "4/3/2015".into(), ..asked("an") }, "birth_date"),
        (SearchRecordsRequest { limit: -1, ..asked("an") }, "limit"),
        (SearchRecordsRequest { kind: Kind::Class as i32, ..asked("6a") }, "kind"),
        (
            SearchRecordsRequest { commune_code: COMMUNE.into(), school_code: SCHOOL.into(), ..asked("an") },
            "commune_code",
        ),
    ] {
        let refused = search(&hub, &Persona::admin(), asked).await.unwrap_err();
        assert_eq!((refused.code(), violations(&refused)), (Code::InvalidArgument, vec![field.to_owned()]));
    }
}

/// The words lead to the rows in the province, the school in a school: nothing goes through all pupils.
#[tokio::test]
async fn an_index_serves_every_scope() {
    let hub = Hub::start().await;
    push_one(&hub, SCHOOL, vec![named(1, "Nguyễn Thị Hương")]).await;
    let columns = "school_code, school_year, version, digest, body, secret, withdrawn, xid, seq, changed_at, birth_date, sex";
    // Many with common words and few with rare ones, as names are.
    let fill = format!(
        "insert into pupil_record (record_id, record_key, full_name, full_name_words, {columns})
         select gen_random_uuid(), 'Z' || n, 'Trần', array_to_tsvector(array['tran', 'thi', 'w' || n % 2000]), {columns}
         from pupil_record, generate_series(1, 20000) n"
    );
    sqlx::query(AssertSqlSafe(fill)).execute(&hub.pool).await.unwrap();
    sqlx::query("analyze pupil_record").execute(&hub.pool).await.unwrap();
    let plan = "explain select record_id from pupil_record
        where full_name_words @@ '''huong'':* & ''nguyen'':*'::tsquery and not withdrawn limit 1001";
    let lines = sqlx::query(plan).fetch_all(&hub.pool).await.unwrap();
    let plan: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
    assert!(plan.iter().any(|line| line.contains("pupil_record_full_name_words")), "{plan:#?}");
    // The sealed secret is of one key alone: it opens under no other.
    let basic = Persona::admin().max_class(Sensitivity::Basic);
    assert_eq!(names(&hub, &basic, asked("huong nguyen")).await, ["Nguyễn Thị Hương"]);
    let found = search(&hub, &basic, asked("tran")).await.unwrap();
    assert_eq!((found.records.len(), found.more), (20, true));
}
