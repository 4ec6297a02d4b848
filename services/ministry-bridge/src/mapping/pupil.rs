use std::collections::HashMap;

use eduhub_proto::common::v1::{Kind, Level};
use eduhub_proto::dictionary::Record as _;
use eduhub_proto::registry::v1::{Class, Enrolment, Health, Pupil};
use serde_json::Value;
use uuid::Uuid;

use super::payload::{Fields, Outgoing, compose, level_of};

/// Status of a pupil who studies (DM_TRANG_THAI_HOC_SINH, domain.md D.8).
const STUDYING: &str = "01";

/// What a pupil's payload takes from other records of the same seal: class, grade and status from the enrolment, height and
/// weight from the latest measurement. Holds one entry per pupil of one school.
#[derive(Default)]
pub struct PupilParts {
    of: HashMap<String, Parts>,
}

#[derive(Default)]
struct Parts {
    enrolment: Option<Enrolment>,
    health: Option<Health>,
    /// Sum over all parts, chosen or not: it also rises when a newer part takes the place of a higher-versioned one.
    versions: i64,
}

impl PupilParts {
    /// Takes an enrolment. Of several the pupil's present one counts: studying before not, then the latest status.
    pub fn enrolment(&mut self, record: Enrolment, version: i64) {
        let parts = self.of.entry(record.student_code.clone()).or_default();
        parts.versions += version;
        let rank =
            |e: &Enrolment| (e.student_status == STUDYING, e.status_on.clone(), e.enrolment_id.clone());
        if parts.enrolment.as_ref().is_none_or(|held| rank(held) < rank(&record)) {
            parts.enrolment = Some(record);
        }
    }

    /// Takes a measurement. The latest counts.
    pub fn health(&mut self, record: Health, version: i64) {
        let parts = self.of.entry(record.student_code.clone()).or_default();
        parts.versions += version;
        let rank = |h: &Health| (h.measured_on.clone(), h.term.clone());
        if parts.health.as_ref().is_none_or(|held| rank(held) < rank(&record)) {
            parts.health = Some(record);
        }
    }

    /// The pupil with its parts. It goes after its class.
    pub fn compose(
        &self,
        pupil: &Pupil,
        (record_id, version): (Uuid, i64),
        school_year: i32,
        school: Level,
    ) -> Outgoing {
        let parts = self.of.get(&pupil.student_code);
        let enrolment = parts.and_then(|parts| parts.enrolment.as_ref());
        let level = level_of(school, enrolment.map_or("", |e| e.grade.as_str()));
        let mut fields = Fields::new();
        compose(&mut fields, pupil, level);
        if let Some(enrolment) = enrolment {
            compose(&mut fields, enrolment, level);
        }
        if let Some(health) = parts.and_then(|parts| parts.health.as_ref()) {
            compose(&mut fields, health, level);
            if let Some(index) = body_mass_index(health) {
                fields.insert("CHI_SO_BMI".to_owned(), Value::from(index));
            }
        }
        Outgoing {
            record_id,
            kind: Kind::Pupil,
            record_key: pupil.student_code.clone(),
            parent: enrolment.map(|e| (Kind::Class, Class::META.full_key(school_year, &e.class_code))),
            version: version + parts.map_or(0, |parts| parts.versions),
            fields,
        }
    }
}

/// Weight in kg over the square of the height in m, one decimal (domain.md C.4: recompute, do not trust).
fn body_mass_index(health: &Health) -> Option<f64> {
    let index = (health.weight_kg / (health.height_cm / 100.0).powi(2) * 10.0).round() / 10.0;
    index.is_finite().then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enrolment(id: &str, class: &str, status: &str, on: &str) -> Enrolment {
        Enrolment {
            enrolment_id: id.into(),
            student_code: "0142976686".into(),
            class_code: class.into(),
            grade: "6".into(),
            student_status: status.into(),
            status_on: on.into(),
            ..Enrolment::default()
        }
    }

    fn pupil() -> Pupil {
        Pupil { student_code: "0142976686".into(), full_name: "Nguyễn Văn An".into(), ..Pupil::default() }
    }

    #[test]
    fn the_present_enrolment_and_the_latest_measurement_count() {
        let mut parts = PupilParts::default();
        parts.enrolment(enrolment("2", "6A2", "01", "2026-09-05"), 1);
        parts.enrolment(enrolment("1", "6A1", "02", "2026-10-01"), 4);
        for (term, on, height) in [("2", "2027-02-01", 141.0), ("1", "2026-10-01", 139.0)] {
            let student_code = "0142976686".to_owned();
            parts.health(
                Health {
                    term: term.into(),
                    student_code,
                    measured_on: on.into(),
                    height_cm: height,
                    weight_kg: 35.0,
                    ..Health::default()
                },
                1,
            );
        }
        let out = parts.compose(&pupil(), (Uuid::nil(), 3), 2026, Level::LowerSecondary);
        assert_eq!(out.fields["MA_LOP"], "6A2");
        assert_eq!(out.fields["CHIEU_CAO"], 141.0);
        assert_eq!(out.fields["CHI_SO_BMI"], 17.6);
        assert_eq!(out.parent, Some((Kind::Class, "2026/6A2".to_owned())));
        assert_eq!(out.version, 10);
    }

    #[test]
    fn a_pupil_without_enrolment_hangs_on_nothing() {
        let out = PupilParts::default().compose(&pupil(), (Uuid::nil(), 1), 2026, Level::Primary);
        assert_eq!(out.parent, None);
        assert!(!out.fields.contains_key("MA_LOP"));
    }
}
