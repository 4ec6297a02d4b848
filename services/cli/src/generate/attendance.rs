//! Daily attendance: the absences of one week of October. Who has no record was there.
use super::chance::{Chance, happens, pick_weighted};
use super::pupils::Calendar;
use eduhub_proto::registry::v1::{Attendance, Enrolment};
use rand::Rng;
use time::Duration;

/// First day of the week, counted from the opening day.
const WEEK: i64 = 38;

/// An absence of a learner with so many days absent in the term so far, perhaps.
pub fn absence(
    rng: &mut Chance,
    calendar: Calendar,
    enrolment: &Enrolment,
    days_absent: Option<i32>,
    noted_by: Option<&String>,
) -> Option<Attendance> {
    // A week is a tenth of the term; preschool children have no count, but fall ill more often.
    let share = days_absent.map_or(0.2, |days| f64::from(days.min(6)) * 0.1);
    if !happens(rng, share) {
        return None;
    }
    let day = calendar.opening + Duration::days(WEEK + rng.random_range(0..5));
    let status = pick_weighted(rng, &[("P", 0.82), ("K", 0.1), ("M", 0.08)]);
    let session = if status == "M" { "1" } else { pick_weighted(rng, &[("3", 0.7), ("1", 0.2), ("2", 0.1)]) };
    let reason = (status == "P")
        .then(|| pick_weighted(rng, &[("Ốm", 0.6), ("Việc gia đình", 0.3), ("Khám bệnh", 0.1)]).to_owned());
    Some(Attendance {
        attended_on: day.to_string(),
        student_code: enrolment.student_code.clone(),
        session: session.into(),
        class_code: enrolment.class_code.clone(),
        status: status.into(),
        reason,
        noted_by: noted_by.cloned(),
    })
}
