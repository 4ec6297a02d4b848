//! Many nights of one school against a model in memory: what travels is exactly what changed, and what the hub holds
//! afterwards is exactly the file.
use crate::{
    compare_sync::{Vendor, sums},
    hub::{Hub, SCHOOL},
    make::{self, Wrap},
};
use eduhub_cli::push::SyncOptions;
use eduhub_proto::registry::v1::{Enrolment, Pupil, Record};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};

const CLASSES: [&str; 3] = ["6A1", "6A2", "6A3"];

/// The school's software: pupils, each with an enrolment in one of the classes and perhaps a measurement.
#[derive(Clone, Default)]
struct Export {
    pupils: BTreeMap<u32, (u32, usize, bool)>,
}

impl Export {
    /// A day in the life of a school.
    fn pass_a_day(&mut self, random: &mut ChaCha8Rng) {
        for _ in 0..random.random_range(0..12) {
            let (n, phone) = (random.random_range(1..120), random.random_range(0..1_000));
            match random.random_range(0..5) {
                0 => drop(self.pupils.remove(&n)),
                1 => drop(self.pupils.insert(n, (phone, random.random_range(0..3), random.random_bool(0.5)))),
                2 => self.pupils.entry(n).and_modify(|p| p.0 = phone).or_default().2 = true,
                3 => self.pupils.entry(n).or_default().1 = random.random_range(0..3),
                _ => self.pupils.entry(n).or_default().2 = random.random_bool(0.5),
            }
        }
    }

    /// Its records by table and full key.
    fn records(&self) -> BTreeMap<(&'static str, String), Record> {
        let mut all = BTreeMap::new();
        all.insert(("campus_record", "CS1".to_owned()), make::campus().wrap());
        for class in CLASSES {
            all.insert(("class_record", format!("2026/{class}")), make::class(class).wrap());
        }
        for (n, (phone, class, measured)) in &self.pupils {
            let pupil = Pupil { contact_phone: Some(format!("0912345{phone:03}")), ..make::pupil(*n) };
            all.insert(("pupil_record", make::code(*n)), pupil.wrap());
            let enrolment: Enrolment = make::enrolment(*n, CLASSES[*class]);
            all.insert(("enrolment_record", format!("2026/{}", enrolment.enrolment_id)), enrolment.wrap());
            if *measured {
                all.insert(("health_record", format!("2026/1/{}", make::code(*n))), make::health(*n).wrap());
            }
        }
        all
    }
}

/// Tables and keys of everything that is live.
async fn live(hub: &Hub) -> BTreeSet<String> {
    let tables = ["campus_record", "class_record", "pupil_record", "enrolment_record", "health_record"];
    let each = tables.map(|t| format!("select '{t} ' || record_key from {t} where not withdrawn"));
    let sql = sqlx::AssertSqlSafe(each.join(" union all "));
    sqlx::query_scalar::<_, String>(sql).fetch_all(&hub.pool).await.unwrap().into_iter().collect()
}

#[tokio::test]
async fn night_after_night_the_hub_holds_the_file_and_only_changes_travel() {
    let hub = Hub::start().await;
    let vendor = Vendor::of(&hub, SCHOOL).await;
    let mut random = ChaCha8Rng::seed_from_u64(20_261_122);
    // A kind that the file has lost all records of is named, or it would be left alone.
    let kinds = vec![eduhub_proto::common::v1::Kind::Health];
    let options = SyncOptions { kinds, allow_shrink: true };
    let (mut school, mut before) = (Export::default(), BTreeMap::new());
    school.pupils.extend((1..60).map(|n| (n, (n, n as usize % 3, n % 4 == 0))));
    for night in 0..30 {
        let now = school.records();
        let new_or_changed = now.iter().filter(|(key, record)| before.get(*key) != Some(*record)).count();
        let gone = before.keys().filter(|key| !now.contains_key(*key)).count();
        let entries = hub.count("select count(*) from change_log").await;
        // Files are not sorted.
        let mut file: Vec<Record> = now.values().cloned().collect();
        let turn = random.random_range(0..file.len());
        file.rotate_left(turn);
        let synced = vendor.try_sync(&file, &options).await.unwrap();
        let expected = (now.len() as u64, new_or_changed as u64, gone as u64);
        assert_eq!(sums(&synced), expected, "night {night}");
        let written = hub.count("select count(*) from change_log").await - entries;
        assert_eq!(written as usize, new_or_changed + gone, "night {night}");
        let keys: BTreeSet<String> = now.keys().map(|(table, key)| format!("{table} {key}")).collect();
        assert_eq!(live(&hub).await, keys, "night {night}");
        before = now;
        school.pass_a_day(&mut random);
    }
}
