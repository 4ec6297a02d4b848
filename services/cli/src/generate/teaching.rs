//! Who teaches which subject in which class (LOPMN.2.1).
use super::classes::ClassRoom;
use eduhub_proto::registry::v1::{Staff, SubjectAssignment};

/// Gives every subject of every class its teacher for the whole year: somebody who teaches it, in turn; where nobody does, as in
/// primary school, the homeroom teacher.
pub fn assign<'s>(classes: &mut [ClassRoom], staff: impl Iterator<Item = &'s Staff>) {
    let teachers: Vec<&Staff> = staff.filter(|s| s.staff_group == "2").collect();
    for (turn, class) in classes.iter_mut().enumerate() {
        let Some(homeroom) = class.record.homeroom_teacher_code.clone() else { continue };
        let of = |subject: &str| {
            let able: Vec<_> =
                teachers.iter().filter(|t| t.subject_taught.as_deref() == Some(subject)).collect();
            let one = able.get(turn % able.len().max(1)).map_or(&homeroom, |t| &t.staff_code);
            SubjectAssignment {
                subject: Some(subject.to_owned()),
                term: Some("3".into()),
                staff_code: Some(one.clone()),
            }
        };
        class.record.subject_assignments = class.course.subjects().into_iter().map(of).collect();
    }
}
