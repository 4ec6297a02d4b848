//! The hub against a model of maps: random sessions of PATCH, FULL, abandoned FULL, VALIDATE_ONLY, cuts, resends, withdrawals,
//! refused and waiting records. Replies, state, log, states of earlier moments, copies of consumers who came at any moment,
//! and digests must all be the model's. `EDUHUB_MODEL_SEQUENCES` says how many schools' histories are played (24 unless set).
mod state;
mod steps;

use crate::{
    following::{Mirror, follow},
    hub::{self, Hub, YEAR},
    pushing::{Pushing, end_of, full, patch, validate_only},
};
use eduhub_auth::testing::Persona;
use eduhub_proto::{
    common::v1::{
        GetPositionRequest, Kind, ListRecordsRequest, PushCounts, PushOpen, ReadPoint, SchoolDigestRequest,
        WatchRequest, read_point::Point,
    },
    registry::v1::{PushBatch, Record, record::Record as Any},
};
use futures::{StreamExt, stream};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::Row;
use state::{Place, School, named};
use std::collections::BTreeSet;
use steps::{Step, step};

const KINDS: [Kind; 4] = [Kind::Campus, Kind::Class, Kind::Pupil, Kind::Enrolment];
/// Histories that are played at once.
const AT_ONCE: usize = 4;

fn sound(record: &Record) -> bool {
    !matches!(&record.record, Some(Any::Pupil(p)) if p.full_name.is_empty())
}

/// One school's history, played on the hub and on the model.
struct Player<'a> {
    hub: &'a Hub,
    code: String,
    vendor: Persona,
    model: School,
    /// Positions of the log with the state of their moment.
    moments: Vec<(Vec<u8>, School)>,
    /// Copies that were begun earlier, with their cursors.
    copies: Vec<(Mirror, Vec<u8>)>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories_are_those_of_a_model_of_maps() {
    let sequences = std::env::var("EDUHUB_MODEL_SEQUENCES").ok().and_then(|n| n.parse().ok()).unwrap_or(24);
    let hub = Hub::start().await;
    let codes: Vec<String> = (0..sequences).map(|n: u32| format!("3714329{:04}", 100 + n)).collect();
    for chunk in codes.chunks(500) {
        let entries: Vec<_> = chunk.iter().map(|code| hub::school(code, hub::COMMUNE)).collect();
        hub.register(&entries).await;
    }
    let histories = codes.iter().zip(0..).map(|(code, seed)| Player::play(&hub, code, seed));
    stream::iter(histories).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

impl<'a> Player<'a> {
    async fn play(hub: &'a Hub, code: &str, seed: u32) {
        let vendor = Persona::vendor(code);
        let mut player = Player {
            hub,
            code: code.to_owned(),
            vendor,
            model: School::default(),
            moments: vec![],
            copies: vec![],
        };
        let mut random = ChaCha8Rng::seed_from_u64(seed.into());
        for number in 0..random.random_range(4..11) {
            let step = step(&mut random, seed);
            player
                .session(&step)
                .await
                .unwrap_or_else(|wrong| panic!("seed {seed}, step {number}: {wrong}\n{step:?}"));
            if random.random_bool(0.3) {
                player.remember().await;
            }
            if random.random_bool(0.2) {
                player.begin_copy().await;
            }
        }
        player.check().await.unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"));
    }

    async fn session(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Patch { batches, cut_after, resend } => {
                let open = patch(&self.code);
                let mut stream = self.open(&open).await;
                for (i, b) in batches.iter().enumerate() {
                    if *cut_after == Some(i) {
                        drop(stream);
                        stream = self.open(&open).await;
                    }
                    let reply = self.batch(&mut stream, b).await?;
                    if *resend {
                        let again = stream.batch(b.clone()).await.map_err(|e| e.to_string())?;
                        same("a batch sent twice", &again, &reply)?;
                    }
                }
                stream.end(end_of(batches)).await.map_err(|e| e.to_string())?;
            }
            Step::Full { batches, kinds } => {
                let mut stream = self.open(&full(&self.code, kinds)).await;
                let mut seen: BTreeSet<Place> = BTreeSet::new();
                for b in batches {
                    seen.extend(b.records.iter().map(|r| named(r, YEAR).0));
                    self.batch(&mut stream, b).await?;
                }
                let before = self.model.clone();
                let withdrawn = self.model.end_of_full(kinds, &seen);
                let receipt = stream.end(end_of(batches)).await.map_err(|e| e.to_string())?;
                let total = receipt.totals.unwrap_or_default().withdrawn;
                same("withdrawn at the end", &total, &withdrawn)
                    .map_err(|e| format!("{e}; had {}", before.live.len()))?;
            }
            Step::Abandoned { batches, kinds } => {
                let mut stream = self.open(&full(&self.code, kinds)).await;
                for b in batches {
                    self.batch(&mut stream, b).await?;
                }
            }
            Step::Validate { batches } => {
                let mut trial = self.model.clone();
                let mut stream = self.open(&validate_only(&self.code)).await;
                let b = &batches[0];
                let expected = trial.batch(&b.records, &b.withdrawals, YEAR, sound);
                let reply = stream.batch(b.clone()).await.map_err(|e| e.to_string())?;
                same("counts of a trial", &counts(reply.counts), &expected)?;
            }
        }
        Ok(())
    }

    async fn open(&self, open: &PushOpen) -> Pushing {
        // A stream that was just dropped may still be counted among the vendor's.
        loop {
            match Pushing::open(self.hub.ingest(&self.vendor), open.clone()).await {
                Ok((stream, _)) => return stream,
                Err(status) if status.code() == tonic::Code::ResourceExhausted => {
                    tokio::task::yield_now().await
                }
                Err(status) => panic!("{status:?}"),
            }
        }
    }

    async fn batch(
        &mut self,
        stream: &mut Pushing,
        batch: &PushBatch,
    ) -> Result<eduhub_proto::common::v1::BatchReply, String> {
        let expected = self.model.batch(&batch.records, &batch.withdrawals, YEAR, sound);
        let reply = stream.batch(batch.clone()).await.map_err(|e| e.to_string())?;
        same("counts", &counts(reply.counts), &expected)?;
        Ok(reply)
    }

    async fn remember(&mut self) {
        let request = GetPositionRequest { school_code: self.code.clone() };
        let position =
            self.hub.records(&self.vendor).get_position(request).await.unwrap().into_inner().position;
        self.moments.push((position, self.model.clone()));
    }

    async fn begin_copy(&mut self) {
        let mut copy = Mirror::default();
        let cursor = self.follow(&mut copy, vec![]).await;
        self.copies.push((copy, cursor));
    }

    async fn follow(&self, copy: &mut Mirror, cursor: Vec<u8>) -> Vec<u8> {
        let request =
            WatchRequest { cursor, school_codes: vec![self.code.clone()], ..WatchRequest::default() };
        let mut stream = follow(self.hub.feed(&Persona::consumer()), request).await.unwrap();
        stream.catch_up(copy).await.unwrap()
    }

    /// Everything at the end of the history.
    async fn check(mut self) -> Result<(), String> {
        for kind in KINDS {
            same(&format!("{kind:?} now"), &self.list(kind, None).await, &self.model.of(kind))?;
            for (i, (position, then)) in self.moments.iter().enumerate() {
                let point = Some(ReadPoint { point: Some(Point::Position(position.clone())) });
                same(&format!("{kind:?} as of moment {i}"), &self.list(kind, point).await, &then.of(kind))?;
            }
        }
        same("log entries", &self.number("change_log").await, &self.model.log_entries())?;
        same(
            "waiting records",
            &self.number("held_record").await,
            &i64::try_from(self.model.waiting()).unwrap_or(-1),
        )?;
        let mut copies = std::mem::take(&mut self.copies);
        copies.push((Mirror::default(), vec![]));
        let request = SchoolDigestRequest { school_code: self.code.clone() };
        let theirs = self.hub.seals(&self.vendor).get_school_digest(request).await.unwrap().into_inner();
        for (mut copy, cursor) in copies {
            self.follow(&mut copy, cursor).await;
            let live = copy.records.iter().filter(|(_, held)| !held.withdrawn);
            let live: Vec<_> = live.map(|((_, kind, key), h)| ((*kind, key.clone()), h.version)).collect();
            let ours = self.model.live.iter().map(|(place, (version, _))| (place.clone(), *version));
            same("a copy", &live, &ours.collect())?;
            same("its digest", &copy.digest(&self.code).1, &theirs.digest)?;
        }
        Ok(())
    }

    async fn list(&self, kind: Kind, as_of: Option<ReadPoint>) -> Vec<(String, i64, Record)> {
        // An officer sees sensitive fields, a vendor's client does not see personal IDs: the model's records are masked alike.
        let request = ListRecordsRequest {
            school_code: self.code.clone(),
            kind: kind as i32,
            page_size: 1_000,
            as_of,
            ..ListRecordsRequest::default()
        };
        let reader = Persona::school_officer(&self.code);
        let page = self.hub.records(&reader).list_records(request).await.unwrap().into_inner();
        page.records
            .into_iter()
            .map(|c| (c.header.unwrap(), c.record.unwrap()))
            .map(|(h, r)| (h.record_key, h.version, r))
            .collect()
    }

    async fn number(&self, table: &str) -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table} where school_code = $1"));
        sqlx::query(sql).bind(&self.code).fetch_one(&self.hub.pool).await.unwrap().get(0)
    }
}

/// The counts that the model makes: warnings are not its business.
fn counts(counts: Option<PushCounts>) -> PushCounts {
    PushCounts { warnings: 0, ..counts.unwrap_or_default() }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, hub: &T, model: &T) -> Result<(), String> {
    if hub == model { Ok(()) } else { Err(format!("{what}: the hub has {hub:?}, the model {model:?}")) }
}
