//! The dictionary as a workbook: a sheet of contents, one sheet for each message and one for each code list.
use super::book::{Book, CODE_LIST, COLUMNS, Chapter, TYPE};
use super::lists::CodeList;
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Url, Workbook, Worksheet, XlsxError};

/// Longest name that Excel takes for a sheet.
const SHEET_NAME: usize = 31;
/// Name of the first sheet.
pub const CONTENTS: &str = "Mục lục";

/// The workbook's bytes.
///
/// # Errors
/// When the writer refuses something, such as two sheets of one name.
pub fn workbook(book: &Book) -> Result<Vec<u8>, XlsxError> {
    let mut out = Workbook::new();
    let look = Look::new();
    contents(out.add_worksheet(), book, &look)?;
    for chapter in &book.chapters {
        message(out.add_worksheet(), book, chapter, &look)?;
    }
    for list in &book.lists {
        values(out.add_worksheet(), book, list, &look)?;
    }
    out.save_to_buffer()
}

struct Look {
    title: Format,
    head: Format,
    cell: Format,
    link: Format,
}

impl Look {
    fn new() -> Self {
        let cell = Format::new().set_text_wrap().set_align(FormatAlign::Top).set_border(FormatBorder::Thin);
        Self {
            title: Format::new().set_bold().set_font_size(14),
            head: cell.clone().set_bold().set_background_color(0x00DD_E6EF),
            link: cell
                .clone()
                .set_font_color(0x000B_5394)
                .set_underline(rust_xlsxwriter::FormatUnderline::Single),
            cell,
        }
    }
}

/// Name of the sheet of a message or list.
pub fn sheet_name(name: &str) -> String {
    name.chars().take(SHEET_NAME).collect()
}

fn link(name: &str) -> String {
    format!("internal:'{}'!A1", sheet_name(name))
}

fn contents(page: &mut Worksheet, book: &Book, look: &Look) -> Result<(), XlsxError> {
    page.set_name(CONTENTS)?;
    page.write_with_format(0, 0, "Từ điển dữ liệu ngành giáo dục", &look.title)?;
    page.write(1, 0, format!("EduHub {} · QĐ 4998/QĐ-BGDĐT", env!("CARGO_PKG_VERSION")))?;
    head(page, 3, &[("Trang", 34), ("Nội dung", 60), ("Số dòng", 9), ("Giải thích", 90)], look)?;
    let chapters = book.chapters.iter().map(|c| (c.name, c.label.as_str(), c.rows.len(), c.doc.to_owned()));
    let lists = book
        .lists
        .iter()
        .map(|l| (l.name.as_str(), "Danh mục mã", l.values.len(), book.users(&l.name).join("; ")));
    for (row, (name, label, count, doc)) in (4_u32..).zip(chapters.chain(lists)) {
        page.write_url_with_format(row, 0, Url::new(link(name)).set_text(name), &look.link)?;
        page.write_with_format(row, 1, label, &look.cell)?;
        page.write_with_format(row, 2, u32::try_from(count).unwrap_or(u32::MAX), &look.cell)?;
        page.write_with_format(row, 3, doc, &look.cell)?;
    }
    page.set_freeze_panes(4, 0)?;
    Ok(())
}

fn message(page: &mut Worksheet, book: &Book, chapter: &Chapter, look: &Look) -> Result<(), XlsxError> {
    page.set_name(sheet_name(chapter.name))?;
    page.write_with_format(0, 0, format!("{} ({})", chapter.label, chapter.name), &look.title)?;
    let facts: Vec<String> = chapter.facts.iter().map(|(what, text)| format!("{what}: {text}")).collect();
    page.write(1, 0, chapter.doc)?;
    page.write(2, 0, facts.join(" · "))?;
    head(page, 3, &COLUMNS, look)?;
    let last = u32::try_from(chapter.rows.len()).unwrap_or(u32::MAX) + 3;
    for (line, row) in (4_u32..).zip(&chapter.rows) {
        for (column, text) in (0_u16..).zip(&row.cells) {
            let to = match usize::from(column) {
                CODE_LIST if book.list(row.code_list).is_some() => Some(row.code_list),
                TYPE if !row.entries.is_empty() => Some(row.entries),
                _ => None,
            };
            match to {
                Some(to) => {
                    page.write_url_with_format(line, column, Url::new(link(to)).set_text(text), &look.link)?
                }
                None => page.write_with_format(line, column, text.as_str(), &look.cell)?,
            };
        }
    }
    page.autofilter(3, 0, last, u16::try_from(COLUMNS.len() - 1).unwrap_or(u16::MAX))?;
    page.set_freeze_panes(4, 2)?;
    page.set_landscape().set_paper_size(8).set_print_fit_to_pages(1, 0).set_repeat_rows(3, 3)?;
    Ok(())
}

fn values(page: &mut Worksheet, book: &Book, list: &CodeList, look: &Look) -> Result<(), XlsxError> {
    page.set_name(sheet_name(&list.name))?;
    page.write_with_format(0, 0, list.name.as_str(), &look.title)?;
    page.write(1, 0, book.users(&list.name).join("; "))?;
    head(page, 3, &[("Mã", 14), ("Tên", 70), ("Từ ngày", 12), ("Đến ngày", 12)], look)?;
    for (row, value) in (4_u32..).zip(&list.values) {
        for (column, text) in (0_u16..).zip([&value.code, &value.name, &value.from, &value.to]) {
            page.write_with_format(row, column, text.as_str(), &look.cell)?;
        }
    }
    page.set_freeze_panes(4, 0)?;
    Ok(())
}

fn head(page: &mut Worksheet, row: u32, columns: &[(&str, u16)], look: &Look) -> Result<(), XlsxError> {
    for (column, (title, width)) in (0_u16..).zip(columns) {
        page.write_with_format(row, column, *title, &look.head)?;
        page.set_column_width(column, f64::from(*width))?;
    }
    Ok(())
}
