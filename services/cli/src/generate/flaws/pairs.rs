//! Defects that two records show together: the second one is added.
use super::about;
use crate::generate::chance::{Chance, happens};
use crate::generate::defects::Defect;
use crate::generate::plan::School;
use crate::generate::school::Content;
use eduhub_proto::registry::v1::{Health, Pupil, Record, record::Record as Any};
use std::collections::HashSet;

/// Adds second records to sound ones: to each with this chance, and to one at least at the first school of its kind.
pub fn plant(
    rng: &mut Chance,
    school: &School,
    share: f64,
    school_year: i32,
    spent: &HashSet<String>,
    content: &mut Content,
) {
    // What lies after term 1 is there only when the year is over.
    let over = content.records.iter().any(|r| matches!(&r.record, Some(Any::TermResult(t)) if t.term == "3"));
    let (mut drops, mut twins) = (vec![], vec![]);
    let mut owed = [school.first && over, school.first];
    for any in content.records.iter().filter_map(|r| r.record.as_ref()) {
        if spent.contains(&about(any).2) {
            continue;
        }
        match any {
            Any::Health(h) if over && due(rng, &mut owed[0], share) => drops.push(lower(h, school_year)),
            Any::Pupil(p) if p.personal_id.is_some() && due(rng, &mut owed[1], share) => {
                twins.push((p.student_code.clone(), again(p)));
            }
            _ => {}
        }
    }
    let mut found = |defect: Defect, any: &Any| {
        let (kind, key, _) = about(any);
        content.truth.push(defect.truth(&school.school_code, kind, key));
    };
    let mut added = vec![];
    for drop in drops {
        let any = Any::Health(drop);
        found(Defect::HeightDrop, &any);
        added.push(any);
    }
    for (first, second) in twins {
        let any = Any::Pupil(second);
        found(Defect::LikelyDuplicate, &Any::Pupil(Pupil { student_code: first, ..Pupil::default() }));
        found(Defect::LikelyDuplicate, &any);
        found(Defect::MissingId, &any);
        added.push(any);
    }
    for any in added {
        let kind = about(&any).0;
        let last =
            content.records.iter().rposition(|r| r.record.as_ref().is_some_and(|r| about(r).0 == kind));
        content.records.insert(last.map_or(0, |at| at + 1), Record { record: Some(any) });
    }
}

fn due(rng: &mut Chance, owed: &mut bool, share: f64) -> bool {
    std::mem::take(owed) || happens(rng, share)
}

/// Five centimetres less in spring.
fn lower(first: &Health, school_year: i32) -> Health {
    Health {
        term: "2".into(),
        measured_on: format!("{}-03-15", school_year + 1),
        height_cm: ((first.height_cm - 5.0) * 10.0).round() / 10.0,
        ..first.clone()
    }
}

/// The same child under a temporary code.
fn again(first: &Pupil) -> Pupil {
    Pupil { student_code: format!("TAM-{}", first.student_code), personal_id: None, ..first.clone() }
}
