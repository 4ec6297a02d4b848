//! One batch through version check, rules, planned wrongs and storage.

use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::held::{Held, PUPIL, Store};
use super::message::{Batch, Event, Fields, Outcome, Record, Verdict, text};
use super::rules;
use crate::app::World;
use crate::faults::{Candidate, Ghost, RecordFault};
use crate::tally::Deed;

/// Fields that tie records together. Not altered at random: that would break other records, not this one.
const TIES: [&str; 9] = [
    "TRUONG_ID",
    "TRUNG_TAM_ID",
    "MA",
    "MA_LOP",
    "HOC_SINH_ID",
    "HOC_VIEN_ID",
    "GIAO_VIEN_ID",
    "MA_CONG_DAN_ID",
    "DIEM_TRUONG_ID",
];

/// Verdicts in the order sent. Each record sees what the ones before it left.
pub(crate) fn judge(world: &mut World, batch: &Batch) -> Vec<Verdict> {
    batch.ban_ghi.iter().map(|record| one(world, batch, record)).collect()
}

fn one(world: &mut World, batch: &Batch, record: &Record) -> Verdict {
    let id = record.idbanghi;
    let held = world.ministry.store.get(batch.loai, id);
    if let Some(held) = held.filter(|held| record.phienban <= held.phienban) {
        let ma_bo = held.ma_bo.clone();
        world.tally.records.stale += 1;
        return Verdict::stale(id, ma_bo);
    }
    if let Err(rules::Rejection(ma_loi, thong_bao)) = rules::check(&world.ministry.store, batch, record) {
        world.tally.reject(ma_loi);
        return Verdict::rejected(id, ma_loi, thong_bao);
    }
    let candidate =
        Candidate { loai: batch.loai, idbanghi: id, khoa: &record.khoa, phienban: record.phienban };
    let fault = world.faults.records.decide(&candidate);
    let verdict = accept(world, batch, record, fault);
    match verdict.trang_thai {
        Outcome::Accepted => world.tally.records.accepted += 1,
        _ => world.tally.reject(verdict.ma_loi.as_deref().unwrap_or_default()),
    }
    verdict
}

/// Stores a record that passed, or does with it what the plan says.
fn accept(world: &mut World, batch: &Batch, record: &Record, fault: Option<RecordFault>) -> Verdict {
    if let Some(RecordFault::Reject { ma_loi }) = fault {
        let deed = Deed { ma_loi: Some(ma_loi.clone()), ..deed(batch, record) };
        world.tally.on_purpose.rejected.push(deed);
        return Verdict::rejected(record.idbanghi, &ma_loi, format!("Máy chủ từ chối bản ghi, mã {ma_loi}"));
    }
    let store = &mut world.ministry.store;
    let mut row = row(store, batch, record);
    let verdict = Verdict::accepted(record.idbanghi, row.ma_bo.clone());
    match fault {
        Some(RecordFault::Forget) => {
            world.tally.on_purpose.forgotten.push(deed(batch, record));
            return verdict;
        }
        Some(RecordFault::Alter { symbol, value }) => {
            if let Some(change) = alter(&mut row.du_lieu, record.idbanghi, symbol, value) {
                let (symbol, sent, stored) = change;
                let deed = Deed { symbol: Some(symbol), sent, stored: Some(stored), ..deed(batch, record) };
                world.tally.on_purpose.altered.push(deed);
            }
        }
        Some(RecordFault::Ghost) => haunt(world, row.clone()),
        Some(RecordFault::Reject { .. }) | None => {}
    }
    world.ministry.store.put(row);
    verdict
}

fn row(store: &mut Store, batch: &Batch, record: &Record) -> Held {
    let id = record.idbanghi;
    let cancelled = record.sukien == Event::Cancel;
    let ma_bo = (batch.loai == PUPIL).then(|| {
        let number = text(&record.du_lieu, "MA_CONG_DAN_ID");
        store.code_for(id, &record.khoa, number.as_deref())
    });
    Held {
        ma_truong: batch.ma_truong.clone(),
        loai: batch.loai,
        nam_hoc: batch.nam_hoc,
        idbanghi: id,
        khoa: record.khoa.clone(),
        phienban: record.phienban,
        du_lieu: record.du_lieu.clone(),
        ma_bo,
        cancelled,
    }
}

/// Changes one field and tells (symbol, sent, stored); nothing when the record has no field to change.
fn alter(
    fields: &mut Fields,
    id: Uuid,
    symbol: Option<String>,
    value: Option<Value>,
) -> Option<(String, Option<Value>, Value)> {
    let symbol = symbol.or_else(|| pick(fields, id))?;
    let sent = fields.get(&symbol).cloned();
    let stored = value.unwrap_or_else(|| other_than(sent.as_ref()));
    fields.insert(symbol.clone(), stored.clone());
    Some((symbol, sent, stored))
}

/// A filled field that ties nothing, chosen by the record's id.
fn pick(fields: &Fields, id: Uuid) -> Option<String> {
    let filled = |v: &Value| !v.is_null() && !v.is_array() && !v.is_object();
    let free: Vec<&String> =
        fields.iter().filter(|(s, v)| filled(v) && !TIES.contains(&s.as_str())).map(|(s, _)| s).collect();
    let nth = id.as_u128() % u128::try_from(free.len()).ok().filter(|n| *n > 0)?;
    free.get(usize::try_from(nth).ok()?).map(|symbol| (*symbol).clone())
}

fn other_than(value: Option<&Value>) -> Value {
    match value {
        Some(Value::Bool(b)) => Value::Bool(!b),
        Some(Value::Number(n)) => match n.as_i64() {
            Some(whole) => Value::from(whole.saturating_add(1)),
            None => n.as_f64().map_or(Value::Null, |n| Value::from(n + 1.0)),
        },
        // A lost last letter is what a too narrow column does.
        Some(Value::String(s)) if s.chars().count() > 1 => {
            Value::String(s.chars().take(s.chars().count() - 1).collect())
        }
        Some(Value::String(_)) => Value::String("?".to_owned()),
        _ => Value::Null,
    }
}

/// Adds the ghosts of a new plan to what is held.
pub(crate) fn add_ghosts(world: &mut World, ghosts: Vec<Ghost>) {
    for ghost in ghosts {
        let row = Held {
            ma_truong: ghost.ma_truong,
            loai: ghost.loai,
            nam_hoc: ghost.nam_hoc,
            idbanghi: Uuid::nil(),
            khoa: ghost.khoa,
            phienban: 1,
            du_lieu: ghost.du_lieu,
            ma_bo: None,
            cancelled: false,
        };
        store_ghost(world, row);
    }
}

/// A second record beside a real one, as a Ministry import run twice leaves behind. It has no personal ID number:
/// two holders of one number would make the next version of the real record a duplicate.
fn haunt(world: &mut World, mut row: Held) {
    row.khoa = format!("GHOST-{}", row.khoa);
    row.ma_bo = None;
    for symbol in ["MA_CONG_DAN_ID", "HOC_SINH_ID", "HOC_VIEN_ID", "MA"] {
        row.du_lieu.remove(symbol);
    }
    store_ghost(world, row);
}

fn store_ghost(world: &mut World, mut row: Held) {
    let text = format!("ghost {} {} {}", row.ma_truong, row.loai, row.khoa);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(text)[..16]);
    row.idbanghi = uuid::Builder::from_custom_bytes(bytes).into_uuid();
    world.tally.on_purpose.ghosts.push(Deed {
        ma_truong: row.ma_truong.clone(),
        loai: row.loai,
        idbanghi: row.idbanghi,
        khoa: row.khoa.clone(),
        phienban: row.phienban,
        ma_loi: None,
        symbol: None,
        sent: None,
        stored: None,
        still_wrong: false,
    });
    world.ministry.store.put(row);
}

fn deed(batch: &Batch, record: &Record) -> Deed {
    Deed {
        ma_truong: batch.ma_truong.clone(),
        loai: batch.loai,
        idbanghi: record.idbanghi,
        khoa: record.khoa.clone(),
        phienban: record.phienban,
        ma_loi: None,
        symbol: None,
        sent: None,
        stored: None,
        still_wrong: false,
    }
}
