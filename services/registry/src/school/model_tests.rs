use super::*;

fn good() -> SchoolEntry {
    with_levels(SchoolEntry {
        school_code: "37143290001".into(),
        name: "Trường Tiểu học Hoa Lư".into(),
        level: Level::Primary as i32,
        commune_code: "14329".into(),
        province_code: "37".into(),
        ..SchoolEntry::default()
    })
}

fn known() -> Known {
    Known {
        communes: HashMap::from([("14329".into(), "37".into()), ("00004".into(), "01".into())]),
        ownerships: HashSet::from(["1".to_owned()]),
        schools: HashMap::from([("37143590001".into(), "37".into())]),
    }
}

fn named(mistakes: &[RowMistake]) -> Vec<(u32, &str)> {
    mistakes.iter().map(|m| (m.row, m.field.as_str())).collect()
}

#[test]
fn every_bad_school_is_named() {
    assert!(check_schools(&[good()], &known()).is_empty());
    let bad = SchoolEntry {
        school_code: "37-1".into(),
        name: " ".into(),
        level: 9,
        levels: vec![9],
        commune_code: "00004".into(),
        province_code: "37".into(),
        ownership: "9".into(),
        ..SchoolEntry::default()
    };
    let found = check_schools(&[good(), bad, good()], &known());
    let expected = [
        (1, "school_code"),
        (1, "name"),
        (1, "level"),
        (1, "commune_code"),
        (1, "ownership"),
        (2, "school_code"),
    ];
    assert_eq!(named(&found), expected);
}

#[test]
fn levels_come_sorted_once_each_with_the_main_one() {
    let primary = Level::Primary as i32;
    let (lower, upper) = (Level::LowerSecondary as i32, Level::UpperSecondary as i32);
    let school = |level: i32, levels: Vec<i32>| {
        let school = with_levels(SchoolEntry { level, levels, ..SchoolEntry::default() });
        (school.level, school.levels)
    };
    assert_eq!(school(lower, vec![]), (lower, vec![lower]));
    assert_eq!(school(upper, vec![lower, primary, lower]), (upper, vec![primary, lower, upper]));
    assert_eq!(school(0, vec![lower, primary]), (primary, vec![primary, lower]));
    assert_eq!(school(0, vec![]), (0, vec![]));
}

#[test]
fn every_bad_campus_is_named() {
    let campus = |school: &str, code: &str, commune: &str| CampusEntry {
        school_code: school.into(),
        campus_code: code.into(),
        name: "Điểm trường thôn Đông".into(),
        commune_code: commune.into(),
        ..CampusEntry::default()
    };
    let campuses = [
        campus("37143290001", "01", "14329"),
        campus("37143590001", "01", "14329"),
        campus("37143290001", "01", "14329"),
        campus("37000000000", "a", "99999"),
        campus("37143590001", "02", "00004"),
    ];
    let found = check_campuses(&campuses, &[good()], &known());
    let expected = [
        (2, "campus_code"),
        (3, "school_code"),
        (3, "campus_code"),
        (3, "commune_code"),
        (4, "commune_code"),
    ];
    assert_eq!(named(&found), expected);
}
