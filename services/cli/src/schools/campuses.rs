//! Rows of campuses.
use super::list::{At, List, Reading};
use crate::tabular::{Column, Table};
use eduhub_proto::registry::v1::CampusEntry;

/// Columns of a table of campuses.
pub(super) const COLUMNS: &[Column] = &[
    Column {
        field: "school_code",
        labels: &["Mã trường", "Mã cơ sở giáo dục", "Mã CSGD", "Mã đơn vị", "TRUONG_ID", "school_code"],
        required: true,
    },
    Column {
        field: "campus_code",
        labels: &["Mã điểm trường", "DIEM_TRUONG_ID", "campus_code"],
        required: true,
    },
    Column { field: "name", labels: &["Tên điểm trường", "TEN", "name"], required: true },
    Column {
        field: "commune_code",
        labels: &[
            "Mã xã/phường",
            "Mã xã",
            "Mã phường/xã",
            "Xã/Phường",
            "Phường/Xã",
            "Xã, phường",
            "Phường, xã",
            "Xã",
            "XA_PHUONG_ID",
            "commune",
        ],
        required: true,
    },
    Column { field: "address_line", labels: &["Địa chỉ", "DIA_CHI", "address"], required: false },
];

pub(super) fn read(table: &Table, reading: &Reading, list: &mut List) {
    list.ignored.push((table.sheet.clone(), table.ignored.clone()));
    for row in &table.rows {
        let mut at = At { table, row, mistakes: &mut list.mistakes };
        for field in ["school_code", "campus_code", "name"] {
            if at.cell(field).is_empty() {
                at.wrong(field, "thiếu / missing");
            }
        }
        let campus = CampusEntry {
            school_code: at.cell("school_code").to_uppercase(),
            campus_code: at.cell("campus_code").to_uppercase(),
            name: at.cell("name"),
            commune_code: at.commune(reading),
            address_line: at.cell("address_line"),
            has_record: false,
        };
        list.campuses.push((at.place(), campus));
    }
}
