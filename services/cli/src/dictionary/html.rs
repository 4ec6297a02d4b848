//! The dictionary as one HTML page that needs nothing else: no network, no fonts, no scripts.
use super::book::{Book, CODE_LIST, COLUMNS, Chapter, LABEL, Row, TYPE};
use super::lists::CodeList;
use super::words::{CLASSES, LEVELS, NEEDS};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("dictionary.css");

/// The page.
pub fn page(book: &Book) -> String {
    html! {
        (DOCTYPE)
        html lang="vi" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Từ điển dữ liệu ngành giáo dục" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Từ điển dữ liệu ngành giáo dục" }
                    p { "EduHub " (env!("CARGO_PKG_VERSION")) " · theo phụ lục QĐ 4998/QĐ-BGDĐT ngày 31/12/2021 và các nguồn ghi ở từng trường" }
                }
                (contents(book))
                (legend())
                main {
                    @for chapter in &book.chapters { (section(book, chapter)) }
                    h2 id="danh-muc" { "Danh mục mã" }
                    @for list in &book.lists { (code_list(book, list)) }
                }
            }
        }
    }
    .into_string()
}

fn contents(book: &Book) -> Markup {
    html! {
        nav {
            h2 { "Mục lục" }
            ol {
                @for chapter in &book.chapters {
                    li class=[(!chapter.is_record()).then_some("inside")] {
                        a href={ "#" (chapter.name) } { (chapter.label) }
                        span.count { (chapter.rows.len()) }
                    }
                }
                li {
                    a href="#danh-muc" { "Danh mục mã" }
                    span.count { (book.lists.len()) }
                }
            }
        }
    }
}

fn legend() -> Markup {
    html! {
        section.legend {
            h2 { "Quy ước" }
            dl {
                @for (_, short, name) in LEVELS { dt { (short) } dd { "cấp học: " (name) } }
                @for (_, word, meaning) in NEEDS { dt { (word) } dd { (meaning) } }
                @for (_, word, meaning) in CLASSES { dt { (word) } dd { (meaning) } }
            }
        }
    }
}

fn section(book: &Book, chapter: &Chapter) -> Markup {
    html! {
        section id=(chapter.name) {
            @if chapter.is_record() { h2 { (chapter.label) " " code { (chapter.name) } } }
            @else { h3 { (chapter.label) " " code { (chapter.name) } } }
            p.doc lang="en" { (chapter.doc) }
            @if chapter.is_record() {
                dl.facts { @for (what, text) in &chapter.facts { dt { (what) } dd { (text) } } }
            }
            div.wide {
                table {
                    thead { tr { @for (title, _) in COLUMNS { th scope="col" { (title) } } } }
                    tbody { @for row in &chapter.rows { (field(book, chapter, row)) } }
                }
            }
        }
    }
}

fn field(book: &Book, chapter: &Chapter, row: &Row) -> Markup {
    html! {
        tr id={ (chapter.name) "." (row.cells[LABEL + 1]) } {
            @for (n, text) in row.cells.iter().enumerate() {
                @if n == LABEL { th scope="row" { (text) } }
                @else if n == TYPE && !row.entries.is_empty() {
                    td { a href={ "#" (row.entries) } { (text) } }
                }
                @else if n == CODE_LIST && book.list(row.code_list).is_some() {
                    td { a href={ "#" (row.code_list) } { (text) } }
                }
                @else { td { (text) } }
            }
        }
    }
}

fn code_list(book: &Book, list: &CodeList) -> Markup {
    let users = book.users(&list.name).join("; ");
    html! {
        section.list id=(list.name) {
            h3 { code { (list.name) } span.count { (list.values.len()) } }
            @if !users.is_empty() { p { "Dùng cho: " (users) } }
            dl.codes {
                @for value in &list.values {
                    div {
                        dt { (value.code) }
                        dd {
                            (value.name)
                            @if !value.from.is_empty() { " (từ " (value.from) ")" }
                            @if !value.to.is_empty() { " (đến hết " (value.to) ")" }
                        }
                    }
                }
            }
        }
    }
}
