//! The Ministry's own checks on a record. One refusal per record, the first that applies. No message repeats
//! what a field of a person holds.

use time::Date;
use time::macros::format_description;

use super::held::{CLASS, PUPIL, Store, code_of};
use super::message::{Batch, Event, Fields, Record, any_text, text};

/// Why a record is refused: a stable code and a Vietnamese sentence.
pub(crate) struct Rejection(pub(crate) &'static str, pub(crate) String);

type Checked = Result<(), Rejection>;

/// Symbols that must be filled, by payload type (C.1, C.3 to C.6). Within one entry either name will do: the annex
/// names pupils, teachers and schools differently by level.
fn required(loai: u8) -> &'static [&'static [&'static str]] {
    const SCHOOL: &[&str] = &["TRUONG_ID", "TRUNG_TAM_ID"];
    const PUPIL_CODE: &[&str] = &["HOC_SINH_ID", "HOC_VIEN_ID"];
    match loai {
        1 => &[SCHOOL, &["TEN"], &["MA_NHOM_CAP_HOC"]],
        2 => &[
            &["MA", "GIAO_VIEN_ID"],
            &["HO_TEN"],
            &["NGAY_SINH"],
            &["MA_GIOI_TINH"],
            &["MA_TRANG_THAI_CAN_BO"],
        ],
        3 => &[&["MA"], &["TEN"], &["MA_KHOI"]],
        4 => &[&["HO_TEN"], &["NGAY_SINH"], &["MA_GIOI_TINH"], &["MA_KHOI"], &["MA_LOP"]],
        51 | 52 => &[PUPIL_CODE, &["MA_LOP"], &["HOC_KY"]],
        _ => &[],
    }
}

/// Checks a record against its own content and against what is held.
pub(crate) fn check(store: &Store, batch: &Batch, record: &Record) -> Checked {
    key(store, batch.loai, record)?;
    if record.phienban < 1 {
        return Err(Rejection("SAI_PHIEN_BAN", "Phiên bản phải là số nguyên từ 1".to_owned()));
    }
    if record.sukien == Event::Cancel {
        return cancel(store, batch, record);
    }
    filled(batch.loai, &record.du_lieu)?;
    values(&record.du_lieu)?;
    belongs(store, batch, record)?;
    match batch.loai {
        PUPIL => pupil(store, batch, record),
        51 | 52 => result(store, batch, &record.du_lieu),
        _ => Ok(()),
    }
}

fn key(store: &Store, loai: u8, record: &Record) -> Checked {
    let code_shape = |s: &str| {
        (6..=20).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    };
    let temporary = record.khoa.strip_prefix("TAM-").is_some_and(|rest| !rest.is_empty());
    if record.khoa.is_empty() || record.khoa.len() > 64 {
        return Err(Rejection("SAI_KHOA", "Khóa bản ghi phải có từ 1 đến 64 ký tự".to_owned()));
    }
    if loai != PUPIL || temporary {
        return Ok(());
    }
    if !code_shape(&record.khoa) {
        let text = "Mã học sinh gồm 6 đến 20 chữ số, chữ hoa; chưa có mã thì dùng TAM-<số>";
        return Err(Rejection("SAI_KHOA", text.to_owned()));
    }
    match store.code_given(record.idbanghi) {
        Some(given) if given != record.khoa => {
            Err(Rejection("DOI_MA", "Mã học sinh đã cấp không được thay đổi".to_owned()))
        }
        _ => Ok(()),
    }
}

fn cancel(store: &Store, batch: &Batch, record: &Record) -> Checked {
    let Some(held) = store.get(batch.loai, record.idbanghi).filter(|held| !held.cancelled) else {
        return Err(Rejection("KHONG_CO_DE_HUY", "Không có bản ghi này để hủy".to_owned()));
    };
    if held.ma_truong != batch.ma_truong {
        return Err(other_school());
    }
    let code = code_of(CLASS, &held.khoa, &held.du_lieu);
    if batch.loai == CLASS && store.class_has_pupils(&held.ma_truong, held.nam_hoc, &code) {
        return Err(Rejection("LOP_CON_HOC_SINH", "Lớp còn học sinh, không hủy được".to_owned()));
    }
    Ok(())
}

fn other_school() -> Rejection {
    Rejection("SAI_TRUONG", "Bản ghi thuộc trường khác với trường của gói tin".to_owned())
}

fn filled(loai: u8, fields: &Fields) -> Checked {
    let absent = required(loai).iter().find(|names| any_text(fields, names).is_none());
    match absent {
        Some(names) => Err(Rejection("THIEU_TRUONG", format!("Thiếu trường bắt buộc {}", names.join("/")))),
        None => Ok(()),
    }
}

/// Shapes of values, wherever the symbol occurs.
fn values(fields: &Fields) -> Checked {
    if text(fields, "MA_CONG_DAN_ID").is_some_and(|s| s.len() != 12 || !s.bytes().all(|b| b.is_ascii_digit()))
    {
        return Err(Rejection("SAI_MA_DINH_DANH", "MA_CONG_DAN_ID phải có đúng 12 chữ số".to_owned()));
    }
    if text(fields, "MA_GIOI_TINH").is_some_and(|s| !matches!(s.as_str(), "0" | "1" | "2")) {
        return Err(Rejection("SAI_GIOI_TINH", "MA_GIOI_TINH không có trong DM_GIOI_TINH".to_owned()));
    }
    if text(fields, "MA_DAN_TOC").is_some_and(|s| !super::catalogue::has("DM_DAN_TOC", &s)) {
        return Err(Rejection("SAI_DAN_TOC", "MA_DAN_TOC không có trong DM_DAN_TOC".to_owned()));
    }
    if text(fields, "NGAY_SINH").is_some_and(|s| date(&s).is_none()) {
        let text = "NGAY_SINH phải là ngày có thật, dạng yyyy-MM-dd hoặc dd/MM/yyyy";
        return Err(Rejection("SAI_NGAY_SINH", text.to_owned()));
    }
    Ok(())
}

fn date(text: &str) -> Option<Date> {
    let iso = Date::parse(text, format_description!("[year]-[month]-[day]"));
    iso.or_else(|_| Date::parse(text, format_description!("[day]/[month]/[year]"))).ok()
}

/// The record is of this school, and its code is nobody else's there.
fn belongs(store: &Store, batch: &Batch, record: &Record) -> Checked {
    let named = any_text(&record.du_lieu, &["TRUONG_ID", "TRUNG_TAM_ID"]);
    // People move between schools under one record id; classes and the rest do not.
    let held = store.get(batch.loai, record.idbanghi).map(|held| held.ma_truong.as_str());
    let moved = held.is_some_and(|school| school != batch.ma_truong) && !matches!(batch.loai, 2 | PUPIL);
    if moved || named.is_some_and(|school| school != batch.ma_truong) {
        return Err(other_school());
    }
    let code = code_of(batch.loai, &record.khoa, &record.du_lieu);
    match store.by_code(batch.loai, &batch.ma_truong, batch.nam_hoc, &code) {
        Some(owner) if owner != record.idbanghi => {
            Err(Rejection("TRUNG_MA", "Mã đã dùng cho bản ghi khác của trường trong năm học".to_owned()))
        }
        _ => Ok(()),
    }
}

fn pupil(store: &Store, batch: &Batch, record: &Record) -> Checked {
    let class = text(&record.du_lieu, "MA_LOP").unwrap_or_default();
    if store.by_code(CLASS, &batch.ma_truong, batch.nam_hoc, &class).is_none() {
        let text = "Lớp (MA_LOP) chưa có trên hệ thống của Bộ, cần gửi lớp trước học sinh";
        return Err(Rejection("LOP_CHUA_CO", text.to_owned()));
    }
    let number = text(&record.du_lieu, "MA_CONG_DAN_ID");
    match number.and_then(|number| store.holder_of_personal_id(&number)) {
        Some(owner) if owner != record.idbanghi => {
            Err(Rejection("TRUNG_DINH_DANH", "Số định danh đã thuộc học sinh khác".to_owned()))
        }
        _ => Ok(()),
    }
}

fn result(store: &Store, batch: &Batch, fields: &Fields) -> Checked {
    let code = any_text(fields, &["HOC_SINH_ID", "HOC_VIEN_ID"]).unwrap_or_default();
    if store.has_pupil(&batch.ma_truong, &code) {
        return Ok(());
    }
    let text = "Học sinh chưa có trên hệ thống của Bộ, cần gửi hồ sơ trước kết quả";
    Err(Rejection("HOC_SINH_CHUA_CO", text.to_owned()))
}
