use super::book::{Book, COLUMNS, LABEL, complete};
use super::{html, lists, sheets};
use calamine::{Data, Reader, Xlsx, open_workbook_from_rs};
use eduhub_proto::registry::v1::Code;
use eduhub_proto::{MESSAGES, RECORDS};
use std::collections::BTreeSet;
use std::io::Cursor;

fn book() -> Book {
    Book::new(lists::carried())
}

fn sheet(workbook: &mut Xlsx<Cursor<Vec<u8>>>, name: &str) -> Vec<Vec<String>> {
    let range = workbook.worksheet_range(name).unwrap_or_else(|e| panic!("{name}: {e}"));
    range.rows().map(|row| row.iter().map(Data::to_string).collect()).collect()
}

#[test]
fn every_message_has_one_chapter_with_all_its_fields() {
    let book = book();
    let names: BTreeSet<_> = book.chapters.iter().map(|c| c.name).collect();
    assert_eq!((names.len(), book.chapters.len()), (complete(), complete()));
    for (name, fields) in
        RECORDS.iter().map(|r| (r.name, r.fields)).chain(MESSAGES.iter().map(|m| (m.name, m.fields)))
    {
        let chapter = book.chapters.iter().find(|c| c.name == name).unwrap();
        assert_eq!(chapter.rows.len(), fields.len(), "{name}");
    }
}

#[test]
fn every_code_list_of_a_field_is_there_with_its_values() {
    let book = book();
    for row in book.chapters.iter().flat_map(|c| &c.rows).filter(|row| !row.code_list.is_empty()) {
        assert!(book.list(row.code_list).is_some_and(|l| !l.values.is_empty()), "{}", row.code_list);
    }
    let sexes = book.list("DM_GIOI_TINH").unwrap();
    assert_eq!(sexes.values.iter().map(|v| v.code.as_str()).collect::<Vec<_>>(), ["0", "1", "2"]);
    assert_eq!(book.list("DM_XA").unwrap().values.len(), 3_321);
    assert_eq!(book.list("DM_TINH").unwrap().values.len(), 34);
    assert!(book.users("DM_GIOI_TINH").contains(&"Học sinh: Mã giới tính".to_owned()));
}

#[test]
fn the_page_has_every_field_list_and_value_and_needs_nothing_else() {
    let book = book();
    let page = html::page(&book);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("lang=\"vi\""));
    let outside = ["http://", "https://", "<script", "src="].into_iter().filter(|s| page.contains(s));
    assert_eq!(outside.collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(page.contains("@media print"));
    for chapter in &book.chapters {
        assert!(page.contains(&format!("href=\"#{}\"", chapter.name)), "{}", chapter.name);
        for row in &chapter.rows {
            assert!(page.contains(&format!("<tr id=\"{}.{}\"", chapter.name, row.cells[LABEL + 1])));
        }
    }
    for list in &book.lists {
        assert!(page.contains(&format!("id=\"{}\"", list.name)), "{}", list.name);
    }
    assert!(page.contains("HOC_SINH_ID") && page.contains("Nữ"));
    // Patterns hold characters that mean something in HTML.
    assert!(!page.contains("mẫu ^[^@ ]<") && page.contains("Phường Ba Đình"));
}

#[test]
fn every_link_of_the_page_leads_somewhere() {
    let page = html::page(&book());
    let ids: BTreeSet<&str> = page.split(" id=\"").skip(1).filter_map(|s| s.split('"').next()).collect();
    let links = page.split("href=\"#").skip(1).filter_map(|s| s.split('"').next());
    let dead: Vec<_> = links.filter(|link| !ids.contains(link)).collect();
    assert!(dead.is_empty(), "{dead:?}");
}

#[test]
fn the_workbook_has_a_sheet_for_each_message_and_list() {
    let book = book();
    let bytes = sheets::workbook(&book).unwrap();
    let mut read: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    assert_eq!(read.sheet_names().len(), 1 + book.chapters.len() + book.lists.len());
    assert_eq!(read.sheet_names()[0], sheets::CONTENTS);
    let contents = sheet(&mut read, sheets::CONTENTS);
    for chapter in &book.chapters {
        assert!(contents.iter().any(|row| row[0] == chapter.name), "{}", chapter.name);
        let rows = sheet(&mut read, &sheets::sheet_name(chapter.name));
        let heads: Vec<_> = COLUMNS.iter().map(|(title, _)| (*title).to_owned()).collect();
        assert_eq!(rows[3], heads, "{}", chapter.name);
        assert_eq!(rows.len() - 4, chapter.rows.len(), "{}", chapter.name);
        for (read, row) in rows[4..].iter().zip(&chapter.rows) {
            assert_eq!(read.as_slice(), row.cells.as_slice());
        }
    }
    let ethnic = sheet(&mut read, "DM_DAN_TOC");
    assert!(ethnic.iter().any(|row| row[..2] == ["01".to_owned(), "Kinh".to_owned()]));
}

#[test]
fn lists_of_the_hub_are_grouped_by_name() {
    let code = |list: &str, code: &str| Code { list: list.into(), code: code.into(), ..Code::default() };
    let grouped = lists::grouped(vec![code("DM_B", "2"), code("DM_A", "9"), code("DM_B", "1")]);
    let names: Vec<_> = grouped.iter().map(|l| (l.name.as_str(), l.values.len())).collect();
    assert_eq!(names, [("DM_A", 1), ("DM_B", 2)]);
    assert_eq!(grouped[1].values[0].code, "2", "the hub's order stays");
}
