//! The JSON of `TiepNhan`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Fields of a record by their symbols in QĐ 4998.
pub(crate) type Fields = Map<String, Value>;

/// One batch: records of one payload type, school and school year.
#[derive(Deserialize)]
pub(crate) struct Batch {
    pub(crate) loai: u8,
    pub(crate) ma_truong: String,
    /// First calendar year of the school year.
    pub(crate) nam_hoc: i32,
    pub(crate) ban_ghi: Vec<Record>,
}

/// One record in the envelope of the national data centre (domain.md B.8).
#[derive(Deserialize)]
pub(crate) struct Record {
    pub(crate) idbanghi: Uuid,
    /// Rises from 1; the receiver drops what is not above the version it holds.
    pub(crate) phienban: i64,
    pub(crate) sukien: Event,
    /// The record's key in the sender's words: a code, or `TAM-…` for a pupil without a Ministry code.
    pub(crate) khoa: String,
    /// Absent or empty only for `CANCEL`.
    #[serde(default)]
    pub(crate) du_lieu: Fields,
}

/// What happened to the record at the sender.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Event {
    New,
    Update,
    /// Soft: the version stays known, the record is no longer read back.
    Cancel,
}

/// Answer to a batch: one verdict per record, in the order sent.
#[derive(Serialize)]
pub(crate) struct Receipt {
    pub(crate) ma_giao_dich: Uuid,
    pub(crate) ket_qua: Vec<Verdict>,
}

/// What became of one record.
#[derive(Serialize)]
pub(crate) struct Verdict {
    pub(crate) idbanghi: Uuid,
    pub(crate) trang_thai: Outcome,
    pub(crate) ma_loi: Option<String>,
    pub(crate) thong_bao: Option<String>,
    /// The Ministry's code of a pupil.
    pub(crate) ma_bo: Option<String>,
}

/// The three ends of a record.
#[derive(Clone, Copy, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Accepted,
    Rejected,
    /// Dropped: this version or a later one is held already.
    Stale,
}

impl Verdict {
    pub(crate) fn accepted(idbanghi: Uuid, ma_bo: Option<String>) -> Self {
        Self { idbanghi, trang_thai: Outcome::Accepted, ma_loi: None, thong_bao: None, ma_bo }
    }

    pub(crate) fn rejected(idbanghi: Uuid, ma_loi: &str, thong_bao: String) -> Self {
        let ma_loi = Some(ma_loi.to_owned());
        Self { idbanghi, trang_thai: Outcome::Rejected, ma_loi, thong_bao: Some(thong_bao), ma_bo: None }
    }

    pub(crate) fn stale(idbanghi: Uuid, ma_bo: Option<String>) -> Self {
        Self {
            idbanghi,
            trang_thai: Outcome::Stale,
            ma_loi: Some("PHIEN_BAN_CU".to_owned()),
            thong_bao: Some("Đã có phiên bản bằng hoặc mới hơn".to_owned()),
            ma_bo,
        }
    }
}

/// A field's text; numbers and booleans are written out, null and blank count as absent.
pub(crate) fn text(fields: &Fields, symbol: &str) -> Option<String> {
    match fields.get(symbol)? {
        Value::String(s) => Some(s.trim().to_owned()).filter(|s| !s.is_empty()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// The first of several symbols that is there: the annex names one thing differently by level.
pub(crate) fn any_text(fields: &Fields, symbols: &[&str]) -> Option<String> {
    symbols.iter().find_map(|symbol| text(fields, symbol))
}
