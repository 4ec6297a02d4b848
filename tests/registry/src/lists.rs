//! Code lists as versioned resources: import, reading as of a version and a day, codes in use, other processes, the feed.
use crate::{
    hub::{Hub, SCHOOL, SOON},
    make::{self, Wrap},
    pushing::{findings, push_one, refusal},
};
use eduhub_auth::testing::Persona;
use eduhub_faults::Reason;
use eduhub_proto::{
    common::v1::BatchReply,
    registry::v1::{
        Code, CodeList, CodeListImportMode, GetCodeListRequest, ImportCodeListRequest,
        ImportCodeListResponse, ListCodeListVersionsRequest, ListCodesRequest,
    },
};
use sha2::{Digest, Sha256};
use tonic::{Code as Status, Response};
use tonic_types::StatusExt;

const LIST: &str = "DM_NUOC";

pub fn code(code: &str, name: &str, valid_to: &str) -> Code {
    Code { code: code.into(), name: name.into(), valid_to: valid_to.into(), ..Code::default() }
}

pub fn some(list: &str, codes: Vec<Code>) -> ImportCodeListRequest {
    let mode = CodeListImportMode::Partial as i32;
    ImportCodeListRequest { list: list.into(), codes, mode, note: "thử".into(), ..Default::default() }
}

fn whole(list: &str, codes: Vec<Code>) -> ImportCodeListRequest {
    ImportCodeListRequest { mode: CodeListImportMode::Whole as i32, ..some(list, codes) }
}

pub async fn import(hub: &Hub, request: ImportCodeListRequest) -> ImportCodeListResponse {
    hub.codes(&Persona::admin()).import_code_list(request).await.unwrap().into_inner()
}

async fn get(hub: &Hub, list: &str, version: i64, on: &str) -> CodeList {
    let request = GetCodeListRequest { list: list.into(), version, on: on.into() };
    hub.codes(&Persona::consumer()).get_code_list(request).await.map(Response::into_inner).unwrap()
}

fn names(list: &CodeList) -> Vec<String> {
    list.codes.iter().map(|c| format!("{} {} {}", c.code, c.name, c.valid_to)).collect()
}

async fn push_from(hub: &Hub, country: &str) -> BatchReply {
    let mut pupil = make::pupil(1);
    pupil.nationality = Some(country.into());
    push_one(hub, SCHOOL, vec![pupil.wrap()]).await
}

/// Waits until a record with this country is taken, or refused, as expected.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let tried = tokio::time::timeout(SOON, async {
        while !holds().await {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    tried.await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn an_import_is_a_version_that_can_be_read_for_ever() {
    let hub = Hub::start().await;
    let before = get(&hub, LIST, 0, "").await.version.unwrap();
    assert_eq!((before.changed_by.as_str(), before.codes), ("eduhub", 249));
    let made = import(&hub, some(LIST, vec![code("ZZ", "Xứ lạ", ""), code("VN", "Việt Nam ta", "")])).await;
    let version = made.version.unwrap();
    assert!(made.changed && version.version > before.version);
    assert_eq!((version.added, version.changed, version.ended, version.codes), (1, 1, 0, 250));
    assert_eq!(version.note, "thử");
    // The same again is the same version.
    let again = import(&hub, some(LIST, vec![code("ZZ", "Xứ lạ", "")])).await;
    assert_eq!((again.changed, again.version.as_ref().unwrap().version), (false, version.version));
    let ended = import(&hub, some(LIST, vec![code("ZZ", "Xứ lạ", "2026-12-31")])).await.version.unwrap();
    // Three states, each as it was.
    let has = |list: &CodeList, line: &str| names(list).contains(&line.to_owned());
    let (first, second) =
        (get(&hub, LIST, before.version, "").await, get(&hub, LIST, version.version, "").await);
    assert!(!names(&first).iter().any(|n| n.starts_with("ZZ")) && !has(&first, "VN Việt Nam ta "));
    assert!(has(&second, "ZZ Xứ lạ ") && has(&second, "VN Việt Nam ta "));
    assert!(has(&get(&hub, LIST, 0, "").await, "ZZ Xứ lạ 2026-12-31"));
    // And as of a day.
    let valid = async |on: &str| names(&get(&hub, LIST, 0, on).await).iter().any(|n| n.starts_with("ZZ"));
    assert!(valid("2026-12-31").await && !valid("2027-01-01").await);
    let request = ListCodeListVersionsRequest { list: LIST.into(), page_size: 2, ..Default::default() };
    let mut client = hub.codes(&Persona::consumer());
    let page = client.list_code_list_versions(request.clone()).await.unwrap().into_inner();
    let numbers: Vec<i64> = page.versions.iter().map(|v| v.version).collect();
    assert_eq!(numbers, [ended.version, version.version]);
    let rest = ListCodeListVersionsRequest { page_token: page.next_page_token, ..request };
    let rest = client.list_code_list_versions(rest).await.unwrap().into_inner();
    assert_eq!(rest.versions, [before]);
    assert_eq!(rest.next_page_token, "");
}

/// The digest of every version, seeds included, is what the manual says of its entries.
#[tokio::test]
async fn the_digest_of_a_list_can_be_computed_from_its_entries() {
    let hub = Hub::start().await;
    import(&hub, some(LIST, vec![code("ZZ", "Xứ lạ", "2026-12-31")])).await;
    for list in [LIST, "DM_XA", "DM_TINH", "DM_HUYEN", "DM_DAN_TOC"] {
        let list = get(&hub, list, 0, "").await;
        let mut hash = Sha256::new();
        for c in &list.codes {
            hash.update(format!("{}\t{}\t{}\t{}\n", c.code, c.name, c.valid_from, c.valid_to));
        }
        assert_eq!(list.version.unwrap().digest, hash.finalize().to_vec());
    }
}

#[tokio::test]
async fn a_file_with_mistakes_changes_nothing_and_names_them_all() {
    let hub = Hub::start().await;
    let bad = vec![code("vn", "", ""), code("ZZ", "Xứ lạ", "31/12"), code("ZZ", "Xứ lạ", "")];
    let tried = ImportCodeListRequest { validate_only: true, ..some(LIST, bad.clone()) };
    let tried = import(&hub, tried).await;
    let told: Vec<_> = tried.mistakes.iter().map(|m| (m.row, m.field.as_str(), m.value.as_str())).collect();
    assert_eq!(told, [(0, "code", "vn"), (0, "name", ""), (1, "valid_to", "31/12")]);
    let mut admin = hub.codes(&Persona::admin());
    let status = admin.import_code_list(some(LIST, bad)).await.unwrap_err();
    assert_eq!(refusal::<()>(Err(status.clone())), (Status::InvalidArgument, Reason::InvalidRequest));
    let fields: Vec<_> =
        status.get_details_bad_request().unwrap().field_violations.into_iter().map(|v| v.field).collect();
    assert_eq!(fields, ["codes[0].code", "codes[0].name", "codes[1].valid_to"]);
    for list in ["DM_XA", "DM_KHONG_CO"] {
        let refused = admin.import_code_list(some(list, vec![code("01", "Một", "")])).await;
        assert_eq!(refusal(refused), (Status::InvalidArgument, Reason::InvalidRequest), "{list}");
    }
    assert_eq!(hub.count("select count(*) from code_list_change where changed_by <> 'eduhub'").await, 0);
    let seen =
        ImportCodeListRequest { expected_version: 999, ..some(LIST, vec![code("ZZ", "Xứ lạ", "")]) };
    assert_eq!(refusal(admin.import_code_list(seen).await), (Status::Aborted, Reason::Conflict));
}

#[tokio::test]
async fn a_code_in_use_is_not_dropped_without_a_last_day() {
    let hub = Hub::start().await;
    push_from(&hub, "VN").await;
    let all = get(&hub, LIST, 0, "").await.codes;
    let bare = |c: &Code| code(&c.code, &c.name, &c.valid_to);
    let without = |gone: &[&str]| all.iter().filter(|c| !gone.contains(&c.code.as_str())).map(bare).collect();
    // Nobody is from SU: it ends by being left out. VN is in use.
    let tried = ImportCodeListRequest { validate_only: true, ..whole(LIST, without(&["VN", "AF"])) };
    let tried = import(&hub, tried).await;
    assert_eq!((tried.mistakes.len(), tried.mistakes[0].value.as_str()), (1, "VN"));
    assert!(tried.mistakes[0].message_en.contains("1 live records"), "{}", tried.mistakes[0].message_en);
    let mut admin = hub.codes(&Persona::admin());
    let refused = admin.import_code_list(whole(LIST, without(&["VN", "AF"]))).await;
    assert_eq!(refusal(refused), (Status::InvalidArgument, Reason::InvalidRequest));
    let done = import(&hub, whole(LIST, without(&["AF"]))).await.version.unwrap();
    assert_eq!((done.changed, done.ended, done.codes), (1, 1, 249));
    let last = get(&hub, LIST, 0, "").await.codes.into_iter().find(|c| c.code == "AF").unwrap();
    assert_eq!(last.valid_to, "2026-11-21", "the day before the import");
    // Rooms are facility's: what its lists are used for can't be looked up here.
    let rooms = get(&hub, "DM_LOAI_PHONG", 0, "").await.codes;
    let fewer = ImportCodeListRequest {
        validate_only: true,
        ..whole("DM_LOAI_PHONG", rooms.iter().skip(1).map(bare).collect())
    };
    assert_eq!(import(&hub, fewer).await.mistakes.len(), 1);
}

#[tokio::test]
async fn a_new_version_is_in_force_in_every_process_within_seconds() {
    let hub = Hub::start().await;
    let other = hub.replica(None).await;
    for process in [&hub, &other] {
        assert_eq!(findings(&push_from(process, "ZZ").await)[0].0, Reason::UnknownCode);
    }
    import(&hub, some(LIST, vec![code("ZZ", "Xứ lạ", "")])).await;
    for process in [&hub, &other] {
        let taken =
            async || findings(&push_from(process, "ZZ").await).iter().all(|f| f.0 != Reason::UnknownCode);
        until("the new code is not taken", taken).await;
    }
    import(&other, some(LIST, vec![code("ZZ", "Xứ lạ", "2026-11-21")])).await;
    for process in [&hub, &other] {
        let retired =
            async || findings(&push_from(process, "ZZ").await).iter().any(|f| f.0 == Reason::RetiredCode);
        until("the ended code is still taken", retired).await;
    }
}

#[tokio::test]
async fn who_has_the_newest_version_gets_an_empty_answer() {
    let hub = Hub::start().await;
    let mut client = hub.codes(&Persona::consumer());
    let all = client.list_codes(ListCodesRequest::default()).await.unwrap().into_inner();
    assert!(all.codes.len() > 10_000 && all.version > 0);
    let known = ListCodesRequest { known_version: all.version, ..Default::default() };
    let nothing = client.list_codes(known.clone()).await.unwrap().into_inner();
    assert_eq!((nothing.codes.len(), nothing.version), (0, all.version));
    import(&hub, some(LIST, vec![code("ZZ", "Xứ lạ", "")])).await;
    assert!(!client.list_codes(known).await.unwrap().into_inner().codes.is_empty());
}

#[tokio::test]
async fn a_list_that_the_department_imported_is_not_touched_by_a_new_seed() {
    let hub = Hub::start().await;
    import(&hub, some("DM_TON_GIAO", vec![code("98", "Tôn giáo mới", "")])).await;
    let before = get(&hub, "DM_TON_GIAO", 0, "").await;
    // As if an older hub had not known this one.
    sqlx::query("delete from code where list = 'DM_TON_GIAO' and code = '12'")
        .execute(&hub.pool)
        .await
        .unwrap();
    eduhub_registry::app::migrate(&hub.pool).await.unwrap();
    let after = get(&hub, "DM_TON_GIAO", 0, "").await;
    assert_eq!((after.codes.len(), after.version), (before.codes.len() - 1, before.version));
}
