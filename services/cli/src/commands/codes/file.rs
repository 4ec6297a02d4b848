//! Lists in files: the columns code, name, valid_from, valid_to, or their Vietnamese heads.
use crate::tabular::{Column, Sheet, Table};
use anyhow::{Context, bail};
use eduhub_proto::registry::v1::{Code, CodeMappingEntry};
use rust_xlsxwriter::{Format, Workbook};
use std::path::Path;

const fn column(field: &'static str, labels: &'static [&'static str], required: bool) -> Column {
    Column { field, labels, required }
}

const LIST: &[Column] = &[
    column("code", &["code", "Mã", "Mã danh mục", "MA"], true),
    column("name", &["name", "Tên", "Tên danh mục", "Giá trị", "TEN"], true),
    column("valid_from", &["valid_from", "Ngày đầu", "Hiệu lực từ", "Từ ngày"], false),
    column("valid_to", &["valid_to", "Ngày cuối", "Hiệu lực đến", "Đến ngày"], false),
];

const MAPPING: &[Column] = &[
    column("value", &["value", "Giá trị", "Giá trị của phần mềm", "Mã của phần mềm"], true),
    column("code", &["code", "Mã", "Mã danh mục", "Mã của CSDL"], true),
];

/// Heads of a written list.
const HEADS: [&str; 5] = ["list", "code", "name", "valid_from", "valid_to"];

/// A file's first table with these columns.
fn table(path: &Path, columns: &[Column]) -> anyhow::Result<Table> {
    let found = Sheet::read(path)?.iter().find_map(|sheet| sheet.find(columns));
    found.with_context(|| {
        let heads: Vec<&str> = columns.iter().filter(|c| c.required).map(|c| c.field).collect();
        format!("{}: no sheet has the columns {}", path.display(), heads.join(", "))
    })
}

/// Entries of a list, with the rows they stand in.
///
/// # Errors
/// A file that can't be read or has no such table.
pub fn codes(path: &Path) -> anyhow::Result<(Vec<Code>, Vec<usize>)> {
    let table = table(path, LIST)?;
    let cell = |row, field| table.cell(row, field).to_owned();
    let code = |row| Code {
        code: cell(row, "code"),
        name: cell(row, "name"),
        valid_from: cell(row, "valid_from"),
        valid_to: cell(row, "valid_to"),
        ..Code::default()
    };
    Ok((table.rows.iter().map(code).collect(), table.rows.iter().map(|r| r.number).collect()))
}

/// Entries of a mapping table.
///
/// # Errors
/// As [`codes`].
pub fn mapping(path: &Path) -> anyhow::Result<Vec<CodeMappingEntry>> {
    let table = table(path, MAPPING)?;
    let cell = |row, field| table.cell(row, field).to_owned();
    Ok(table
        .rows
        .iter()
        .map(|row| CodeMappingEntry { value: cell(row, "value"), code: cell(row, "code") })
        .collect())
}

/// Writes codes, by the file's ending.
///
/// # Errors
/// Another ending than .tsv, .csv, .xlsx; a file that can't be written.
pub fn write(path: &Path, codes: &[Code]) -> anyhow::Result<()> {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let bytes = match ending.as_str() {
        "xlsx" => workbook(codes)?,
        "csv" => text(codes, b',')?,
        "tsv" | "txt" => text(codes, b'\t')?,
        _ => bail!("{}: .tsv, .csv or .xlsx", path.display()),
    };
    std::fs::write(path, bytes).with_context(|| path.display().to_string())
}

fn cells(code: &Code) -> [&str; 5] {
    [&code.list, &code.code, &code.name, &code.valid_from, &code.valid_to]
}

fn text(codes: &[Code], delimiter: u8) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(vec![]);
    writer.write_record(HEADS)?;
    codes.iter().try_for_each(|code| writer.write_record(cells(code)))?;
    Ok(writer.into_inner()?)
}

/// All cells are text: Excel would take the zeros of codes away.
fn workbook(codes: &[Code]) -> anyhow::Result<Vec<u8>> {
    let mut book = Workbook::new();
    let bold = Format::new().set_bold();
    let page = book.add_worksheet();
    for (column, head) in (0..).zip(HEADS) {
        page.write_with_format(0, column, head, &bold)?;
    }
    for (row, code) in (1..).zip(codes) {
        for (column, cell) in (0..).zip(cells(code)) {
            page.write_string(row, column, cell)?;
        }
    }
    page.autofit();
    Ok(book.save_to_buffer()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exported_is_imported_again() {
        let code = |code: &str, name: &str, to: &str| Code {
            list: "DM_TON_GIAO".into(),
            code: code.into(),
            name: name.into(),
            valid_to: to.into(),
            ..Code::default()
        };
        let all = [code("00", "Không", ""), code("06", "Hồi giáo, \"Islam\"", "2026-12-31")];
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.tsv", "a.csv", "a.xlsx"] {
            let path = dir.path().join(name);
            write(&path, &all).unwrap();
            let (read, rows) = codes(&path).unwrap();
            let expected: Vec<Code> = all.iter().map(|c| Code { list: String::new(), ..c.clone() }).collect();
            assert_eq!((read, rows), (expected, vec![2, 3]), "{name}");
        }
        assert!(write(&dir.path().join("a.pdf"), &all).is_err());
    }

    #[test]
    fn a_mapping_has_its_columns_in_any_order_and_language() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.csv");
        std::fs::write(&path, "Mã,Giá trị của phần mềm\n1,Nam\n2,Nữ\n").unwrap();
        let read: Vec<_> = mapping(&path).unwrap().into_iter().map(|e| (e.value, e.code)).collect();
        assert_eq!(read, [("Nam".to_owned(), "1".to_owned()), ("Nữ".to_owned(), "2".to_owned())]);
        std::fs::write(&path, "Tên\nNam\n").unwrap();
        assert!(mapping(&path).unwrap_err().to_string().contains("value, code"));
    }
}
