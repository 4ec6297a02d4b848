//! Registration of a list of schools: levels of inter-level schools, campuses, trials, mistakes; and from a file by the command.
use crate::{
    hub::{COMMUNE, Hub, OTHER, SCHOOL, school},
    make::{self, Wrap},
    pushing::{findings, push_one, refusal},
};
use clap::Parser;
use eduhub_auth::testing::Persona;
use eduhub_cli::commands::Cli;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::Level,
    registry::v1::{
        CampusEntry, GetSchoolRequest, ListRegisteredCampusesRequest, RegisterSchoolsRequest,
        RegisterSchoolsResponse, School, SchoolEntry,
    },
};
use std::{path::Path, process::ExitCode};
use tonic::{Code, Status};

const INTER: &str = "37143290777";

fn campus(code: &str) -> CampusEntry {
    CampusEntry {
        school_code: INTER.into(),
        campus_code: code.into(),
        name: format!("Điểm trường {code}"),
        commune_code: COMMUNE.into(),
        address_line: "Thôn Đông".into(),
        has_record: false,
    }
}

fn inter_level() -> SchoolEntry {
    let levels = [Level::LowerSecondary, Level::Primary].map(|l| l as i32).to_vec();
    SchoolEntry { levels, ownership: "1".into(), ..school(INTER, COMMUNE) }
}

async fn register(hub: &Hub, request: RegisterSchoolsRequest) -> Result<RegisterSchoolsResponse, Status> {
    Ok(hub.schools(&Persona::admin()).register_schools(request).await?.into_inner())
}

async fn get(hub: &Hub, code: &str) -> SchoolEntry {
    let request = GetSchoolRequest { school_code: code.into() };
    hub.schools(&Persona::admin()).get_school(request).await.unwrap().into_inner()
}

fn counts(r: &RegisterSchoolsResponse) -> [u32; 6] {
    [r.created, r.updated, r.unchanged, r.campuses_created, r.campuses_updated, r.campuses_unchanged]
}

#[tokio::test]
async fn an_inter_level_school_has_all_its_levels_before_its_classes_come() {
    let hub = Hub::start().await;
    register(&hub, RegisterSchoolsRequest { schools: vec![inter_level()], ..Default::default() })
        .await
        .unwrap();
    let entry = get(&hub, INTER).await;
    let both = [Level::Primary as i32, Level::LowerSecondary as i32];
    assert_eq!(
        (entry.level(), entry.levels.as_slice(), entry.ownership.as_str()),
        (Level::LowerSecondary, &both[..], "1")
    );
    assert_eq!(get(&hub, SCHOOL).await.levels, [Level::LowerSecondary as i32]);
    // `DIEN_TICH` exists at primary level and not at lower secondary (QĐ 4998).
    let with_area = |code: &str| School { area_m2: Some(5000.0), ..make::school(code) }.wrap();
    let early = async |code: &str| {
        let told = findings(&push_one(&hub, code, vec![with_area(code)]).await);
        told.iter().any(|(reason, field)| *reason == Reason::NotAtLevel && field == "area_m2")
    };
    assert!(early(OTHER).await && !early(INTER).await);
}

#[tokio::test]
async fn campuses_are_registered_and_refined_by_records() {
    let hub = Hub::start().await;
    let both = RegisterSchoolsRequest {
        schools: vec![inter_level()],
        campuses: vec![campus("01"), campus("CS1")],
        validate_only: false,
    };
    let tried = register(&hub, RegisterSchoolsRequest { validate_only: true, ..both.clone() }).await.unwrap();
    assert_eq!(counts(&tried), [1, 0, 0, 2, 0, 0]);
    let absent = GetSchoolRequest { school_code: INTER.into() };
    let absent = hub.schools(&Persona::admin()).get_school(absent).await;
    assert_eq!(refusal(absent), (Code::NotFound, Reason::SchoolNotFound), "a trial registers nothing");
    assert_eq!(counts(&register(&hub, both.clone()).await.unwrap()), [1, 0, 0, 2, 0, 0]);
    assert_eq!(counts(&register(&hub, both).await.unwrap()), [0, 0, 1, 0, 0, 2]);
    let moved = CampusEntry { name: "Điểm trường thôn Tây".into(), ..campus("CS1") };
    let moved = RegisterSchoolsRequest { campuses: vec![moved], ..Default::default() };
    assert_eq!(counts(&register(&hub, moved).await.unwrap()), [0, 0, 0, 0, 1, 0]);
    push_one(&hub, INTER, vec![make::campus().wrap()]).await;
    let listed = async |persona: Persona| {
        let request = ListRegisteredCampusesRequest { school_code: INTER.into() };
        Ok::<_, Status>(hub.schools(&persona).list_registered_campuses(request).await?.into_inner().campuses)
    };
    let campuses = listed(Persona::vendor(INTER)).await.unwrap();
    let told: Vec<_> = campuses.iter().map(|c| (c.campus_code.as_str(), c.has_record)).collect();
    assert_eq!(told, [("01", false), ("CS1", true)]);
    assert_eq!(refusal(listed(Persona::vendor(SCHOOL)).await), (Code::NotFound, Reason::SchoolNotFound));
}

#[tokio::test]
async fn a_list_with_mistakes_registers_nothing() {
    let hub = Hub::start().await;
    let bad = RegisterSchoolsRequest {
        schools: vec![inter_level(), SchoolEntry { ownership: "9".into(), ..school("37143290778", "99999") }],
        campuses: vec![CampusEntry { school_code: "37999999999".into(), ..campus("01") }],
        validate_only: false,
    };
    let refused = register(&hub, bad.clone()).await;
    assert_eq!(refusal(refused), (Code::InvalidArgument, Reason::InvalidRequest));
    assert_eq!(hub.count_of("school").await, 2);
    let told = register(&hub, RegisterSchoolsRequest { validate_only: true, ..bad }).await.unwrap();
    let fields: Vec<_> = told.mistakes.iter().map(|m| (m.row, m.field.as_str())).collect();
    assert_eq!(fields, [(1, "commune_code"), (1, "ownership")]);
    assert_eq!(told.campus_mistakes.len(), 1);
    // A thousand mistakes still come as one answer, not as a broken header.
    let many = (0..1_000).map(|n| school(&format!("3714329{n:04}"), "99999")).collect();
    let many = RegisterSchoolsRequest { schools: many, validate_only: true, ..Default::default() };
    assert_eq!(register(&hub, many.clone()).await.unwrap().mistakes.len(), 1_000);
    let refused = register(&hub, RegisterSchoolsRequest { validate_only: false, ..many }).await;
    assert_eq!(refusal(refused), (Code::InvalidArgument, Reason::InvalidRequest));
}

/// The command as a program runs it, with the administrator's token.
async fn command(hub: &Hub, dir: &Path, words: &[&str]) -> Result<(), String> {
    let token = dir.join("token");
    let bearer = hub.mint.token(&Persona::admin()).unwrap();
    std::fs::write(&token, bearer).unwrap();
    let url = hub.running.url();
    let mut all = vec!["eduhub"];
    all.extend(words);
    let token = token.display().to_string();
    all.extend(["--registry-url", &url, "--token-file", &token]);
    let cli = Cli::try_parse_from(all).unwrap();
    // It makes a runtime of its own.
    let done = tokio::task::spawn_blocking(move || cli.run()).await.unwrap();
    done.map(|code| assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS)))
        .map_err(|e| format!("{e:#}"))
}

const HEADS: &str = "STT\tMã trường\tTên trường\tCấp học\tXã/Phường\tLoại hình\tCơ quan quản lý trực tiếp\n";

#[tokio::test]
async fn one_command_registers_the_schools_and_campuses_of_a_file() {
    let hub = Hub::start().await;
    let dir = tempfile::tempdir().unwrap();
    let (schools, campuses) = (dir.path().join("truong.tsv"), dir.path().join("diem-truong.tsv"));
    let rows = "1\t37143290777\tTrường TH và THCS Hoa Lư\tTH, THCS\tHoa Lư\tCông lập\tUBND phường\n\
                2\t37146200002\tTrường THPT Kim Sơn A\tTHPT\t14620\tCông lập\tSở GDĐT\n";
    std::fs::write(&schools, format!("DANH SÁCH TRƯỜNG\n{HEADS}{rows}")).unwrap();
    let head = "Mã trường\tMã điểm trường\tTên điểm trường\tXã/Phường\n";
    std::fs::write(&campuses, format!("{head}37143290777\t01\tĐiểm trường thôn Đông\tPhường Hoa Lư\n"))
        .unwrap();
    let (schools, campuses) = (schools.display().to_string(), campuses.display().to_string());
    let words = ["admin", "import-schools", &schools, "--campuses", &campuses];
    command(&hub, dir.path(), &[&words[..], &["--dry-run"]].concat()).await.unwrap();
    assert_eq!(hub.count_of("school").await, 2, "a dry run registers nothing");
    for _ in 0..2 {
        command(&hub, dir.path(), &words).await.unwrap();
        assert_eq!((hub.count_of("school").await, hub.count_of("registered_campus").await), (4, 1));
    }
    let entry = get(&hub, INTER).await;
    let both = [Level::Primary as i32, Level::LowerSecondary as i32];
    assert_eq!(
        (entry.level(), entry.levels.as_slice(), entry.directly_managed),
        (Level::LowerSecondary, &both[..], false)
    );
    assert_eq!((entry.commune_code.as_str(), entry.ownership.as_str()), (COMMUNE, "1"));
    let upper = get(&hub, "37146200002").await;
    assert_eq!((upper.level(), upper.directly_managed), (Level::UpperSecondary, true));
}

#[tokio::test]
async fn a_file_with_a_mistake_registers_nothing() {
    let hub = Hub::start().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("truong.csv");
    let rows = "1\t37143290777\tTrường A\tTHCS\tHoa Lư\t\txã\n2\t37143290778\tTrường B\tTHCS\t14332\t\txã\n";
    std::fs::write(&file, format!("{HEADS}{rows}").replace('\t', ";")).unwrap();
    let name = file.display().to_string();
    let refused = command(&hub, dir.path(), &["admin", "import-schools", &name]).await.unwrap_err();
    assert!(refused.contains("1 mistakes, nothing was registered"), "{refused}");
    // A code that only the registry can judge.
    std::fs::write(
        &file,
        format!("{HEADS}{rows}").replace("14332", "14329").replace("37143290778", "12").replace('\t', ";"),
    )
    .unwrap();
    let refused = command(&hub, dir.path(), &["admin", "import-schools", &name]).await.unwrap_err();
    assert!(refused.contains("1 mistakes, nothing was registered"), "{refused}");
    assert_eq!(hub.count_of("school").await, 2);
}

/// A list goes out to a file and comes in again, changed.
#[tokio::test]
async fn a_code_list_goes_round_through_a_file() {
    let hub = Hub::start().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("list.tsv");
    let name = file.display().to_string();
    command(&hub, dir.path(), &["codes", "export", "DM_TON_GIAO", "--to", &name]).await.unwrap();
    let mut text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().count(), 16);
    let changed =
        async || hub.count("select count(*) from code_list_change where changed_by <> 'eduhub'").await;
    command(&hub, dir.path(), &["codes", "import", "DM_TON_GIAO", &name]).await.unwrap();
    assert_eq!(changed().await, 0, "what it was is no new version");
    text.push_str("DM_TON_GIAO\t98\tTôn giáo mới\t\t2030-12-31\n");
    std::fs::write(&file, &text).unwrap();
    command(&hub, dir.path(), &["codes", "import", "DM_TON_GIAO", &name, "--note", "QĐ 1/2026"])
        .await
        .unwrap();
    assert_eq!(changed().await, 1);
    std::fs::write(&file, text.replace("2030-12-31", "2030")).unwrap();
    let refused = command(&hub, dir.path(), &["codes", "import", "DM_TON_GIAO", &name]).await.unwrap_err();
    assert!(refused.contains("1 mistakes, nothing was changed"), "{refused}");
    let map = dir.path().join("map.csv");
    std::fs::write(&map, "value,code\n1,1\n0,2\n").unwrap();
    let map = map.display().to_string();
    let words = ["codes", "map", "--vendor", "SMAS", "--list", "DM_GIOI_TINH"];
    command(&hub, dir.path(), &[&words[..], &["--file", &map]].concat()).await.unwrap();
    assert_eq!(hub.count_of("code_mapping").await, 2);
    for words in [
        &words[..],
        &["codes", "list"],
        &["codes", "get", "DM_GIOI_TINH"],
        &["admin", "units", "convert", "14332"],
    ] {
        command(&hub, dir.path(), words).await.unwrap();
    }
}
