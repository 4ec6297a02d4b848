//! Whole runs: the planned shares, nothing found in what is sound, everything found that was planted.
mod files;

use super::*;
use eduhub_faults::{Problem, Reason, Severity};
use eduhub_proto::common::v1::Kind;
use eduhub_proto::dictionary::Levels;
use eduhub_proto::registry::v1::{Pupil, Record, record::Record as Any};
use eduhub_rules::{Checker, CodeTable};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use time::macros::date;

fn run(schools: usize, seed: u64) -> (Province, Vec<Content>) {
    let settings = Settings { whole_year: true, ..Settings::ninh_binh() };
    let options = Options { schools, seed, ..Options::new(PathBuf::new()) };
    let province = plan(&options, &settings).unwrap();
    let contents = province.schools.iter().map(|s| school(seed, 2026, s, &settings).unwrap()).collect();
    (province, contents)
}

/// The code lists that registry is seeded with.
fn codes() -> CodeTable {
    let mut table = CodeTable::default();
    for line in include_str!("../../../../registry/seed/code_lists.tsv").lines().skip(1) {
        let mut cells = line.split('\t');
        table.insert(cells.next().unwrap(), cells.next().unwrap(), None, None);
    }
    for line in include_str!("../../../../registry/seed/admin_units_2025.tsv").lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        table.insert("DM_TINH", cells[0], None, None);
        table.insert("DM_XA", cells[2], None, None);
    }
    table
}

fn check(checker: &Checker<'_>, record: &Record) -> Vec<Problem> {
    match record.record.as_ref().unwrap() {
        Any::School(r) => checker.check(r),
        Any::Campus(r) => checker.check(r),
        Any::Class(r) => checker.check(r),
        Any::Pupil(r) => checker.check(r),
        Any::Staff(r) => checker.check(r),
        Any::Enrolment(r) => checker.check(r),
        Any::TermResult(r) => checker.check(r),
        Any::Health(r) => checker.check(r),
        Any::Attendance(r) => checker.check(r),
        Any::Retake(r) => checker.check(r),
        Any::Graduation(r) => checker.check(r),
        Any::FreeCandidate(r) => checker.check(r),
    }
}

fn kind_name(kind: i32) -> String {
    Kind::try_from(kind).unwrap().as_str_name().trim_start_matches("KIND_").to_owned()
}

/// Every finding of the hub's rules is a planted defect and the other way round (what needs a database left out).
#[test]
fn the_rules_find_exactly_what_was_planted() {
    let (province, contents) = run(16, 1);
    let table = codes();
    let today = Checker::new(&table, date!(2027 - 08 - 28)).of_year(2026);
    let (mut found, mut planted) = (BTreeSet::new(), BTreeSet::new());
    for (content, school) in contents.iter().zip(&province.schools) {
        let checker = today.clone().at(Levels::of(school.level()));
        for problem in content.records.iter().flat_map(|r| check(&checker, r)) {
            let reason = Reason::try_from(problem.reason)
                .unwrap()
                .as_str_name()
                .trim_start_matches("REASON_")
                .to_owned();
            let severity = if problem.severity == Severity::Error as i32 { "E" } else { "W" };
            found.insert((kind_name(problem.kind), problem.record_key, reason, severity, problem.field));
        }
        let rooms: Vec<Problem> = content.rooms.iter().flat_map(|r| checker.check(r)).collect();
        assert_eq!(rooms, vec![]);
        for t in &content.truth {
            if t.severity != Effect::Population && !t.defect.is_between_records() {
                let severity = if t.severity == Effect::Error { "E" } else { "W" };
                let key = t.record_key.clone();
                planted.insert((t.kind.clone(), key, t.expected_reason.clone(), severity, t.field.clone()));
            }
        }
        for fixed in &content.fixed {
            assert_eq!(check(&checker, fixed), vec![]);
        }
    }
    assert!(planted.len() > 300, "{}", planted.len());
    let (missed, false_alarms): (Vec<_>, Vec<_>) =
        (planted.difference(&found).collect(), found.difference(&planted).collect());
    assert!(missed.is_empty() && false_alarms.is_empty(), "missed {missed:?}, false alarms {false_alarms:?}");
}

#[test]
fn every_kind_of_record_is_made_and_every_flaw_is_planted() {
    let (_, contents) = run(16, 1);
    let kinds: BTreeSet<i32> =
        contents.iter().flat_map(|c| &c.records).map(|r| describe(r).0 as i32).collect();
    assert_eq!(kinds.len(), 12, "{kinds:?}");
    let planted: HashSet<_> = contents.iter().flat_map(|c| &c.truth).map(|t| t.defect).collect();
    for defect in [Defect::HeightDrop, Defect::LikelyDuplicate, Defect::ClassSize, Defect::DoubleEnrolment] {
        assert!(planted.contains(&defect), "{defect:?}");
    }
    let missing: Vec<_> = Flaw::ALL.iter().filter(|f| !planted.contains(&Defect::Flaw(**f))).collect();
    assert!(missing.is_empty(), "{missing:?}");
    // In the autumn nothing of the year's end is there yet.
    let settings = Settings::ninh_binh();
    let province = plan(&Options::new(PathBuf::new()), &settings).unwrap();
    for one in &province.schools {
        for record in school(1, 2026, one, &settings).unwrap().records {
            assert!(!matches!(record.record, Some(Any::Retake(_) | Any::Graduation(_))));
            assert!(!matches!(record.record, Some(Any::TermResult(r)) if r.term != "1"));
        }
    }
}

/// Names of defects in `truth.jsonl`.
#[test]
fn a_defect_is_written_by_its_name() {
    for (defect, name) in
        [(Defect::MissingId, "\"missing_id\""), (Defect::Flaw(Flaw::TypeOfMove), "\"type_of_move\"")]
    {
        assert_eq!(serde_json::to_string(&defect).unwrap(), name);
        assert_eq!(serde_json::from_str::<Defect>(name).unwrap(), defect);
    }
}

fn pupils(content: &Content) -> impl Iterator<Item = &Pupil> {
    content.records.iter().filter_map(|r| if let Some(Any::Pupil(p)) = &r.record { Some(p) } else { None })
}

#[test]
fn every_share_is_near_its_setting_and_every_defect_is_there() {
    let (province, contents) = run(16, 1);
    let defects = Settings::ninh_binh().defects;
    let mut counts: BTreeMap<Defect, usize> = BTreeMap::new();
    for t in contents.iter().flat_map(|c| &c.truth) {
        *counts.entry(t.defect).or_default() += 1;
    }
    let learners = province.learners as f64;
    for defect in Defect::OF_PUPILS.into_iter().chain([Defect::HeightOutlier]) {
        let count = *counts.get(&defect).unwrap_or(&0) as f64;
        let expected = defect.share(&defects) * learners;
        // Four standard deviations of a count, and the one that the first school carries in any case.
        assert!(
            count >= 1.0 && (count - expected).abs() <= 4.0 * expected.sqrt() + 2.0,
            "{defect:?}: {count} for {expected}"
        );
    }
    let boys = contents.iter().flat_map(pupils).filter(|p| p.sex == "1").count() as f64 / learners;
    assert!((boys - 0.52).abs() < 0.02, "{boys}");
    let home =
        |p: &&Pupil| p.personal_id.as_ref().is_some_and(|id| ["035", "036", "037"].contains(&&id[..3]));
    let home = contents.iter().flat_map(pupils).filter(home).count() as f64 / learners;
    assert!((home - 0.94).abs() < 0.04, "{home}");
}

#[test]
fn the_smallest_runs_meet_every_rule() {
    let (province, contents) = run(3, 5);
    assert_eq!(province.learners, 150);
    let planted: HashSet<_> = contents.iter().flat_map(|c| &c.truth).map(|t| t.defect).collect();
    let wanted = Defect::OF_PUPILS.iter().filter(|d| **d != Defect::IdDuplicate); // needs a twin, which 50 pupils may lack
    assert!(wanted.clone().all(|d| planted.contains(d)), "{planted:?}");
}

#[test]
fn records_of_a_school_name_only_what_came_before() {
    let (_, contents) = run(16, 2);
    let order = [
        Kind::School,
        Kind::Campus,
        Kind::Class,
        Kind::Staff,
        Kind::Pupil,
        Kind::Enrolment,
        Kind::Health,
        Kind::TermResult,
        Kind::Attendance,
        Kind::Retake,
        Kind::Graduation,
        Kind::FreeCandidate,
    ];
    for content in &contents {
        let mut keys: HashSet<(Kind, String)> = HashSet::new();
        let mut last = 0;
        for record in &content.records {
            let (kind, key, parents) = describe(record);
            let position = order.iter().position(|k| *k == kind).unwrap();
            // Free candidates graduate after they were named.
            assert!(position >= last || kind == Kind::Graduation, "{kind:?} after {:?}", order[last]);
            last = position.max(last);
            for parent in parents {
                assert!(keys.contains(&(parent.kind, parent.key.clone())), "{kind:?} {key} names {parent:?}");
            }
            assert!(keys.insert((kind, key.clone())), "{kind:?} {key} twice");
        }
    }
}

fn describe(record: &Record) -> (Kind, String, Vec<eduhub_rules::ParentRef>) {
    fn of<R: eduhub_proto::dictionary::Record>(r: &R) -> (Kind, String, Vec<eduhub_rules::ParentRef>) {
        (R::META.kind(), R::META.full_key(2026, &eduhub_rules::record_key(r)), eduhub_rules::parents(r, 2026))
    }
    match record.record.as_ref().unwrap() {
        Any::School(r) => of(r),
        Any::Campus(r) => of(r),
        Any::Class(r) => of(r),
        Any::Pupil(r) => of(r),
        Any::Staff(r) => of(r),
        Any::Enrolment(r) => of(r),
        Any::TermResult(r) => of(r),
        Any::Health(r) => of(r),
        Any::Attendance(r) => of(r),
        Any::Retake(r) => of(r),
        Any::Graduation(r) => of(r),
        Any::FreeCandidate(r) => of(r),
    }
}

#[test]
fn ids_are_unique_but_for_the_planted_twins() {
    let (_, contents) = run(16, 1);
    let mut seen: HashMap<String, usize> = HashMap::new();
    for p in contents.iter().flat_map(pupils) {
        if let Some(id) = &p.personal_id {
            *seen.entry(id.clone()).or_default() += 1;
        }
    }
    let twins = contents.iter().flat_map(|c| &c.truth).filter(|t| t.defect == Defect::IdDuplicate).count();
    assert_eq!(seen.values().map(|n| n - 1).sum::<usize>(), twins);
    let citizens: HashSet<_> = contents.iter().flat_map(|c| &c.citizens).map(|c| &c.so_dinh_danh).collect();
    let candidates =
        |c: &Content| c.records.iter().filter(|r| matches!(r.record, Some(Any::FreeCandidate(_)))).count();
    let persons = contents.iter().map(|c| c.learners + c.staff + candidates(c)).sum::<usize>();
    assert_eq!(citizens.len(), persons);
}

#[test]
fn the_population_agrees_with_everyone_who_is_not_planted() {
    let (_, contents) = run(16, 1);
    for content in &contents {
        let known: HashMap<&str, &Citizen> =
            content.citizens.iter().map(|c| (c.so_dinh_danh.as_str(), c)).collect();
        let planted: HashSet<&str> = content
            .truth
            .iter()
            .filter(|t| t.also_population_mismatch || t.severity == Effect::Population)
            .map(|t| t.record_key.as_str())
            .collect();
        let refused: HashSet<&str> = content
            .truth
            .iter()
            .filter(|t| t.severity == Effect::Error)
            .map(|t| t.record_key.as_str())
            .collect();
        for p in pupils(content).filter(|p| !refused.contains(p.student_code.as_str())) {
            let Some(id) = &p.personal_id else { continue };
            let agrees = known.get(id.as_str()).is_some_and(|c| {
                c.ho_ten.to_lowercase() == p.full_name.to_lowercase()
                    && c.ngay_sinh == p.birth_date
                    && c.gioi_tinh == p.sex
            });
            assert_eq!(agrees, !planted.contains(p.student_code.as_str()), "{}", p.student_code);
        }
    }
}

/// Rows as large as real ones: that is what a first load costs.
#[test]
fn records_have_the_size_of_real_ones() {
    use prost::Message as _;
    let (_, contents) = run(16, 1);
    let sizes: Vec<usize> = contents.iter().flat_map(pupils).map(prost::Message::encoded_len).collect();
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    // Key, digest, sealed number, position and columns of its row add some 220 bytes: about 600 together.
    assert!((330..=450).contains(&mean), "{mean} bytes a pupil");
    let absences =
        contents.iter().flat_map(|c| &c.records).filter(|r| matches!(r.record, Some(Any::Attendance(_))));
    let share = absences.clone().count() as f64 / sizes.len() as f64;
    assert!((0.03..0.3).contains(&share), "{share} absences a pupil in the week");
    assert!(absences.map(prost::Message::encoded_len).all(|n| n < 200));
    assert!(contents.iter().flat_map(|c| &c.records).map(|r| r.encoded_len()).max() < Some(4_096));
}
