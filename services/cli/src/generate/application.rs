//! The application by which a synthetic school gives its software access.
use super::School;
use eduhub_proto::common::v1::DataDomain;
use eduhub_proto::identity::v1::{Contract, Form1};
use time::{Date, Duration};

impl School {
    /// Form 1 with every field, for a vendor's software: signed `today`, for all domains and a year.
    pub fn form1(&self, vendor: &str, software: &str, today: Date) -> Form1 {
        Form1 {
            governing_body: format!("Ủy ban nhân dân {}", self.commune),
            school_code: self.school_code.clone(),
            school_name: self.name.clone(),
            document_no: "15/TTr".into(),
            place: self.commune.clone(),
            issued_on: today.to_string(),
            legal_basis: vec!["Công văn số 1545/SGDĐT-CTHSSV ngày 17/11/2025".into()],
            level: self.level() as i32,
            software_code: software.into(),
            vendor_code: vendor.into(),
            software_account: format!("hub.{}", self.school_code),
            contact_name: "Nguyễn Thị Thanh Hà".into(),
            contact_phone: "0912345678".into(),
            contact_email: format!("{}@ninhbinh.edu.vn", self.school_code),
            signed_by: "Trần Văn Minh".into(),
            signed_on: today.to_string(),
            contract: Some(Contract {
                number: "27/HĐ-PM".into(),
                signed_on: (today - Duration::days(30)).to_string(),
                secrecy_clause: "Điều 7: bên cung cấp chịu trách nhiệm giữ bí mật API và tài liệu kết nối"
                    .into(),
                secrecy_confirmed: true,
                file_sha256: "ab".repeat(32),
            }),
            data_completed: true,
            domains: (DataDomain::School as i32..=DataDomain::Facility as i32).collect(),
            valid_from: today.to_string(),
            valid_to: (today + Duration::days(365)).to_string(),
            ..Form1::default()
        }
    }
}
