//! What a vendor is, and the catalogue that forms refer to.
use crate::check::Check;
use eduhub_faults::{Fault, Reason};
use eduhub_proto::identity::v1::Vendor;
use std::collections::BTreeSet;
use time::Date;

/// Products of one vendor.
const MOST_SOFTWARE: usize = 20;
/// Code of "another software" on form 1 (R-FORM1-9).
pub const OTHER: &str = "OTHER";

/// Checks a vendor before it is registered.
///
/// # Errors
/// INVALID_ARGUMENT/INVALID_REQUEST with every violation.
pub fn check(vendor: &Vendor, today: Date) -> Result<(), Fault> {
    let mut check = Check::new(today);
    check.shape("vendor.code", &vendor.code, is_code(&vendor.code));
    check.text("vendor.name", &vendor.name, 2..=200);
    check.require(vendor.software.len() <= MOST_SOFTWARE, "vendor.software", Reason::OutOfRange);
    let mut seen = BTreeSet::new();
    for (i, software) in vendor.software.iter().enumerate() {
        let field = format!("vendor.software[{i}].code");
        let free = software.code != OTHER && seen.insert(&software.code);
        check.shape(&field, &software.code, is_code(&software.code) && free);
        check.text(format!("vendor.software[{i}].name"), &software.name, 2..=200);
    }
    check.finish()
}

fn is_code(code: &str) -> bool {
    let plain = code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    (2..=20).contains(&code.len()) && plain
}

/// All vendors with their products.
#[derive(Debug, Clone, Default)]
pub struct Catalogue(pub Vec<Vendor>);

impl Catalogue {
    /// Checks the vendor and software of a form, and gives the software's name.
    pub fn resolve(&self, check: &mut Check, vendor: &str, code: &str, other: &str) -> String {
        let found = self.0.iter().find(|known| known.code == vendor);
        match (vendor, found) {
            ("", _) => check.refuse("form.vendor_code", Reason::Missing),
            (_, None) => {
                let codes = self.0.iter().map(|known| known.code.as_str());
                check.refuse_with("form.vendor_code", Reason::UnknownCode, &near(vendor, codes));
            }
            _ => {}
        }
        if code == OTHER {
            check.text("form.software_other", other, 2..=200);
            return other.to_owned();
        }
        check.require(other.is_empty(), "form.software_other", Reason::BadFormat);
        let products = found.map(|known| known.software.as_slice()).unwrap_or_default();
        match products.iter().find(|product| product.code == code) {
            Some(product) => return product.name.clone(),
            None if code.is_empty() => check.refuse("form.software_code", Reason::Missing),
            None => {
                let codes = products.iter().map(|product| product.code.as_str()).chain([OTHER]);
                check.refuse_with("form.software_code", Reason::UnknownCode, &near(code, codes));
            }
        }
        String::new()
    }
}

/// At most three codes that look alike.
fn near<'a>(wanted: &str, codes: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_uppercase();
    let mut scored: Vec<_> = codes.map(|code| (strsim::jaro_winkler(&wanted, code), code)).collect();
    scored.retain(|(score, _)| *score > 0.6);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, code)| code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use eduhub_proto::identity::v1::Software;
    use time::macros::date;

    fn violations(vendor: &str, code: &str, other: &str) -> String {
        let software = vec![Software { code: "SMAS".into(), name: "SMAS".into() }];
        let vendor_of =
            |code: &str| Vendor { code: code.into(), name: code.into(), software: software.clone() };
        let catalogue = Catalogue(vec![vendor_of("VIETTEL")]);
        let mut check = Check::new(date!(2026 - 11 - 22));
        catalogue.resolve(&mut check, vendor, code, other);
        format!("{check:?}")
    }

    #[test]
    fn a_product_belongs_to_its_vendor() {
        assert!(!violations("VIETTEL", "SMAS", "").contains("form."));
        assert!(!violations("VIETTEL", "OTHER", "EduSoft").contains("form."));
        assert!(violations("VIETTEL", "VNEDU", "").contains("software_code"));
        assert!(violations("VIETTEL", "OTHER", "").contains("software_other"));
        assert!(violations("VIETTEL", "SMAS", "EduSoft").contains("software_other"));
        assert!(violations("viettel", "SMAS", "").contains("[VIETTEL]"), "near codes are named");
    }
}
