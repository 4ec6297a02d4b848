//! `eduhub push --sync`: after it the hub holds what the file has, and only differences travelled.
use crate::{
    hub::{Hub, OTHER, SCHOOL, YEAR},
    make::{self, Wrap},
    pushing::push_one,
};
use eduhub_auth::testing::Persona;
use eduhub_cli::{
    hub::Registry,
    lines::Lines,
    push::{Job, JsonLines, SyncError, SyncOptions, Synced, sync_school},
    server::{Proof, Server, Session},
};
use eduhub_proto::{
    common::v1::{Kind, PushCounts, PushMode},
    registry::v1::Record,
};
use eduhub_runtime::client::{ClientTls, channel};
use std::path::PathBuf;
use tempfile::TempDir;

/// A vendor's machine: the program, signed in, and the file of its nightly export.
pub struct Vendor {
    server: Server,
    dir: TempDir,
}

impl Vendor {
    pub async fn of(hub: &Hub, school: &str) -> Self {
        let (url, tls) = (hub.running.url(), ClientTls::default());
        let token = hub.mint.token(&Persona::vendor(school)).unwrap();
        let signed_in =
            Session::sign_in(channel(&url, &tls).unwrap(), Proof::Token(token.into())).await.unwrap();
        Self { server: Server::new(&url, tls, signed_in), dir: TempDir::new().unwrap() }
    }

    fn file(&self, records: &[Record]) -> PathBuf {
        let (path, mut text) = (self.dir.path().join("export.jsonl"), Vec::new());
        let lines = Lines::<Record>::new("eduhub.registry.v1.Record").unwrap();
        records.iter().for_each(|r| lines.write(&mut text, r).unwrap());
        std::fs::write(&path, text).unwrap();
        path
    }

    pub async fn try_sync(&self, records: &[Record], options: &SyncOptions) -> Result<Synced, SyncError> {
        let job = Job { batch: 10, ..Job::new(SCHOOL, YEAR) };
        let source = JsonLines::<Registry>::new(self.file(records));
        sync_school::<Registry>(&self.server, &job, options, source, |_| {}).await
    }

    async fn sync(&self, records: &[Record]) -> Synced {
        self.try_sync(records, &SyncOptions::default()).await.unwrap()
    }
}

fn totals(synced: &Synced) -> PushCounts {
    synced.push.as_ref().unwrap().receipt.totals.unwrap()
}

/// Compared, sent, withdrawn.
pub fn sums(synced: &Synced) -> (u64, u64, u64) {
    (synced.sum(|k| k.compared), synced.sum(|k| k.sent), synced.sum(|k| k.withdrawn))
}

#[tokio::test]
async fn only_differences_travel_and_afterwards_nothing_differs() {
    let hub = Hub::start().await;
    let vendor = Vendor::of(&hub, SCHOOL).await;
    push_one(&hub, OTHER, make::small_school(1..5)).await;
    let mut file = make::small_school(1..60);
    file.push(make::staff(1).wrap());
    let first = vendor.sync(&file).await;
    assert_eq!((sums(&first), totals(&first).created), ((121, 121, 0), 121));

    let entries = hub.count("select count(*) from change_log").await;
    let sessions = hub.count("select count(*) from push_session").await;
    let again = vendor.sync(&file).await;
    assert_eq!(sums(&again), (121, 0, 0));
    assert!(again.push.is_none());
    assert_eq!(
        hub.count("select count(*) from push_session").await,
        sessions,
        "nothing differs, nothing is opened"
    );

    // One changed, one new, one gone with its enrolment, one in another class.
    file.push(make::class("6A2").wrap());
    for record in &mut file {
        match &mut record.record {
            Some(eduhub_proto::registry::v1::record::Record::Pupil(p)) if p.student_code == make::code(7) => {
                p.contact_phone = Some("0987654321".into());
            }
            Some(eduhub_proto::registry::v1::record::Record::Enrolment(e))
                if e.student_code == make::code(8) =>
            {
                e.class_code = "6A2".into();
            }
            _ => {}
        }
    }
    let gone = |r: &Record| *r == make::pupil(9).wrap() || *r == make::enrolment(9, "6A1").wrap();
    file.retain(|r| !gone(r));
    let third = vendor.sync(&file).await;
    assert_eq!(sums(&third), (120, 3, 2));
    let c = totals(&third);
    assert_eq!((c.created, c.updated, c.unchanged, c.withdrawn, c.rejected), (1, 2, 0, 2, 0));
    assert_eq!(hub.count("select count(*) from change_log").await, entries + 5);
    // The child went before its parent.
    let withdrawn = "select string_agg(kind::text, ' ' order by xid, seq) from change_log where op = 2";
    let order: String = sqlx::query_scalar(withdrawn).fetch_one(&hub.pool).await.unwrap();
    assert_eq!(order, format!("{} {}", Kind::Enrolment as i32, Kind::Pupil as i32));

    assert_eq!(sums(&vendor.sync(&file).await), (120, 0, 0));
    let other = "select count(*) from pupil_record where school_code = '37143300001' and not withdrawn";
    assert_eq!(hub.count(other).await, 4, "another school's records are none of its business");
}

#[tokio::test]
async fn a_file_that_was_cut_off_does_not_empty_the_hub() {
    let hub = Hub::start().await;
    let vendor = Vendor::of(&hub, SCHOOL).await;
    let file = make::small_school(1..21);
    vendor.sync(&file).await;
    let before = hub.rows().await;
    // Nine of twenty pupils and enrolments are left.
    let error = vendor.try_sync(&file[..20], &SyncOptions::default()).await.unwrap_err();
    let SyncError::Shrinks(kinds) = &error else { panic!("{error}") };
    assert_eq!(
        kinds.iter().map(|k| (k.kind, k.withdrawn, k.hub_records)).collect::<Vec<_>>(),
        [(Kind::Pupil, 11, 20), (Kind::Enrolment, 11, 20)]
    );
    let told = "nothing was sent: 11 of the 20 records of KIND_PUPIL that the hub holds would be withdrawn; ";
    assert!(error.to_string().starts_with(told), "{error}");
    assert!(error.to_string().ends_with("say --allow-shrink"), "{error}");
    assert_eq!(hub.rows().await, before);

    // Half of them is not more than half.
    assert_eq!(sums(&vendor.sync(&file[..22]).await), (22, 0, 20));
    let meant = SyncOptions { allow_shrink: true, ..Default::default() };
    assert_eq!(sums(&vendor.try_sync(&file[..4], &meant).await.unwrap()), (4, 0, 18));
}

#[tokio::test]
async fn kinds_that_the_file_has_nothing_of_are_left_alone_unless_they_are_named() {
    let hub = Hub::start().await;
    let vendor = Vendor::of(&hub, SCHOOL).await;
    let file = make::small_school(1..4);
    push_one(&hub, SCHOOL, [file.clone(), vec![make::staff(1).wrap(), make::health(1).wrap()]].concat())
        .await;
    assert_eq!(sums(&vendor.sync(&file).await), (8, 0, 0));
    let named = SyncOptions { kinds: vec![Kind::Health], ..Default::default() };
    assert!(matches!(vendor.try_sync(&file, &named).await, Err(SyncError::Shrinks(_))));
    let meant = SyncOptions { allow_shrink: true, ..named };
    assert_eq!(sums(&vendor.try_sync(&file, &meant).await.unwrap()), (8, 0, 1));
    assert_eq!(hub.count("select count(*) from health_record where not withdrawn").await, 0);
    assert_eq!(hub.count("select count(*) from staff_record where not withdrawn").await, 1);
}

#[tokio::test]
async fn what_is_held_or_disputed_is_sent_every_time_and_what_is_written_twice_is_not() {
    let hub = Hub::start().await;
    let vendor = Vendor::of(&hub, SCHOOL).await;
    let mut file = make::small_school(1..4);
    file.push(make::enrolment(4, "9Z9").wrap());
    file.push(make::pupil(1).wrap());
    let first = vendor.sync(&file).await;
    assert_eq!((sums(&first), totals(&first).held), ((9, 9, 0), 1));
    let second = vendor.sync(&file).await;
    assert_eq!((sums(&second), totals(&second).held), ((9, 1, 0), 1));
    // Two images of one key: both are sent, and the hub says what is wrong with them.
    let mut twice = make::pupil(2);
    twice.area = Some("2".into());
    file.push(twice.wrap());
    let third = vendor.sync(&file).await;
    assert_eq!((sums(&third).1, totals(&third).rejected), (3, 1));
}

#[tokio::test]
async fn validation_of_the_differences_writes_nothing() {
    let hub = Hub::start().await;
    let vendor = Vendor::of(&hub, SCHOOL).await;
    let file = make::small_school(1..8);
    vendor.sync(&file).await;
    let before = hub.rows().await;
    let job = Job { mode: PushMode::ValidateOnly, ..Job::new(SCHOOL, YEAR) };
    let source = JsonLines::<Registry>::new(vendor.file(&[&file[..15], &[make::pupil(50).wrap()]].concat()));
    let options = SyncOptions::default();
    let synced = sync_school::<Registry>(&vendor.server, &job, &options, source, |_| {}).await.unwrap();
    let c = totals(&synced);
    assert_eq!((c.created, c.withdrawn), (1, 1));
    assert_eq!(hub.rows().await, before);
}

#[tokio::test]
async fn the_command_syncs_a_file() {
    use clap::Parser;
    let hub = Hub::start().await;
    let vendor = Vendor::of(&hub, SCHOOL).await;
    let token = vendor.dir.path().join("token");
    std::fs::write(&token, hub.mint.token(&Persona::vendor(SCHOOL)).unwrap()).unwrap();
    for (records, expected) in [(make::small_school(1..11), 10), (make::small_school(2..11), 9)] {
        let (file, url, year) = (vendor.file(&records), hub.running.url(), YEAR.to_string());
        let (file, token) = (file.to_str().unwrap(), token.to_str().unwrap());
        let words = ["eduhub", "push", "--sync", "--server", &url, "--school", SCHOOL, "--year", &year];
        let words = words.into_iter().chain(["--file", file, "--token-file", token]);
        let command = eduhub_cli::commands::Cli::parse_from(words);
        // The command makes a runtime of its own.
        let code = tokio::task::spawn_blocking(|| command.run()).await.unwrap().unwrap();
        assert_eq!(format!("{code:?}"), format!("{:?}", std::process::ExitCode::SUCCESS));
        assert_eq!(hub.count("select count(*) from pupil_record where not withdrawn").await, expected);
    }
}
