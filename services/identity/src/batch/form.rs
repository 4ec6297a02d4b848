//! Form 2: every field, all violations at once.
use crate::check::{Check, is_commune};
use eduhub_faults::Reason;
use eduhub_proto::identity::v1::Form2;
use std::collections::HashSet;
use uuid::Uuid;

/// Subject of every form 2 (R-FORM2-5).
pub const SUBJECT: &str = "V/v đề nghị cấp API kết nối phần mềm quản lý nhà trường với CSDL ngành giáo dục";
/// What every form 2 asks for (R-FORM2-9).
pub const REQUEST: &str = "Đề nghị cho phép kết nối, đồng bộ dữ liệu từ phần mềm quản lý nhà trường tại các đơn vị thuộc quản lý với CSDL ngành giáo dục";
/// Its addressee (R-FORM2-6).
pub const ADDRESSEE: &str = "Sở Giáo dục và Đào tạo";
/// Applications of one batch.
const MOST: usize = 500;

/// Checks a form, fills its fixed texts in, and gives the ids of the applications that it names well.
pub fn check(check: &mut Check, form: &mut Form2) -> Vec<(usize, Uuid)> {
    check.text("form.governing_body", &form.governing_body, 2..=200);
    check.text("form.office", &form.office, 2..=200);
    check.text("form.document_no", &form.document_no, 0..=50);
    check.text("form.place", &form.place, 2..=100);
    check.past_date("form.issued_on", &form.issued_on);
    check.fixed("form.subject", &mut form.subject, SUBJECT);
    check.fixed("form.addressee", &mut form.addressee, ADDRESSEE);
    check.texts("form.legal_basis", &form.legal_basis, 1..=20, 2..=500);
    check.shape("form.area", &form.area, is_commune(&form.area));
    check.fixed("form.request_text", &mut form.request_text, REQUEST);
    check.person("form.contact_name", &form.contact_name);
    check.phone("form.contact_phone", &form.contact_phone);
    check.email("form.contact_email", &form.contact_email);
    check.texts("form.recipients", &form.recipients, 0..=20, 2..=200);
    check.signature(("form.signed_by", &form.signed_by), ("form.signed_on", &form.signed_on));
    items(check, &form.application_ids)
}

fn items(check: &mut Check, ids: &[String]) -> Vec<(usize, Uuid)> {
    check.require(!ids.is_empty(), "form.application_ids", Reason::Missing);
    if ids.len() > MOST {
        check.refuse("form.application_ids", Reason::OutOfRange);
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let mut out = Vec::with_capacity(ids.len());
    for (i, text) in ids.iter().enumerate() {
        match text.parse() {
            Ok(id) if seen.insert(id) => out.push((i, id)),
            Ok(_) => check.refuse(item(i), Reason::DuplicateInBatch),
            Err(_) => check.refuse(item(i), Reason::NotFound),
        }
    }
    out
}

/// Path of an item.
pub fn item(index: usize) -> String {
    format!("form.application_ids[{index}]")
}
