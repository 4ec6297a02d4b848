//! Seals against a plain model in memory: random pushes, seals at random moments, all read at the end.
use crate::{
    hub::{Hub, OTHER, SCHOOL, YEAR},
    make::{self, Wrap},
    pushing::{batch, patch, push, push_one},
    seals::{differences, seal, sealed},
};
use eduhub_auth::testing::Persona;
use eduhub_proto::{
    common::v1::{Kind, PushOpen, RecordDiff, Seal},
    registry::v1::{Pupil, PushBatch, Record},
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The model: what a school holds, by kind and key, with versions counted by hand.
#[derive(Clone, Default)]
struct Model {
    live: BTreeMap<(i32, String), (i64, Record)>,
    versions: BTreeMap<(i32, String), i64>,
}

impl Model {
    fn put(&mut self, kind: Kind, key: &str, record: &Record) {
        let place = (kind as i32, key.to_owned());
        if self.live.get(&place).is_some_and(|(_, r)| r == record) {
            return;
        }
        let version = self.versions.entry(place.clone()).or_default();
        *version += 1;
        self.live.insert(place, (*version, record.clone()));
    }

    fn take(&mut self, kind: Kind, key: &str) {
        let place = (kind as i32, key.to_owned());
        if self.live.remove(&place).is_some() {
            *self.versions.entry(place).or_default() += 1;
        }
    }

    fn of(&self, kind: Kind) -> Vec<(String, i64, Record)> {
        let own = self.live.iter().filter(|((k, _), _)| *k == kind as i32);
        own.map(|((_, key), (version, record))| (key.clone(), *version, record.clone())).collect()
    }
}

/// One random batch, told to the model as well.
fn random_batch(random: &mut ChaCha8Rng, model: &mut Model) -> PushBatch {
    let mut out = batch(1, vec![]);
    for n in 0..12_u32 {
        match random.random_range(0..10) {
            0..4 => {
                let place = ["Hà Nội", "Huế", "Vinh"][random.random_range(0..3)];
                let id = random.random_range(1..3) * 1_000 + n;
                let pupil = Pupil {
                    birth_place: Some(place.into()),
                    personal_id: Some(make::personal_id(id)),
                    ..make::pupil(n)
                };
                model.put(Kind::Pupil, &make::code(n), &pupil.clone().wrap());
                out.records.push(pupil.wrap());
            }
            4 => {
                let mut class = make::class(&format!("6A{n}"));
                class.sort_order = Some(random.random_range(0..3));
                model.put(Kind::Class, &format!("{YEAR}/6A{n}"), &class.clone().wrap());
                out.records.push(class.wrap());
            }
            5 => out.withdrawals.push(make::withdrawal(Kind::Class, &format!("6A{n}"))),
            6 => out.withdrawals.push(make::withdrawal(Kind::Pupil, &make::code(n))),
            _ => {}
        }
    }
    // Records of a batch come before its withdrawals.
    for w in &out.withdrawals {
        let key =
            if w.kind() == Kind::Class { format!("{YEAR}/{}", w.record_key) } else { w.record_key.clone() };
        model.take(w.kind(), &key);
    }
    out
}

async fn check_seal(hub: &Hub, seal: &Seal, model: &Model) {
    let mut hasher = Sha256::new();
    let reviewer = Persona::school_officer(SCHOOL);
    for kind in [Kind::School, Kind::Campus, Kind::Class, Kind::Pupil, Kind::Enrolment, Kind::Health] {
        let all = sealed(hub, &reviewer, seal, kind).await;
        let got: Vec<_> = all
            .iter()
            .map(|c| (c.header.clone().unwrap(), c.record.clone().unwrap()))
            .map(|(h, r)| (h.record_key, h.version, r))
            .collect();
        assert_eq!(got, model.of(kind), "{kind:?}");
        let count = seal.counts.iter().find(|c| c.kind == kind as i32).unwrap().count;
        assert_eq!(count, got.len() as u64);
        for h in all.into_iter().map(|c| c.header.unwrap()) {
            let line =
                format!("{}\t{}\t{}\t{}\n", kind as i32, h.record_key, h.version, hex::encode(h.digest));
            hasher.update(line);
        }
    }
    assert_eq!(seal.digest, hasher.finalize().to_vec());
}

#[tokio::test]
async fn a_seal_shows_the_state_of_its_moment_for_ever() {
    for seed in 0..3 {
        let hub = Hub::start().await;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut model, mut seals) = (Model::default(), vec![]);
        seals.push((seal(&hub).await, model.clone()));
        model.put(Kind::Campus, "CS1", &make::campus().wrap());
        push_one(&hub, SCHOOL, vec![make::campus().wrap()]).await;
        // Another year and another school: never in these seals.
        let last_year = PushOpen { school_year: YEAR - 1, ..patch(SCHOOL) };
        let vendor = Persona::vendor(SCHOOL);
        push(&hub, &vendor, last_year, vec![batch(1, vec![make::class("6A1").wrap()])]).await.unwrap();
        push_one(&hub, OTHER, make::small_school(1..9)).await;
        for _ in 0..25 {
            let b = random_batch(&mut random, &mut model);
            push(&hub, &vendor, patch(SCHOOL), vec![b]).await.unwrap();
            if random.random_bool(0.4) {
                seals.push((seal(&hub).await, model.clone()));
            }
        }
        for (seal, then) in &seals {
            check_seal(&hub, seal, then).await;
        }
        check_diffs(&hub, &seals, &model).await;
    }
}

/// Every seal against the one before and against the live state: exactly the records that differ in content.
async fn check_diffs(hub: &Hub, seals: &[(Seal, Model)], live: &Model) {
    let reviewer = Persona::school_officer(SCHOOL);
    for pair in seals.windows(2) {
        let found = differences(hub, &reviewer, &pair[1].0, &pair[0].0.seal_id).await;
        assert_eq!(brief(&found), expected(&pair[0].1, &pair[1].1));
    }
    for (seal, then) in seals {
        assert_eq!(brief(&differences(hub, &reviewer, seal, "").await), expected(live, then));
    }
}

/// Kind, key, added, removed.
type Brief = (i32, String, bool, bool);

fn brief(found: &[RecordDiff]) -> Vec<Brief> {
    let head = |d: &RecordDiff| d.header.clone().unwrap();
    found.iter().map(|d| (head(d).kind, head(d).record_key, d.added, d.removed)).collect()
}

fn expected(base: &Model, other: &Model) -> Vec<Brief> {
    let places: std::collections::BTreeSet<_> = base.live.keys().chain(other.live.keys()).collect();
    let changed = places.into_iter().filter_map(|place| {
        let (b, o) = (base.live.get(place), other.live.get(place));
        let same = b.map(|x| &x.1) == o.map(|x| &x.1);
        (!same).then(|| (place.0, place.1.clone(), b.is_none(), o.is_none()))
    });
    changed.collect()
}
