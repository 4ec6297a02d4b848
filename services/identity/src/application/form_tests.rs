use super::*;
use eduhub_proto::identity::v1::{Software, Vendor};
use time::macros::date;
use tonic_types::StatusExt;

const TODAY: Date = date!(2026 - 11 - 22);

fn vendors() -> Catalogue {
    let software = vec![Software { code: "SMAS".into(), name: "SMAS".into() }];
    Catalogue(vec![Vendor { code: "VIETTEL".into(), name: "Viettel".into(), software }])
}

fn good() -> Form1 {
    Form1 {
        governing_body: "UBND phường Hoa Lư".into(),
        school_code: "37000001".into(),
        school_name: "Trường THCS Lê Hồng Phong".into(),
        document_no: "12/ĐK-LHP".into(),
        place: "Hoa Lư".into(),
        issued_on: "2026-09-01".into(),
        legal_basis: vec!["Công văn số 1545/SGDĐT-CTHSSV ngày 17/11/2025".into()],
        level: Level::LowerSecondary as i32,
        software_code: "SMAS".into(),
        vendor_code: "VIETTEL".into(),
        software_account: "lehongphong_37".into(),
        contact_name: "Phạm Văn Nam".into(),
        contact_phone: "0912345678".into(),
        contact_email: "lhp@ninhbinh.edu.vn".into(),
        signed_by: "Nguyễn Thị Hương".into(),
        signed_on: "2026-09-01".into(),
        contract: Some(Contract {
            number: "05/HĐ-2026".into(),
            signed_on: "2026-08-15".into(),
            secrecy_clause: "Điều 7 khoản 2".into(),
            secrecy_confirmed: true,
            file_sha256: "a".repeat(64),
        }),
        data_completed: true,
        domains: vec![DataDomain::Pupil as i32, DataDomain::School as i32],
        valid_from: "2026-09-05".into(),
        valid_to: "2027-08-31".into(),
        ..Form1::default()
    }
}

fn violations(form: Form1) -> Vec<(String, String)> {
    let Err(fault) = Application::parse("", form, &vendors(), TODAY) else { return vec![] };
    let status = tonic::Status::from(fault);
    let details = status.get_error_details();
    let found = details.bad_request().unwrap().field_violations.iter();
    found.map(|v| (v.field.clone(), v.description.split(':').next().unwrap_or_default().to_owned())).collect()
}

#[test]
fn a_good_form_passes_and_gets_its_fixed_texts() {
    let parsed = Application::parse("", good(), &vendors(), TODAY).unwrap();
    assert_eq!(parsed.form.subject, SUBJECT);
    assert_eq!(parsed.form.request_text, REQUEST);
    assert_eq!(parsed.software, "SMAS");
    assert_eq!(parsed.period, (date!(2026 - 09 - 05), date!(2027 - 08 - 31)));
    let again = Application::parse("", parsed.form, &vendors(), TODAY);
    assert!(again.is_ok(), "the fixed texts themselves are accepted");
}

#[test]
fn an_empty_form_names_every_required_field() {
    let fields: Vec<String> = violations(Form1::default()).into_iter().map(|(field, _)| field).collect();
    let required = "governing_body school_code school_name place issued_on legal_basis level vendor_code software_code
        contact_name contact_phone contact_email signed_by signed_on contract.number contract.signed_on
        contract.secrecy_clause contract.secrecy_confirmed contract.file_sha256 data_completed domains valid_from valid_to";
    for field in required.split_whitespace() {
        assert!(fields.contains(&format!("form.{field}")), "{field} in {fields:?}");
    }
    assert_eq!(fields.len(), required.split_whitespace().count());
}

#[test]
fn each_field_is_judged_by_its_own_rule() {
    type Change = fn(&mut Form1);
    let cases: [(&str, &str, Change); 20] = [
        ("form.school_code", "BAD_FORMAT", |f| f.school_code = "37-1".into()),
        ("form.document_no", "TOO_LONG", |f| f.document_no = "x".repeat(51)),
        ("form.issued_on", "BAD_DATE", |f| f.issued_on = "2026-11-23".into()),
        ("form.subject", "BAD_FORMAT", |f| f.subject = "Khác".into()),
        ("form.addressees", "MISSING", |f| f.addressees = vec!["Sở Y tế".into()]),
        ("form.legal_basis[0]", "TOO_SHORT", |f| f.legal_basis = vec!["x".into()]),
        ("form.level", "UNKNOWN_CODE", |f| f.level = 99),
        ("form.software_code", "UNKNOWN_CODE", |f| f.software_code = "VNEDU".into()),
        ("form.vendor_code", "UNKNOWN_CODE", |f| {
            (f.vendor_code, f.software_code) = ("X".into(), "OTHER".into())
        }),
        ("form.software_account", "BAD_FORMAT", |f| f.software_account = "user / password".into()),
        ("form.contact_name", "DIGIT_IN_NAME", |f| f.contact_name = "Nam 2".into()),
        ("form.contact_phone", "BAD_FORMAT", |f| f.contact_phone = "+84912345678".into()),
        ("form.contact_email", "BAD_FORMAT", |f| f.contact_email = "nam".into()),
        ("form.signed_by", "FORM_UNSIGNED", |f| f.signed_by.clear()),
        ("form.signed_on", "BAD_DATE", |f| f.signed_on = "2027-01-01".into()),
        ("form.contract.secrecy_clause", "MISSING", |f| contract_of(f).secrecy_clause.clear()),
        ("form.contract.secrecy_confirmed", "MISSING", |f| contract_of(f).secrecy_confirmed = false),
        ("form.contract.file_sha256", "BAD_FORMAT", |f| contract_of(f).file_sha256 = "abc".into()),
        ("form.domains[1]", "UNKNOWN_CODE", |f| f.domains[1] = f.domains[0]),
        ("form.valid_to", "OUT_OF_RANGE", |f| f.valid_to = "2026-09-04".into()),
    ];
    for (field, reason, change) in cases {
        let mut form = good();
        change(&mut form);
        let found = violations(form);
        assert!(found.contains(&(field.to_owned(), reason.to_owned())), "{field} {reason} in {found:?}");
    }
}

fn contract_of(form: &mut Form1) -> &mut Contract {
    form.contract.as_mut().unwrap()
}

#[test]
fn the_superior_is_addressed_where_it_is_a_commune() {
    assert_eq!(addressees(true, "14329"), [DEPARTMENT]);
    assert_eq!(addressees(false, "14329").len(), 2);
}
