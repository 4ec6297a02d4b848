//! The Ministry's education database: what it holds, and the four calls of its interface.

pub(crate) mod catalogue;
pub(crate) mod held;
pub(crate) mod judge;
mod message;
pub(crate) mod readback;
pub(crate) mod receive;
mod rules;
pub(crate) mod token;

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::http::StatusCode;

use crate::refusal::Refusal;
use held::Store;
use token::Tokens;

/// Everything the Ministry remembers.
#[derive(Default)]
pub(crate) struct Ministry {
    pub(crate) store: Store,
    pub(crate) tokens: Tokens,
    /// Answers given, by idempotency key: a repeated call gets the first answer, byte for byte.
    pub(crate) answers: BTreeMap<String, Answered>,
}

/// The answer to one idempotency key, and the digest of the request it belongs to.
pub(crate) struct Answered {
    pub(crate) request: [u8; 32],
    pub(crate) body: Bytes,
}

/// Payload types with an interface (domain.md B.8). Rooms, type 14, have none yet.
const OPEN_TYPES: [u8; 15] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 51, 52];

/// Refuses payload types that cannot be sent.
pub(crate) fn open_type(loai: u8) -> Result<(), Refusal> {
    match loai {
        14 => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "CHUA_MO",
            "Cổng tiếp nhận dữ liệu cơ sở vật chất (loại 14) chưa mở, đề nghị nhập trực tiếp trên phần mềm",
        )),
        known if OPEN_TYPES.contains(&known) => Ok(()),
        _ => Err(Refusal::bad("LOAI_KHONG_HOP_LE", "Loại dữ liệu không có trong danh mục loại tiếp nhận")),
    }
}
