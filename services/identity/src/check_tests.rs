use super::*;
use proptest::prelude::*;
use time::macros::date;

const TODAY: Date = date!(2026 - 11 - 22);

fn found(judge: impl Fn(&mut Check)) -> Vec<Reason> {
    let mut check = Check::new(TODAY);
    judge(&mut check);
    check.found.into_iter().map(|(_, reason, _)| reason).collect()
}

#[test]
fn phones_have_a_zero_and_nine_digits() {
    assert_eq!(found(|c| c.phone("f", "0912345678")), vec![]);
    for bad in ["912345678", "84912345678", "091234567", "09123456789", "09123 5678", "091234567O"] {
        assert_eq!(found(|c| c.phone("f", bad)), vec![Reason::BadFormat], "{bad}");
    }
    assert_eq!(found(|c| c.phone("f", "")), vec![Reason::Missing]);
}

#[test]
fn emails() {
    assert_eq!(found(|c| c.email("f", "c3.nguyentrai@ninhbinh.edu.vn")), vec![]);
    for bad in ["a", "a@b", "@b.vn", "a@.vn", "a@b.", "a b@c.vn", "a@b@c.vn", "a@b.vn;c@d.vn"] {
        assert_eq!(found(|c| c.email("f", bad)), vec![Reason::BadFormat], "{bad}");
    }
}

#[test]
fn names_and_texts() {
    assert_eq!(found(|c| c.person("f", "Nguyễn Thị Hương")), vec![]);
    assert_eq!(found(|c| c.person("f", "Nguyễn H2")), vec![Reason::DigitInName]);
    assert_eq!(found(|c| c.person("f", "N")), vec![Reason::TooShort]);
    assert_eq!(found(|c| c.text("f", "a  b", 1..=9)), vec![Reason::BadSpacing]);
    assert_eq!(found(|c| c.text("f", "", 0..=9)), vec![]);
}

#[test]
fn periods() {
    let period = |from: &'static str, to: &'static str| {
        found(|c| {
            c.period(("from", from), ("to", to));
        })
    };
    assert_eq!(period("2026-09-05", "2027-05-31"), vec![]);
    assert_eq!(period("2027-08-01", "2028-05-31"), vec![], "may be ahead");
    assert_eq!(period("2026-09-05", "2026-09-05"), vec![Reason::OutOfRange]);
    assert_eq!(period("2025-09-05", "2026-11-21"), vec![Reason::OutOfRange], "over already");
    assert_eq!(period("2026-09-05", "2031-09-06"), vec![Reason::OutOfRange], "more than five years");
    assert_eq!(period("", "2026-02-30"), vec![Reason::Missing, Reason::BadDate]);
}

#[test]
fn all_violations_come_at_once() {
    let mut check = Check::new(TODAY);
    check.phone("a", "1");
    check.email("b", "");
    let status = tonic::Status::from(check.finish().unwrap_err());
    let details = tonic_types::StatusExt::get_error_details(&status);
    let fields: Vec<_> =
        details.bad_request().unwrap().field_violations.iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["a", "b"]);
}

proptest! {
    #[test]
    fn no_text_makes_a_rule_panic(value in ".{0,40}") {
        let mut check = Check::new(TODAY);
        check.phone("f", &value);
        check.email("f", &value);
        check.person("f", &value);
        check.date("f", &value);
        check.past_date("f", &value);
        prop_assert!(value.is_empty() || check.found.len() < 20);
    }
}
