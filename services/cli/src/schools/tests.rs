use super::*;
use crate::tabular::Sheet;
use eduhub_proto::common::v1::Level;
use eduhub_proto::registry::v1::AdminUnit;
use std::collections::HashMap;

fn unit(code: &str, name: &str) -> AdminUnit {
    AdminUnit {
        commune_code: code.into(),
        name: name.into(),
        province_code: "37".into(),
        ..AdminUnit::default()
    }
}

fn reading() -> Reading {
    let units = [
        unit("14329", "Phường Hoa Lư"),
        unit("14551", "Xã Yên Mô"),
        unit("14560", "Phường Yên Mô"),
        unit("14620", "Xã Phát Diệm"),
    ];
    let mut places = Places::new("37", &units);
    places.converted = HashMap::from([("14332".to_owned(), "nay là / now 14329 Phường Hoa Lư".to_owned())]);
    let ownerships = [("1", "1"), ("cong lap", "1"), ("3", "3"), ("tu thuc", "3")];
    let ownerships = ownerships.map(|(name, code)| (name.to_owned(), code.to_owned())).into();
    Reading { places, ownerships, managed_by_level: false }
}

fn sheet(name: &str, rows: &[&[&str]]) -> Sheet {
    let cells = rows.iter().map(|row| row.iter().map(|c| (*c).to_owned()).collect()).collect();
    Sheet { name: name.into(), cells }
}

const HEADS: &[&str] = &[
    "STT",
    "MÃ TRƯỜNG",
    "Tên trường",
    "Cấp học",
    "Xã / Phường",
    "Loại hình",
    "Cơ quan quản lý",
    "Nhóm trẻ độc lập",
];

#[test]
fn a_list_with_campuses_is_read() {
    let schools = sheet(
        "Trường",
        &[
            &["DANH SÁCH"],
            HEADS,
            &[
                "1",
                "37143290001",
                "Trường TH và THCS Hoa Lư",
                "TH, THCS",
                "Hoa Lư",
                "Công lập",
                "UBND phường",
                "",
            ],
            &["2", "37146200002", "Trường THPT Kim Sơn A", "04", "14620", "3", "Sở GDĐT", ""],
        ],
    );
    let campuses = sheet(
        "Điểm trường",
        &[
            &["Mã trường", "Mã điểm trường", "Tên điểm trường", "Xã/Phường", "Địa chỉ"],
            &["37143290001", "01", "Điểm trường thôn Đông", "Xã Yên Mô", "Thôn Đông"],
        ],
    );
    let list = List::read(&[schools, campuses], &reading()).unwrap();
    assert_eq!(list.mistakes, []);
    let (place, school) = &list.schools[0];
    assert_eq!((place.row, school.commune_code.as_str(), school.ownership.as_str()), (3, "14329", "1"));
    // The division of the highest level leads.
    let levels = [Level::LowerSecondary as i32, Level::Primary as i32];
    assert_eq!((school.level(), school.levels.as_slice()), (Level::LowerSecondary, levels.as_slice()));
    assert!(!school.directly_managed && list.schools[1].1.directly_managed);
    assert_eq!(list.campuses[0].1.commune_code, "14551");
    assert_eq!(list.ignored[0], ("Trường".to_owned(), vec!["STT".to_owned()]));
}

#[test]
fn every_mistake_is_told_with_row_and_column() {
    let bad = sheet(
        "Trường",
        &[
            HEADS,
            &["1", "", "", "1", "", "bán công", "Bộ", "?"],
            &["2", "37143290001", "Trường A", "TH", "Yên Mô", "", "xã", ""],
            &["3", "37143290002", "Trường B", "TH", "14332", "", "xã", ""],
            &["4", "37143290003", "Trường C", "TH", "Hà Nội", "", "xã", ""],
        ],
    );
    let list = List::read(&[bad], &reading()).unwrap();
    let told: Vec<(usize, &str)> = list.mistakes.iter().map(|m| (m.row, m.column.as_str())).collect();
    let expected = [
        (2, "Cấp học"),
        (2, "MÃ TRƯỜNG"),
        (2, "Tên trường"),
        (2, "Xã / Phường"),
        (2, "Cơ quan quản lý"),
        (2, "Nhóm trẻ độc lập"),
        (2, "Loại hình"),
        (3, "Xã / Phường"),
        (4, "Xã / Phường"),
        (5, "Xã / Phường"),
    ];
    assert_eq!(told, expected);
    assert!(
        list.mistakes[7].what.contains("14551 Xã Yên Mô, 14560 Phường Yên Mô"),
        "{}",
        list.mistakes[7].what
    );
    assert!(list.mistakes[8].what.contains("14329 Phường Hoa Lư"), "{}", list.mistakes[8].what);
}

#[test]
fn who_manages_a_school_is_never_guessed_unless_asked_for() {
    let heads: &[&str] = &["Mã trường", "Tên trường", "Cấp học", "Xã"];
    let rows: &[&[&str]] =
        &[heads, &["37143290001", "A", "THPT", "Hoa Lư"], &["37143290002", "B", "THCS", "Hoa Lư"]];
    let list = List::read(&[sheet("a.csv", rows)], &reading()).unwrap();
    assert_eq!((list.mistakes.len(), list.mistakes[0].row), (1, 0));
    let list = List::read(&[sheet("a.csv", rows)], &Reading { managed_by_level: true, ..reading() }).unwrap();
    let managed: Vec<bool> = list.schools.iter().map(|(_, s)| s.directly_managed).collect();
    assert_eq!((list.mistakes.len(), managed), (0, vec![true, false]));
}

#[test]
fn a_file_without_such_a_table_is_refused() {
    let error = List::read(&[sheet("a.csv", &[&["Họ tên", "Lớp"]])], &reading()).unwrap_err();
    assert!(error.to_string().contains("«Mã trường»"), "{error}");
}
