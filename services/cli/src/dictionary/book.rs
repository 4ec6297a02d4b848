//! What is printed: one chapter for each message, one row for each field, every cell as text.
use super::lists::CodeList;
use super::words;
use eduhub_proto::dictionary::{FieldMeta, MessageMeta, RecordMeta};
use eduhub_proto::{MESSAGES, RECORDS};

/// The whole dictionary.
pub struct Book {
    /// Records and the messages inside them, a record before its messages.
    pub chapters: Vec<Chapter>,
    /// Code lists by name.
    pub lists: Vec<CodeList>,
}

/// One message: a kind of record, or the entry of a list in one.
pub struct Chapter {
    /// Name in proto; unique.
    pub name: &'static str,
    /// Vietnamese label.
    pub label: String,
    /// What it is, in the manual's words.
    pub doc: &'static str,
    /// What holds for it as a record, as label and text; empty for the entry of a list.
    pub facts: Vec<(&'static str, String)>,
    /// Its fields.
    pub rows: Vec<Row>,
}

/// One field, its cells in the order of [`COLUMNS`].
pub struct Row {
    /// Texts.
    pub cells: [String; COLUMNS.len()],
    /// Code list that the value is in, or empty.
    pub code_list: &'static str,
    /// Chapter of the entries of a list, or empty.
    pub entries: &'static str,
}

/// Heads of the columns, with the width of each in characters.
pub const COLUMNS: [(&str, u16); 14] = [
    ("Số", 5),
    ("Tên thông tin", 30),
    ("Tên trường (API)", 26),
    ("Tên tiếng Anh", 26),
    ("Ký hiệu (QĐ 4998)", 30),
    ("Kiểu", 13),
    ("Độ dài", 8),
    ("Cấp học", 18),
    ("Yêu cầu", 22),
    ("Danh mục", 24),
    ("Quy tắc", 44),
    ("Mức nhạy cảm", 13),
    ("Cột Excel", 24),
    ("Giải thích và nguồn", 60),
];

/// Place of the label in [`COLUMNS`].
pub const LABEL: usize = 1;
/// Place of the type in [`COLUMNS`].
pub const TYPE: usize = 5;
/// Place of the code list in [`COLUMNS`].
pub const CODE_LIST: usize = 9;

impl Book {
    /// The dictionary that this program was built with, and these code lists.
    pub fn new(lists: Vec<CodeList>) -> Self {
        let mut chapters = Vec::new();
        // In the order in which they are pushed, not in that of the files: parents first.
        let mut records = RECORDS.to_vec();
        records.sort_by_key(|record| record.kind);
        for record in records {
            chapters.push(Chapter::of_record(record));
            chapters.extend(inside(record, &chapters));
        }
        Self { chapters, lists }
    }

    /// The code list of this name.
    pub fn list(&self, name: &str) -> Option<&CodeList> {
        self.lists.iter().find(|list| list.name == name)
    }

    /// Labels of the fields that use a code list, as `Học sinh: Mã giới tính`.
    pub fn users(&self, list: &str) -> Vec<String> {
        let chapters = self.chapters.iter();
        let users = chapters.flat_map(|c| c.rows.iter().map(move |row| (c, row)));
        let users = users.filter(|(_, row)| row.code_list == list);
        users.map(|(chapter, row)| format!("{}: {}", chapter.label, row.cells[LABEL])).collect()
    }
}

/// Chapters of the messages in a record's lists that have none yet.
fn inside(record: &RecordMeta, known: &[Chapter]) -> Vec<Chapter> {
    let lists = record.fields.iter().filter_map(|f| f.entries.map(|entries| (f, entries)));
    let mut out: Vec<Chapter> = Vec::new();
    for (field, entries) in lists {
        if known.iter().chain(&out).all(|c| c.name != entries.name) {
            out.push(Chapter::of_entries(record, field, entries));
        }
    }
    out
}

impl Chapter {
    fn of_record(meta: &'static RecordMeta) -> Self {
        let key = meta.keys.iter().filter_map(|n| meta.fields.get(*n));
        let key = key.map(|f| f.label).collect::<Vec<_>>().join(" + ");
        let key = if meta.yearly { format!("năm học + {key}") } else { key };
        let payload = match meta.ministry_type {
            0 => "không có gói riêng".to_owned(),
            n => format!("gói số {n}"),
        };
        Self {
            name: meta.name,
            label: meta.label.to_owned(),
            doc: meta.doc,
            facts: vec![
                ("Nhóm dữ liệu", words::domain(meta.domain()).to_owned()),
                ("Khóa trong trường", key),
                ("Gửi Bộ GDĐT", payload),
            ],
            rows: meta.fields.iter().map(Row::of).collect(),
        }
    }

    fn of_entries(record: &RecordMeta, field: &FieldMeta, meta: &'static MessageMeta) -> Self {
        Self {
            name: meta.name,
            label: format!("{} – {}", record.label, field.label),
            doc: meta.doc,
            facts: Vec::new(),
            rows: meta.fields.iter().map(Row::of).collect(),
        }
    }

    /// True for a kind of record, false for the entry of a list.
    pub fn is_record(&self) -> bool {
        !self.facts.is_empty()
    }
}

impl Row {
    fn of(field: &'static FieldMeta) -> Self {
        let source = if field.source.is_empty() { String::new() } else { format!(" [{}]", field.source) };
        let entries = field.entries.map_or("", |m| m.name);
        let ty = words::ty(field);
        Self {
            cells: [
                field.number.to_string(),
                field.label.to_owned(),
                field.name.to_owned(),
                field.name.replace('_', " "),
                words::symbol(field),
                if entries.is_empty() { ty.to_owned() } else { format!("{ty} {entries}") },
                field.max_chars.map_or_else(String::new, |n| n.to_string()),
                words::levels(field),
                words::need(field),
                field.code_list.to_owned(),
                words::rules(field),
                words::class(field).to_owned(),
                field.excel.to_owned(),
                format!("{}{source}", field.doc),
            ],
            code_list: field.code_list,
            entries,
        }
    }
}

/// Number of messages that a complete book has chapters for.
pub fn complete() -> usize {
    RECORDS.len() + MESSAGES.len()
}
