//! Tables in files that people make: workbooks (.xlsx) and text (.csv, .tsv). Columns are found by what their heads say, without
//! regard to accents, case and signs; rows keep the number that Excel shows.
use anyhow::{Context, bail};
use calamine::{Data, Reader, Xlsx, open_workbook};
use eduhub_rules::fold;
use std::path::Path;
use time::{Date, Duration, macros::date};

/// Rows among which the heads are looked for: titles and empty lines stand above them.
const HEAD_WITHIN: usize = 30;

/// A sheet as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Name; the file's for text.
    pub name: String,
    /// Cells of its rows from the first one on.
    pub cells: Vec<Vec<String>>,
}

/// A column that is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// What the program calls it.
    pub field: &'static str,
    /// What its head may say.
    pub labels: &'static [&'static str],
    /// The table is not this one without it.
    pub required: bool,
}

/// A table found in a sheet.
#[derive(Debug)]
pub struct Table {
    /// Name of the sheet.
    pub sheet: String,
    /// Columns found: what the program calls each, its head, its place.
    columns: Vec<(&'static str, String, usize)>,
    /// Heads that are no column.
    pub ignored: Vec<String>,
    /// Rows with anything in them.
    pub rows: Vec<Row>,
}

/// One row of a table.
#[derive(Debug)]
pub struct Row {
    /// Number, counted from 1.
    pub number: usize,
    cells: Vec<String>,
}

impl Sheet {
    /// The sheets of a file, by its ending.
    ///
    /// # Errors
    /// A file that can't be read, or another ending.
    pub fn read(path: &Path) -> anyhow::Result<Vec<Self>> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        let sheets = match ending.as_str() {
            "xlsx" => workbook(path),
            "csv" => text(path, None).map(|s| vec![s]),
            "tsv" | "txt" => text(path, Some(b'\t')).map(|s| vec![s]),
            _ => bail!("{}: .xlsx, .csv or .tsv", path.display()),
        };
        sheets.with_context(|| path.display().to_string())
    }

    /// The table with these columns; `None` when a required one is missing.
    pub fn find(&self, wanted: &[Column]) -> Option<Table> {
        let found = |row: &Vec<String>| heads(row, wanted).filter(|(columns, _)| !columns.is_empty());
        let (at, (columns, ignored)) =
            self.cells.iter().take(HEAD_WITHIN).enumerate().find_map(|(i, row)| Some((i, found(row)?)))?;
        let rows = self.cells.iter().enumerate().skip(at + 1);
        let rows = rows.filter(|(_, cells)| cells.iter().any(|c| !c.is_empty()));
        let rows = rows.map(|(i, cells)| Row { number: i + 1, cells: cells.clone() }).collect();
        Some(Table { sheet: self.name.clone(), columns, ignored, rows })
    }
}

type Heads = (Vec<(&'static str, String, usize)>, Vec<String>);

fn heads(row: &[String], wanted: &[Column]) -> Option<Heads> {
    let (mut columns, mut ignored): Heads = (vec![], vec![]);
    for (place, head) in row.iter().enumerate().filter(|(_, head)| !head.is_empty()) {
        let folded = fold(head);
        let of = wanted.iter().find(|c| c.labels.iter().any(|label| fold(label) == folded));
        match of {
            Some(column) if columns.iter().all(|(field, ..)| *field != column.field) => {
                columns.push((column.field, head.clone(), place));
            }
            _ => ignored.push(head.clone()),
        }
    }
    let has = |field| columns.iter().any(|(found, ..)| *found == field);
    wanted.iter().filter(|c| c.required).all(|c| has(c.field)).then_some((columns, ignored))
}

impl Table {
    /// Whether a column is there.
    pub fn has(&self, field: &str) -> bool {
        self.columns.iter().any(|(found, ..)| *found == field)
    }

    /// Head of a column as it stands in the file; the program's own name when it is not there.
    pub fn head<'a>(&'a self, field: &'a str) -> &'a str {
        self.columns.iter().find(|(found, ..)| *found == field).map_or(field, |(_, head, _)| head)
    }

    /// A cell; empty when the column is not there.
    pub fn cell<'a>(&self, row: &'a Row, field: &str) -> &'a str {
        let place = self.columns.iter().find(|(found, ..)| *found == field).map(|(.., place)| *place);
        place.and_then(|place| row.cells.get(place)).map_or("", String::as_str)
    }
}

fn workbook(path: &Path) -> anyhow::Result<Vec<Sheet>> {
    let mut book: Xlsx<_> = open_workbook(path)?;
    let mut sheets = Vec::new();
    for (name, range) in book.worksheets() {
        let (above, left) = range.start().unwrap_or_default();
        // A range begins at its first cell: the rows and columns before it count all the same.
        let mut cells = vec![vec![]; above as usize];
        let before = vec![String::new(); left as usize];
        cells.extend(range.rows().map(|row| before.iter().cloned().chain(row.iter().map(cell)).collect()));
        sheets.push(Sheet { name, cells });
    }
    Ok(sheets)
}

fn cell(data: &Data) -> String {
    match data {
        // A code in a cell of numbers: 14329, not 14329.0.
        Data::Float(x) if x.fract() == 0.0 && x.abs() < 9e15 => format!("{x:.0}"),
        Data::DateTime(moment) => {
            day(moment.as_f64()).map_or_else(|| data.to_string(), |day| day.to_string())
        }
        other => other.to_string().trim().to_owned(),
    }
}

/// Excel counts days from here, because it takes 1900 for a leap year.
const FIRST_DAY: Date = date!(1899 - 12 - 30);

fn day(days: f64) -> Option<Date> {
    // Dates of the calendar have at most seven digits: nothing is cut off.
    #[allow(clippy::cast_possible_truncation)]
    FIRST_DAY.checked_add(Duration::days(days.floor() as i64))
}

fn text(path: &Path, delimiter: Option<u8>) -> anyhow::Result<Sheet> {
    let bytes = std::fs::read(path)?;
    let text = String::from_utf8(bytes).context("not UTF-8 text: save it as CSV UTF-8")?;
    let text = text.trim_start_matches('\u{feff}');
    // Excel writes semicolons where the comma is the decimal sign.
    let first = text.lines().next().unwrap_or_default();
    let usual = if first.matches(';').count() > first.matches(',').count() { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter.unwrap_or(usual))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let rows = reader.records().map(|r| Ok(r?.iter().map(|c| c.trim().to_owned()).collect()));
    let cells = rows.collect::<Result<_, csv::Error>>()?;
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Sheet { name, cells })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_xlsxwriter::Workbook;

    const CODE: Column = Column { field: "code", labels: &["Mã trường", "TRUONG_ID"], required: true };
    const NAME: Column = Column { field: "name", labels: &["Tên trường"], required: false };

    fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        (dir, path)
    }

    #[test]
    fn a_workbook_with_a_title_above_the_heads() {
        let mut book = Workbook::new();
        let page = book.add_worksheet();
        page.write(0, 1, "DANH SÁCH TRƯỜNG").unwrap();
        page.write(2, 1, "MÃ TRƯỜNG (*)").unwrap();
        page.write(2, 2, "Ghi chú").unwrap();
        page.write(2, 3, "tên trường").unwrap();
        page.write(4, 1, 37_143_290_001_i64).unwrap();
        page.write(4, 3, " THCS Hoa Lư ").unwrap();
        let date = rust_xlsxwriter::Format::new().set_num_format("dd/mm/yyyy");
        let day = rust_xlsxwriter::ExcelDateTime::from_ymd(2025, 6, 30).unwrap();
        page.write_with_format(4, 2, &day, &date).unwrap();
        let (_dir, path) = file("a.xlsx", &book.save_to_buffer().unwrap());
        let sheets = Sheet::read(&path).unwrap();
        let table = sheets[0].find(&[CODE, NAME]).unwrap();
        assert_eq!(
            (table.ignored.as_slice(), table.head("code")),
            (["Ghi chú".to_owned()].as_slice(), "MÃ TRƯỜNG (*)")
        );
        let row = &table.rows[0];
        assert_eq!((table.rows.len(), row.number), (1, 5));
        assert_eq!((table.cell(row, "code"), table.cell(row, "name")), ("37143290001", "THCS Hoa Lư"));
        let note = Column { field: "note", labels: &["ghi chú"], required: true };
        let table = sheets[0].find(&[note]).unwrap();
        assert_eq!(table.cell(&table.rows[0], "note"), "2025-06-30");
        assert!(sheets[0].find(&[Column { labels: &["Mã khác"], ..CODE }]).is_none());
    }

    #[test]
    fn text_with_commas_semicolons_or_tabs() {
        for (name, content) in [
            ("a.csv", "\u{feff}TRUONG_ID,Tên trường\n37143290001,\"Hoa Lư, Ninh Bình\"\n"),
            ("a.csv", "TRUONG_ID;Tên trường\n37143290001;Hoa Lư, Ninh Bình\n"),
            ("a.tsv", "TRUONG_ID\tTên trường\n\n37143290001\tHoa Lư, Ninh Bình\n"),
        ] {
            let (_dir, path) = file(name, content.as_bytes());
            let table = Sheet::read(&path).unwrap()[0].find(&[CODE, NAME]).unwrap();
            let row = &table.rows[0];
            assert_eq!(table.cell(row, "name"), "Hoa Lư, Ninh Bình", "{content}");
        }
        let (_dir, path) = file("a.csv", b"Ma\xff");
        assert!(Sheet::read(&path).is_err());
        let (_dir, path) = file("a.pdf", b"");
        assert!(Sheet::read(&path).is_err());
    }
}
