use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::mapping::Fields;

/// What happened to a record here (`sukien`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Event {
    /// First time.
    New,
    /// New version.
    Update,
    /// Withdrawn.
    Cancel,
}

/// Records of one payload type, school and school year. Serialises to the same bytes each time: the Ministry refuses a known
/// idempotency key with other bytes.
#[derive(Serialize)]
pub struct Batch {
    /// Payload type.
    pub loai: i32,
    /// School.
    pub ma_truong: String,
    /// School year by its first year.
    pub nam_hoc: i32,
    /// Records.
    pub ban_ghi: Vec<Entry>,
}

/// One record in the envelope of the national data centre.
#[derive(Serialize)]
pub struct Entry {
    /// Record id.
    pub idbanghi: Uuid,
    /// Version, rising from 1.
    pub phienban: i64,
    /// What happened.
    pub sukien: Event,
    /// Key as the sender knows it.
    pub khoa: String,
    /// Fields by symbol.
    pub du_lieu: Fields,
}

/// Answer to a batch.
#[derive(Debug, Deserialize)]
pub struct Receipt {
    /// One verdict per record.
    pub ket_qua: Vec<Verdict>,
}

/// What became of one record.
#[derive(Debug, Clone, Deserialize)]
pub struct Verdict {
    /// Record id.
    pub idbanghi: Uuid,
    /// Accepted, rejected, stale.
    pub trang_thai: Outcome,
    /// Code of the refusal.
    #[serde(default)]
    pub ma_loi: Option<String>,
    /// Text of the refusal.
    #[serde(default)]
    pub thong_bao: Option<String>,
    /// Code that the Ministry gave the record.
    #[serde(default)]
    pub ma_bo: Option<String>,
}

/// The three ends of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The Ministry has it.
    Accepted,
    /// It refused it.
    Rejected,
    /// It holds this version or a later one.
    Stale,
}

/// A record as the Ministry holds it.
#[derive(Debug, Deserialize)]
pub struct HeldRow {
    /// Record id.
    pub idbanghi: Uuid,
    /// Key as the sender said it.
    pub khoa: String,
    /// Version.
    pub phienban: i64,
    /// School year it was sent for.
    #[serde(default)]
    pub nam_hoc: i32,
    /// Fields by symbol.
    #[serde(default)]
    pub du_lieu: Fields,
    /// Code that the Ministry gave it.
    #[serde(default)]
    pub ma_bo: Option<String>,
}

/// A page of what the Ministry holds.
#[derive(Debug, Deserialize)]
pub(super) struct HeldPage {
    pub(super) ban_ghi: Vec<HeldRow>,
    #[serde(default)]
    pub(super) trang_sau: Option<String>,
}

/// The body of a refusal.
#[derive(Debug, Default, Deserialize)]
pub(super) struct RefusalBody {
    #[serde(default)]
    pub(super) ma_loi: String,
    #[serde(default)]
    pub(super) thong_bao: String,
}
