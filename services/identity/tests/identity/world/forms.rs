use eduhub_proto::common::v1::{DataDomain, Level};
use eduhub_proto::identity::v1::{Contract, Form1, Form2, SubmitApplicationRequest};

/// A good form 1 of a school for a vendor's product.
pub fn form(school: &str, vendor: &str, software: &str) -> Form1 {
    Form1 {
        governing_body: "UBND phường Hoa Lư".into(),
        school_code: school.into(),
        school_name: "Trường THCS Lê Hồng Phong".into(),
        document_no: "12/ĐK-LHP".into(),
        place: "Hoa Lư".into(),
        issued_on: "2026-09-01".into(),
        legal_basis: vec!["Công văn số 1545/SGDĐT-CTHSSV ngày 17/11/2025".into()],
        level: Level::LowerSecondary as i32,
        software_code: software.into(),
        vendor_code: vendor.into(),
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
        domains: vec![DataDomain::School as i32, DataDomain::Pupil as i32],
        valid_from: "2026-09-05".into(),
        valid_to: "2030-08-31".into(),
        ..Form1::default()
    }
}

/// The request that submits a form, without a request id.
pub fn submit(form: Form1) -> SubmitApplicationRequest {
    SubmitApplicationRequest { request_id: String::new(), form: Some(form) }
}

/// A good form 2 of a commune for these applications.
pub fn form2(area: &str, application_ids: &[String]) -> Form2 {
    Form2 {
        governing_body: "UBND tỉnh Ninh Bình".into(),
        office: "UBND phường Hoa Lư".into(),
        document_no: "34/UBND".into(),
        place: "Hoa Lư".into(),
        issued_on: "2026-09-02".into(),
        legal_basis: vec!["Công văn số 1545/SGDĐT-CTHSSV ngày 17/11/2025".into()],
        area: area.into(),
        contact_name: "Trần Thị Mai".into(),
        contact_phone: "0987654321".into(),
        contact_email: "hoalu@ninhbinh.gov.vn".into(),
        recipients: vec!["Như trên".into(), "Lưu: VT".into()],
        signed_by: "Lê Văn Bình".into(),
        signed_on: "2026-09-02".into(),
        application_ids: application_ids.to_vec(),
        ..Form2::default()
    }
}
