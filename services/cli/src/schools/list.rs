//! Rows of schools.
use super::{
    campuses, cells,
    places::{NoPlace, Places},
};
use crate::tabular::{Column, Row, Sheet, Table};
use anyhow::Context;
use eduhub_proto::common::v1::Level;
use eduhub_proto::registry::v1::{CampusEntry, SchoolEntry};
use eduhub_rules::fold;
use std::collections::HashMap;

const fn column(field: &'static str, labels: &'static [&'static str], required: bool) -> Column {
    Column { field, labels, required }
}

/// Columns of the list; the symbols of QĐ 4998 among their heads.
pub(super) const COLUMNS: &[Column] = &[
    column(
        "school_code",
        &[
            "Mã trường",
            "Mã cơ sở giáo dục",
            "Mã CSGD",
            "Mã đơn vị",
            "Mã trường Bộ",
            "TRUONG_ID",
            "school_code",
        ],
        true,
    ),
    column("name", &["Tên trường", "Tên cơ sở giáo dục", "Tên CSGD", "Tên đơn vị", "TEN", "name"], true),
    column(
        "level",
        &[
            "Cấp học",
            "Nhóm cấp học",
            "Mã nhóm cấp học",
            "Cấp",
            "Các cấp học",
            "Loại hình cấp học",
            "MA_NHOM_CAP_HOC",
            "level",
        ],
        true,
    ),
    column(
        "commune_code",
        &[
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
        true,
    ),
    column(
        "province_code",
        &["Mã tỉnh", "Mã tỉnh/thành", "Tỉnh/Thành", "Tỉnh", "TINH_THANH_ID", "province"],
        false,
    ),
    column(
        "ownership",
        &[
            "Loại hình",
            "Loại hình trường",
            "Mã loại hình",
            "Mã loại hình trường",
            "MA_LOAI_HINH_TRUONG",
            "ownership",
        ],
        false,
    ),
    column(
        "directly_managed",
        &[
            "Trực thuộc Sở",
            "Đơn vị trực thuộc Sở",
            "Cơ quan quản lý trực tiếp",
            "Cơ quan quản lý",
            "Cấp quản lý",
            "directly_managed",
        ],
        false,
    ),
    column(
        "independent_group",
        &["Nhóm trẻ độc lập", "Nhóm lớp độc lập", "Cơ sở độc lập", "independent_group"],
        false,
    ),
];

/// One thing that is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Sheet.
    pub sheet: String,
    /// Row as Excel counts; 0 for the sheet as a whole.
    pub row: usize,
    /// Head of the column.
    pub column: String,
    /// What stands there.
    pub value: String,
    /// What is wrong, for people.
    pub what: String,
}

/// How a list is read.
#[derive(Debug, Default)]
pub struct Reading {
    /// The communes.
    pub places: Places,
    /// Codes of ownership by folded name and by code.
    pub ownerships: HashMap<String, String>,
    /// Without a column on the direct superior: schools with upper secondary or continuing education are the Department's, the
    /// others their commune's.
    pub managed_by_level: bool,
}

/// A list as far as it is sound, with everything that is wrong in it.
#[derive(Debug, Default)]
pub struct List {
    /// Schools with their places in the file.
    pub schools: Vec<(Place, SchoolEntry)>,
    /// Campuses with their places in the file.
    pub campuses: Vec<(Place, CampusEntry)>,
    /// Mistakes in the order of the file.
    pub mistakes: Vec<Mistake>,
    /// Heads of columns that were not read, by sheet.
    pub ignored: Vec<(String, Vec<String>)>,
}

/// Where an entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Sheet.
    pub sheet: String,
    /// Row as Excel counts.
    pub row: usize,
}

impl List {
    /// Reads the sheets of a file: a table of schools in one or several of them, tables of campuses in others.
    ///
    /// # Errors
    /// When no sheet has a table of schools or campuses.
    pub fn read(sheets: &[Sheet], reading: &Reading) -> anyhow::Result<Self> {
        let mut list = Self::default();
        let mut tables = 0;
        for sheet in sheets {
            // A campus table names its school too: it is looked for first.
            if let Some(table) = sheet.find(campuses::COLUMNS) {
                campuses::read(&table, reading, &mut list);
                tables += 1;
            } else if let Some(table) = sheet.find(COLUMNS) {
                list.ignored.push((table.sheet.clone(), table.ignored.clone()));
                list.schools(&table, reading);
                tables += 1;
            }
        }
        let needed = COLUMNS.iter().filter(|c| c.required).map(|c| format!("«{}»", c.labels[0]));
        let needed = needed.collect::<Vec<_>>().join(", ");
        (tables > 0).then_some(list).with_context(|| format!("no sheet has the columns {needed}"))
    }

    fn schools(&mut self, table: &Table, reading: &Reading) {
        let managed = table.has("directly_managed") || reading.managed_by_level;
        if !managed {
            self.mistakes.push(Mistake {
                sheet: table.sheet.clone(),
                row: 0,
                column: "Trực thuộc Sở".into(),
                value: String::new(),
                what: "thiếu cột / the column is missing: add it, or use --managed-by-level".into(),
            });
        }
        for row in &table.rows {
            let mut at = At { table, row, mistakes: &mut self.mistakes };
            let school = school(&mut at, reading);
            self.schools.push((at.place(), school));
        }
    }

    /// The mistake of the registry about the entry at a position.
    pub fn told(&self, places: &[&Place], row: u32, field: &str, value: &str, what: String) -> Mistake {
        let place = places.get(row as usize);
        Mistake {
            sheet: place.map(|p| p.sheet.clone()).unwrap_or_default(),
            row: place.map_or(0, |p| p.row),
            column: field.to_owned(),
            value: value.to_owned(),
            what,
        }
    }
}

/// A row while it is read.
pub(super) struct At<'a> {
    pub table: &'a Table,
    pub row: &'a Row,
    pub mistakes: &'a mut Vec<Mistake>,
}

impl At<'_> {
    pub fn cell(&self, field: &str) -> String {
        self.table.cell(self.row, field).to_owned()
    }

    pub fn place(&self) -> Place {
        Place { sheet: self.table.sheet.clone(), row: self.row.number }
    }

    pub fn wrong(&mut self, field: &'static str, what: impl Into<String>) {
        let (column, value) = (self.table.head(field).to_owned(), self.cell(field));
        let Place { sheet, row } = self.place();
        self.mistakes.push(Mistake { sheet, row, column, value, what: what.into() });
    }

    /// The commune that a cell names, checked against the province.
    pub fn commune(&mut self, reading: &Reading) -> String {
        let cell = self.cell("commune_code");
        match reading.places.find(&cell) {
            Ok(code) => return code,
            Err(NoPlace::Missing) => self.wrong("commune_code", "thiếu / missing"),
            Err(NoPlace::UnknownName) => {
                let what = format!(
                    "tỉnh {} không có xã, phường tên này / no commune of this name",
                    reading.places.province
                );
                self.wrong("commune_code", what);
            }
            Err(NoPlace::UnknownCode) => {
                let now =
                    reading.places.converted.get(&cell).map(|now| format!("; {now}")).unwrap_or_default();
                let what = format!(
                    "tỉnh {} không có mã này / no commune of this code{now}",
                    reading.places.province
                );
                self.wrong("commune_code", what);
            }
            Err(NoPlace::Several(names)) => {
                self.wrong(
                    "commune_code",
                    format!("tên của nhiều nơi, hãy ghi mã / several places, write the code: {names}"),
                );
            }
        }
        String::new()
    }
}

fn school(at: &mut At<'_>, reading: &Reading) -> SchoolEntry {
    let levels = level_cells(at);
    let main = levels.first().copied().unwrap_or_default();
    let school_code = at.cell("school_code").to_uppercase();
    if school_code.is_empty() {
        at.wrong("school_code", "thiếu / missing");
    }
    if at.cell("name").is_empty() {
        at.wrong("name", "thiếu / missing");
    }
    let province = at.cell("province_code");
    if !province.is_empty()
        && province != reading.places.province
        && province.bytes().all(|b| b.is_ascii_digit())
    {
        at.wrong("province_code", format!("khác tỉnh {} / another province", reading.places.province));
    }
    SchoolEntry {
        school_code,
        name: at.cell("name"),
        level: main as i32,
        levels: levels.iter().map(|l| *l as i32).collect(),
        commune_code: at.commune(reading),
        province_code: reading.places.province.clone(),
        directly_managed: managed(at, reading, &levels),
        independent_group: flag(at, "independent_group"),
        ownership: ownership(at, reading),
    }
}

/// Levels of the cell. The main one of several is the highest: its division reviews the school.
fn level_cells(at: &mut At<'_>) -> Vec<Level> {
    let Some(mut levels) = cells::levels(&at.cell("level")) else {
        at.wrong("level", "không rõ cấp học; ví dụ: TH, THCS, «TH, THCS», 02 / unknown level");
        return vec![];
    };
    levels.sort_by_key(|level| std::cmp::Reverse(*level as i32));
    levels
}

fn managed(at: &mut At<'_>, reading: &Reading, levels: &[Level]) -> bool {
    if at.table.has("directly_managed") {
        let said = cells::directly_managed(&at.cell("directly_managed"));
        // An empty cell in a column of crosses says no.
        if said.is_none() && !at.cell("directly_managed").is_empty() {
            at.wrong("directly_managed", "cần: Sở, xã, phường, x, có, không / neither yes nor no");
        }
        return said.unwrap_or_default();
    }
    reading.managed_by_level && levels.iter().any(|l| matches!(l, Level::UpperSecondary | Level::Continuing))
}

fn flag(at: &mut At<'_>, field: &'static str) -> bool {
    let said = cells::yes(&at.cell(field));
    if said.is_none() {
        at.wrong(field, "cần: x, có, không / neither yes nor no");
    }
    said.unwrap_or_default()
}

fn ownership(at: &mut At<'_>, reading: &Reading) -> String {
    let cell = at.cell("ownership");
    if cell.is_empty() {
        return cell;
    }
    let known = reading.ownerships.get(&fold(&cell)).cloned();
    if known.is_none() {
        at.wrong("ownership", "không có trong DM_LOAI_HINH_TRUONG_PT / not in the code list");
    }
    known.unwrap_or_default()
}
