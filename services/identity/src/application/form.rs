//! Form 1: every field, all violations at once.
use crate::check::{Check, is_school};
use crate::vendor::Catalogue;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::common::v1::{DataDomain, Level};
use eduhub_proto::identity::v1::{Contract, Form1};
use time::Date;
use uuid::Uuid;

/// Subject of every form 1 (R-FORM1-5).
pub const SUBJECT: &str = "V/v đăng ký kết nối phần mềm quản lý nhà trường với CSDL ngành giáo dục";
/// What every form 1 asks for (R-FORM1-15).
pub const REQUEST: &str =
    "Đề nghị cho phép kết nối, đồng bộ dữ liệu từ phần mềm quản lý nhà trường với CSDL ngành giáo dục";
/// First addressee of every form (R-FORM1-6).
pub const DEPARTMENT: &str = "Sở Giáo dục và Đào tạo";

/// A form that breaks no rule.
#[derive(Debug, Clone)]
pub struct Application {
    /// The form, fixed texts filled in.
    pub form: Form1,
    /// Name of the software.
    pub software: String,
    /// Data domains asked for.
    pub domains: Vec<DataDomain>,
    /// First and last day.
    pub period: (Date, Date),
    /// The caller's own id of the request.
    pub request_id: Option<Uuid>,
}

impl Application {
    /// Checks a form.
    ///
    /// # Errors
    /// INVALID_ARGUMENT/INVALID_REQUEST with every violation.
    pub fn parse(request_id: &str, mut form: Form1, vendors: &Catalogue, today: Date) -> Result<Self, Fault> {
        let mut check = Check::new(today);
        let id = request_id.parse::<Uuid>().ok();
        check.require(request_id.is_empty() || id.is_some(), "request_id", Reason::BadFormat);
        head(&mut check, &mut form);
        let software =
            vendors.resolve(&mut check, &form.vendor_code, &form.software_code, &form.software_other);
        contact(&mut check, &form);
        contract(&mut check, &form.contract.clone().unwrap_or_default());
        check.require(form.data_completed, "form.data_completed", Reason::Missing);
        let domains = check.domains("form.domains", &form.domains, false);
        let period = check.period(("form.valid_from", &form.valid_from), ("form.valid_to", &form.valid_to));
        check.finish()?;
        let period = period.ok_or_else(|| Fault::invalid("form.valid_to", "OUT_OF_RANGE"))?;
        Ok(Self { form, software, domains, period, request_id: id })
    }
}

/// R-FORM1-1 to 8 and 15.
fn head(check: &mut Check, form: &mut Form1) {
    check.text("form.governing_body", &form.governing_body, 2..=200);
    check.shape("form.school_code", &form.school_code, is_school(&form.school_code));
    check.text("form.school_name", &form.school_name, 2..=200);
    check.text("form.document_no", &form.document_no, 0..=50);
    check.text("form.place", &form.place, 2..=100);
    check.past_date("form.issued_on", &form.issued_on);
    check.fixed("form.subject", &mut form.subject, SUBJECT);
    check.texts("form.addressees", &form.addressees, 0..=5, 2..=200);
    let has_department = form.addressees.is_empty() || form.addressees.iter().any(|a| a.contains(DEPARTMENT));
    check.require(has_department, "form.addressees", Reason::Missing);
    check.texts("form.legal_basis", &form.legal_basis, 1..=20, 2..=500);
    match Level::try_from(form.level) {
        Ok(Level::Unspecified) => check.refuse("form.level", Reason::Missing),
        Ok(_) => {}
        Err(_) => check.refuse("form.level", Reason::UnknownCode),
    }
    check.fixed("form.request_text", &mut form.request_text, REQUEST);
}

/// R-FORM1-11 to 14 and 16.
fn contact(check: &mut Check, form: &Form1) {
    if !form.software_account.is_empty() {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._@-".contains(&b);
        let good = form.software_account.len() <= 100 && form.software_account.bytes().all(plain);
        check.shape("form.software_account", &form.software_account, good);
    }
    check.person("form.contact_name", &form.contact_name);
    check.phone("form.contact_phone", &form.contact_phone);
    check.email("form.contact_email", &form.contact_email);
    check.signature(("form.signed_by", &form.signed_by), ("form.signed_on", &form.signed_on));
}

/// R-API-4 and 5: no API without a signed contract that binds the vendor to secrecy.
fn contract(check: &mut Check, contract: &Contract) {
    check.text("form.contract.number", &contract.number, 1..=50);
    check.past_date("form.contract.signed_on", &contract.signed_on);
    check.text("form.contract.secrecy_clause", &contract.secrecy_clause, 2..=500);
    check.require(contract.secrecy_confirmed, "form.contract.secrecy_confirmed", Reason::Missing);
    let hash = &contract.file_sha256;
    check.shape(
        "form.contract.file_sha256",
        hash,
        hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
    );
}

/// Who the form goes to when it does not say: the Department, and the commune where that is the superior (R-API-13).
pub fn addressees(directly_managed: bool, commune_code: &str) -> Vec<String> {
    let mut out = vec![DEPARTMENT.to_owned()];
    if !directly_managed {
        out.push(format!("Ủy ban nhân dân xã, phường (mã {commune_code})"));
    }
    out
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
