//! Moves within the run: who moves out of a school comes to the next one of its kind, so that both events of a transfer are there.
use super::Content;
use super::plan::School;
use super::settings::Institution;
use eduhub_proto::registry::v1::record::Record as Any;
use eduhub_proto::registry::v1::{Enrolment, Pupil, Record};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Pupils on the way, by the kind of their schools.
#[derive(Default)]
pub struct Transfers {
    waiting: HashMap<Institution, Vec<Mover>>,
    next: HashMap<String, String>,
}

struct Mover {
    pupil: Pupil,
    enrolment: Enrolment,
    from: String,
}

impl Transfers {
    /// For the schools of a run, in the order in which they are made.
    pub fn of(schools: &[School]) -> Self {
        let mut next = HashMap::new();
        for (i, one) in schools.iter().enumerate() {
            let other = schools[i + 1..].iter().find(|s| s.institution == one.institution);
            if let Some(other) = other {
                next.insert(one.school_code.clone(), other.school_code.clone());
            }
        }
        Self { waiting: HashMap::new(), next }
    }

    /// Takes in who waits for this school, and lets go who moves out of it to the next one. A pupil with a planted defect moves
    /// away for good: what was planted stands at one school only.
    pub fn pass(&mut self, school: &School, content: &mut Content) {
        let planted: HashSet<&str> = content.truth.iter().map(|t| t.record_key.as_str()).collect();
        let sound = |p: &Pupil| !planted.contains(p.student_code.as_str());
        let pupils: HashMap<String, Pupil> = content
            .records
            .iter()
            .filter_map(pupil_of)
            .filter(|p| sound(p))
            .map(|p| (p.student_code.clone(), p.clone()))
            .collect();
        let mut leaving = Vec::new();
        if let Some(next) = self.next.get(&school.school_code) {
            for record in &mut content.records {
                let Some(Any::Enrolment(e)) = &mut record.record else { continue };
                let goes = e.student_status == "04" && !planted.contains(e.enrolment_id.as_str());
                let Some(pupil) = pupils.get(&e.student_code).filter(|_| goes) else {
                    continue;
                };
                e.to_school = Some(next.clone());
                leaving.push(Mover {
                    pupil: pupil.clone(),
                    enrolment: e.clone(),
                    from: school.school_code.clone(),
                });
            }
        }
        for mover in self.waiting.remove(&school.institution).unwrap_or_default() {
            take_in(mover, content);
        }
        self.waiting.entry(school.institution).or_default().extend(leaving);
    }
}

fn pupil_of(record: &Record) -> Option<&Pupil> {
    match &record.record {
        Some(Any::Pupil(pupil)) => Some(pupil),
        _ => None,
    }
}

/// Puts the pupil after the school's own, in a class of the grade; without one the move stays open.
fn take_in(mover: Mover, content: &mut Content) {
    let Some(class_code) = emptiest(content, &mover.enrolment.grade) else { return };
    let enrolment = Enrolment {
        enrolment_id: format!("{}-in", mover.enrolment.enrolment_id),
        class_code,
        enrolment_type: "3".into(),
        student_status: "02".into(),
        from_school: Some(mover.from),
        to_school: None,
        ..mover.enrolment
    };
    let last = |kind: fn(&Any) -> bool| {
        content.records.iter().rposition(|r| r.record.as_ref().is_some_and(kind)).map_or(0, |at| at + 1)
    };
    let (pupils, enrolments) =
        (last(|r| matches!(r, Any::Pupil(_))), last(|r| matches!(r, Any::Enrolment(_))));
    content.records.insert(enrolments, Record { record: Some(Any::Enrolment(enrolment)) });
    content.records.insert(pupils, Record { record: Some(Any::Pupil(mover.pupil)) });
}

/// The class of a grade with the fewest pupils: a school fills no class beyond what a room holds while another has places.
fn emptiest(content: &Content, grade: &str) -> Option<String> {
    let mut pupils: BTreeMap<&str, usize> = BTreeMap::new();
    for record in content.records.iter().filter_map(|r| r.record.as_ref()) {
        match record {
            Any::Class(c) if c.grade == grade => _ = pupils.entry(&c.class_code).or_default(),
            // Classes come before those who are in them.
            Any::Enrolment(e) => pupils.get_mut(e.class_code.as_str()).into_iter().for_each(|n| *n += 1),
            _ => {}
        }
    }
    pupils.into_iter().min_by_key(|(_, n)| *n).map(|(class, _)| class.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::{Options, Settings, plan, school};
    use super::*;
    use eduhub_proto::registry::v1::Class;
    use std::path::PathBuf;

    #[test]
    fn who_comes_goes_to_the_class_with_the_fewest() {
        let class = |code: &str, grade: &str| {
            Any::Class(Class { class_code: code.into(), grade: grade.into(), ..Class::default() })
        };
        let seat = |code: &str| Any::Enrolment(Enrolment { class_code: code.into(), ..Enrolment::default() });
        let all =
            [class("6A1", "6"), class("6A2", "6"), class("7A1", "7"), seat("6A1"), seat("6A1"), seat("6A2")];
        let records = all.map(|any| Record { record: Some(any) }).to_vec();
        let content = Content { records, ..Content::default() };
        assert_eq!(emptiest(&content, "6").as_deref(), Some("6A2"));
        assert_eq!(emptiest(&content, "7").as_deref(), Some("7A1"));
        assert_eq!(emptiest(&content, "8"), None);
    }

    #[test]
    fn both_events_of_a_move_are_in_the_run() {
        let settings = Settings::ninh_binh();
        let province = plan(&Options::new(PathBuf::new()), &settings).unwrap();
        let mut transfers = Transfers::of(&province.schools);
        let (mut out, mut come) = (HashSet::new(), HashSet::new());
        let codes: HashSet<&str> = province.schools.iter().map(|s| s.school_code.as_str()).collect();
        for one in &province.schools {
            let mut content = school(1, 2026, one, &settings).unwrap();
            transfers.pass(one, &mut content);
            let all: Vec<_> = content.records.iter().filter_map(|r| r.record.as_ref()).collect();
            for e in all.iter().filter_map(|r| if let Any::Enrolment(e) = r { Some(e) } else { None }) {
                let inside = |code: &Option<String>| code.as_deref().is_some_and(|c| codes.contains(c));
                let event = |from: &str, to: &str| (e.student_code.clone(), from.to_owned(), to.to_owned());
                if inside(&e.to_school) {
                    out.insert(event(&one.school_code, e.to_school.as_deref().unwrap()));
                }
                if inside(&e.from_school) {
                    come.insert(event(e.from_school.as_deref().unwrap(), &one.school_code));
                }
            }
            let pupils: HashSet<&str> =
                content.records.iter().filter_map(pupil_of).map(|p| p.student_code.as_str()).collect();
            assert!(
                all.iter()
                    .all(|r| !matches!(r, Any::Enrolment(e) if !pupils.contains(e.student_code.as_str())))
            );
        }
        assert!(come.len() > 5 && come.is_subset(&out), "{} of {}", come.len(), out.len());
    }
}
