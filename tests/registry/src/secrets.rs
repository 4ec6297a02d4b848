//! Personal IDs are in the clear nowhere: not in a table, not in a log.
use crate::{
    hub::{Hub, OTHER, SCHOOL},
    make::{self, Wrap},
    pushing::push_one,
};
use eduhub_proto::registry::v1::Pupil;
use sqlx::{AssertSqlSafe, Row};
use std::{
    io::Write,
    sync::{Arc, Mutex},
};
use tracing::instrument::WithSubscriber;

/// Every text and bytes value of the database, with the place where it stands. Arrays, JSON and dates as text.
async fn dump(hub: &Hub) -> Vec<(String, Vec<u8>)> {
    let columns = sqlx::query(
        "select table_name::text, column_name::text, data_type::text from information_schema.columns
         where table_schema = 'public' order by 1, 2",
    )
    .fetch_all(&hub.pool)
    .await
    .unwrap();
    let mut all = Vec::new();
    for c in columns {
        let (table, column, ty): (String, String, String) = (c.get(0), c.get(1), c.get(2));
        let value =
            if ty == "bytea" { column.clone() } else { format!("convert_to({column}::text, 'UTF8')") };
        let sql = format!("select {value} from {table} where {column} is not null");
        for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(&hub.pool).await.unwrap() {
            all.push((format!("{table}.{column}"), row.get(0)));
        }
    }
    all
}

fn holds(value: &[u8], digits: &str) -> bool {
    value.windows(digits.len()).any(|w| w == digits.as_bytes())
}

/// Records with IDs in every state that the hub knows: stored, superseded, refused, doubtful, duplicate, waiting.
async fn fill(hub: &Hub) -> Vec<String> {
    let other = |n: u32, id: u32| Pupil { personal_id: Some(make::personal_id(id)), ..make::pupil(n) };
    push_one(hub, SCHOOL, vec![make::pupil(1).wrap(), make::staff(1).wrap(), other(2, 20).wrap()]).await;
    push_one(hub, SCHOOL, vec![other(2, 21).wrap(), other(3, 1).wrap()]).await;
    push_one(hub, OTHER, vec![other(4, 1).wrap()]).await;
    let short = Pupil { personal_id: Some("03731500009".into()), ..make::pupil(5) };
    let letters = Pupil { personal_id: Some("O37315000098".into()), ..make::pupil(6) };
    let boy = Pupil { sex: "1".into(), ..other(7, 70) };
    push_one(hub, SCHOOL, vec![short.wrap(), letters.wrap(), boy.wrap(), make::enrolment(8, "6A1").wrap()])
        .await;
    let mut digits: Vec<String> = [1, 20, 21, 70].map(make::personal_id).to_vec();
    digits.extend(["037085000001", "03731500009", "37315000098"].map(str::to_owned));
    digits
}

#[tokio::test]
async fn no_table_holds_a_personal_id_in_the_clear() {
    let hub = Hub::start().await;
    let digits = fill(&hub).await;
    let all = dump(&hub).await;
    assert!(all.iter().any(|(_, v)| holds(v, "HS000001")), "the search finds what is there");
    assert!(all.iter().any(|(place, _)| place == "pupil_record.secret"));
    assert!(all.iter().any(|(place, _)| place == "change_log.before_secret"));
    for id in &digits {
        let places: Vec<_> = all.iter().filter(|(_, v)| holds(v, id)).map(|(place, _)| place).collect();
        assert_eq!(places, Vec::<&String>::new(), "{id}");
    }
    // Equal numbers of two persons look different at rest; only the keyed index is the same.
    let secrets: Vec<&Vec<u8>> =
        all.iter().filter(|(p, _)| p == "pupil_record.secret").map(|(_, v)| v).collect();
    let distinct: std::collections::HashSet<_> = secrets.iter().collect();
    assert_eq!(secrets.len(), distinct.len());
}

/// A log that a test can read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_log_line_holds_a_personal_id_or_a_name() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _on = tracing::subscriber::set_default(subscriber);
    // One thread: everything that the service does logs here.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let digits = runtime.block_on(
        async {
            let hub = Hub::start().await;
            let mut digits = fill(&hub).await;
            // A database that fails in the middle of a batch is logged too.
            let broken = "alter table change_log add constraint t check (record_key <> 'HS000099')";
            sqlx::query(broken).execute(&hub.pool).await.unwrap();
            let ingest = hub.ingest(&eduhub_auth::testing::Persona::vendor(SCHOOL));
            let mut stream =
                crate::pushing::Pushing::open(ingest, crate::pushing::patch(SCHOOL)).await.unwrap().0;
            let failed =
                stream.batch(crate::pushing::batch(1, vec![make::pupil(99).wrap()])).await.unwrap_err();
            assert_eq!(failed.code(), tonic::Code::Internal);
            digits.push(make::personal_id(99));
            digits
        }
        .with_current_subscriber(),
    );
    // Frames and statements of the client and the driver themselves are not the service's log.
    let text = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    let own: Vec<&str> = text.lines().filter(|l| l.contains("eduhub_")).collect();
    assert!(own.iter().any(|l| l.contains("ERROR") && l.contains("call failed")), "{}", own.join("\n"));
    for secret in digits.iter().map(String::as_str).chain(["Nguyễn Thị Hương", "0912345678"]) {
        let lines: Vec<_> = own.iter().filter(|l| l.contains(secret)).collect();
        assert!(lines.is_empty(), "{secret}: {lines:?}");
    }
    let loud = text.lines().filter(|l| !l.contains("TRACE") && !l.contains("DEBUG"));
    for line in loud {
        assert!(!digits.iter().any(|d| line.contains(d)), "{line}");
    }
}
