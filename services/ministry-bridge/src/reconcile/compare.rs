use eduhub_proto::bridge::v1::{DifferenceType, Reconciled};
use eduhub_proto::common::v1::{Kind, Sensitivity};
use serde_json::Value;

use super::model::{Difference, Findings};
use crate::mapping::{Fields, Outgoing, key_in_year, symbol};
use crate::ministry::HeldRow;

/// Compares a sealed record with what the Ministry holds of it.
pub(super) fn record(findings: &mut Findings, hub: &Outgoing, held: Option<&HeldRow>) {
    findings.counts(hub.kind).hub += 1;
    let whole = |kind_of| Difference {
        kind_of,
        kind: hub.kind,
        record_id: hub.record_id,
        record_key: hub.record_key.clone(),
        field: String::new(),
        label: String::new(),
        class: Sensitivity::Public,
        hub_value: String::new(),
        ministry_value: String::new(),
    };
    let Some(held) = held else {
        findings.counts(hub.kind).missing += 1;
        findings.records.push((hub.record_id, Reconciled::Missing));
        findings.add(whole(DifferenceType::Missing));
        return;
    };
    let fields = fields(hub.kind, &hub.fields, &held.du_lieu);
    if fields.is_empty() {
        findings.counts(hub.kind).matching += 1;
        findings.records.push((hub.record_id, Reconciled::Matches));
        return;
    }
    findings.counts(hub.kind).differing += 1;
    findings.records.push((hub.record_id, Reconciled::Differs));
    for (name, hub_value, ministry_value) in fields {
        let meaning = symbol(hub.kind, &name);
        // A personal ID stays out of this table: that it differs is enough.
        let secret = meaning.class == Sensitivity::Secret;
        let shown = |value: String| if secret { String::new() } else { value };
        findings.add(Difference {
            field: name,
            label: meaning.label.to_owned(),
            class: meaning.class,
            hub_value: shown(hub_value),
            ministry_value: shown(ministry_value),
            ..whole(DifferenceType::Differs)
        });
    }
}

/// A record that only the Ministry has.
pub(super) fn extra(findings: &mut Findings, kind: Kind, held: &HeldRow) {
    findings.counts(kind).extra += 1;
    findings.add(Difference {
        kind_of: DifferenceType::Extra,
        kind,
        record_id: held.idbanghi,
        record_key: key_in_year(kind, &held.khoa).to_owned(),
        field: String::new(),
        label: String::new(),
        class: Sensitivity::Public,
        hub_value: String::new(),
        ministry_value: String::new(),
    });
}

/// Symbols whose values differ, with both values as text. A symbol that only the Ministry has counts when the dictionary knows
/// it: its own additions are its own.
fn fields(kind: Kind, hub: &Fields, held: &Fields) -> Vec<(String, String, String)> {
    let mut out = Vec::new();
    for (name, value) in hub {
        let other = held.get(name).unwrap_or(&Value::Null);
        if !same(value, other) {
            out.push((name.clone(), text(value), text(other)));
        }
    }
    for (name, value) in held {
        let known = !hub.contains_key(name) && !symbol(kind, name).label.is_empty();
        if known && !matches!(value, Value::Null) && !text(value).is_empty() {
            out.push((name.clone(), String::new(), text(value)));
        }
    }
    out
}

/// Numbers are compared as numbers when one side has them so; codes are texts on both sides, `01` is not `1`.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), _) | (_, Value::Number(_)) => match (number(a), number(b)) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-9,
            _ => false,
        },
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use uuid::Uuid;

    fn of(value: Value) -> Fields {
        serde_json::from_value(value).unwrap()
    }

    fn pupil(fields: Value) -> Outgoing {
        Outgoing {
            record_id: Uuid::from_u128(1),
            kind: Kind::Pupil,
            record_key: "0142976686".into(),
            parent: None,
            version: 1,
            fields: of(fields),
        }
    }

    fn held(fields: Value) -> HeldRow {
        let (khoa, idbanghi) = ("0142976686".into(), Uuid::from_u128(1));
        HeldRow { idbanghi, khoa, phienban: 1, nam_hoc: 2026, du_lieu: of(fields), ma_bo: None }
    }

    #[test]
    fn numbers_compare_by_value_and_codes_by_letter() {
        assert!(same(&json!(1), &json!("1.0")));
        assert!(!same(&json!("01"), &json!("1")));
        assert!(!same(&json!(141.0), &json!("")));
    }

    #[test]
    fn a_personal_id_is_named_and_not_kept() {
        let mut findings = Findings::default();
        let ours = pupil(json!({"MA_CONG_DAN_ID": "037212004321", "HO_TEN": "Phạm Thị Hoa"}));
        let theirs = held(json!({"MA_CONG_DAN_ID": "037212004329", "HO_TEN": "Phạm Thị Ho"}));
        record(&mut findings, &ours, Some(&theirs));
        let [name, id] = &findings.differences[..] else { panic!("{:?}", findings.differences) };
        assert_eq!(
            (id.field.as_str(), id.hub_value.as_str(), id.ministry_value.as_str()),
            ("MA_CONG_DAN_ID", "", "")
        );
        assert_eq!((name.hub_value.as_str(), name.ministry_value.as_str()), ("Phạm Thị Hoa", "Phạm Thị Ho"));
        assert_eq!(findings.counts(Kind::Pupil).differing, 1);
    }

    #[test]
    fn what_the_ministry_adds_of_its_own_is_no_difference() {
        let mut findings = Findings::default();
        record(
            &mut findings,
            &pupil(json!({"HO_TEN": "A"})),
            Some(&held(json!({"HO_TEN": "A", "NGAY_NHAN": "x"}))),
        );
        assert_eq!(findings.counts(Kind::Pupil).matching, 1);
        record(
            &mut findings,
            &pupil(json!({"HO_TEN": "A"})),
            Some(&held(json!({"HO_TEN": "A", "NOI_SINH": "Huế"}))),
        );
        assert_eq!(findings.differences[0].field, "NOI_SINH");
    }
}
