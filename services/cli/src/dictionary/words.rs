//! Vietnamese words for what the annotations say.
use eduhub_proto::common::v1::{DataDomain, Level, Need, Sensitivity, Shape};
use eduhub_proto::dictionary::{FieldMeta, FieldType, Levels, Rule, record_of};

/// Levels with their abbreviation and name.
pub const LEVELS: [(Level, &str, &str); 5] = [
    (Level::Preschool, "MN", "mầm non"),
    (Level::Primary, "TH", "tiểu học"),
    (Level::LowerSecondary, "THCS", "trung học cơ sở"),
    (Level::UpperSecondary, "THPT", "trung học phổ thông"),
    (Level::Continuing, "TX", "giáo dục thường xuyên, GDNN-GDTX và các trung tâm khác"),
];

/// Needs with their word and meaning.
pub const NEEDS: [(Need, &str, &str); 3] = [
    (Need::Required, "Bắt buộc", "thiếu thì bản ghi bị từ chối"),
    (Need::Expected, "Cần có", "thiếu thì bản ghi được nhận và ghi vào danh sách việc cần bổ sung"),
    (Need::Optional, "Tùy chọn", "có thể để trống"),
];

/// Sensitivity classes with their word and meaning.
pub const CLASSES: [(Sensitivity, &str, &str); 4] = [
    (Sensitivity::Public, "Công khai", "thông tin về cơ sở giáo dục hoặc đã công bố"),
    (Sensitivity::Basic, "Cơ bản", "dữ liệu cá nhân cơ bản, chỉ trong phạm vi được cấp"),
    (Sensitivity::Sensitive, "Nhạy cảm", "dữ liệu cá nhân nhạy cảm, chỉ khi quyền nêu rõ"),
    (Sensitivity::Secret, "Mật", "số định danh cá nhân: mã hóa khi lưu, không có trong nhật ký"),
];

/// Abbreviation of a level; its number for one that has none.
fn level(level: Level) -> String {
    let known = LEVELS.iter().find(|(l, ..)| *l == level);
    known.map_or_else(|| (level as i32).to_string(), |(_, short, _)| (*short).to_owned())
}

/// Levels at which a field exists.
pub fn levels(field: &FieldMeta) -> String {
    if field.levels.is_empty() { "Mọi cấp".to_owned() } else { listed(field.levels.iter()) }
}

fn listed(levels: impl Iterator<Item = Level>) -> String {
    levels.map(level).collect::<Vec<_>>().join(", ")
}

/// Need of a field; by level where they differ.
pub fn need(field: &FieldMeta) -> String {
    by_level(field, |at| need_word(field.need_at(at)))
}

fn need_word(need: i32) -> String {
    NEEDS.iter().find(|(n, ..)| *n as i32 == need).map_or_else(String::new, |(_, word, _)| (*word).to_owned())
}

/// Symbol of QĐ 4998; by level where they differ.
pub fn symbol(field: &FieldMeta) -> String {
    by_level(field, |at| field.symbol_at(at).to_owned())
}

/// One value for all levels at which the field exists, or `value: levels; ...` in the order of the levels.
fn by_level(field: &FieldMeta, value: impl Fn(Level) -> String) -> String {
    let exists = if field.levels.is_empty() { Levels::ALL } else { field.levels };
    let mut groups: Vec<(String, Vec<Level>)> = Vec::new();
    for level in exists.iter() {
        let value = value(level);
        match groups.iter_mut().find(|(known, _)| *known == value) {
            Some((_, levels)) => levels.push(level),
            None => groups.push((value, vec![level])),
        }
    }
    if let [(value, _)] = groups.as_slice() {
        return value.clone();
    }
    let groups = groups.into_iter().filter(|(value, _)| !value.is_empty());
    groups.map(|(value, l)| format!("{value}: {}", listed(l.into_iter()))).collect::<Vec<_>>().join("; ")
}

/// Type of the value.
pub fn ty(field: &FieldMeta) -> &'static str {
    match field.ty {
        FieldType::Text if !field.code_list.is_empty() => "Mã",
        FieldType::Text if field.shape == Shape::Date as i32 => "Ngày",
        FieldType::Text => "Chuỗi",
        FieldType::Number => "Số thập phân",
        FieldType::Int => "Số nguyên",
        FieldType::Flag => "Có/Không",
        FieldType::List => "Danh sách",
    }
}

/// Sensitivity class.
pub fn class(field: &FieldMeta) -> &'static str {
    CLASSES.iter().find(|(class, ..)| *class as i32 == field.class).map_or("", |(_, word, _)| *word)
}

/// Data domain of a record.
pub fn domain(domain: DataDomain) -> &'static str {
    match domain {
        DataDomain::Unspecified => "",
        DataDomain::School => "Trường, điểm trường, lớp",
        DataDomain::Pupil => "Học sinh và quá trình học",
        DataDomain::Staff => "Đội ngũ",
        DataDomain::Result => "Kết quả học tập",
        DataDomain::Health => "Sức khỏe",
        DataDomain::Facility => "Cơ sở vật chất",
    }
}

/// Everything a value is checked for beside its type, as one text.
pub fn rules(field: &FieldMeta) -> String {
    let mut out: Vec<String> = Vec::new();
    match Shape::try_from(field.shape).unwrap_or_default() {
        Shape::Unspecified | Shape::Text => {}
        Shape::Date => out.push("ngày có thật, từ 1900-01-01 đến hôm nay".to_owned()),
        Shape::PersonName => out.push("Unicode NFC, không có chữ số, không thừa khoảng trắng".to_owned()),
        Shape::PersonalId => {
            out.push("12 chữ số; mã tỉnh, thế kỷ, giới tính và năm sinh khớp bản ghi".to_owned());
        }
        Shape::Score => out.push("từ 0 đến 10, một chữ số thập phân".to_owned()),
    }
    out.extend(field.rules.iter().map(rule));
    if let Some((min, max)) = field.plausible {
        out.push(format!("cảnh báo ngoài {min} … {max}"));
    }
    let parent = eduhub_proto::common::v1::Kind::try_from(field.parent).ok().and_then(record_of);
    if let Some(parent) = parent {
        out.push(format!("phải có trong {}", parent.label));
    }
    if let Some(day) = field.until {
        out.push(format!("không còn dùng từ {day}"));
    }
    if field.key {
        out.push("thuộc khóa của bản ghi".to_owned());
    }
    out.join("; ")
}

fn rule(rule: &Rule) -> String {
    match rule {
        Rule::MinChars(n) => format!("ít nhất {n} ký tự"),
        Rule::MaxChars(n) => format!("nhiều nhất {n} ký tự"),
        Rule::Pattern(p) => format!("mẫu {}", p.text),
        Rule::Above(x) => format!("> {x}"),
        Rule::AtLeast(x) => format!("≥ {x}"),
        Rule::Below(x) => format!("< {x}"),
        Rule::AtMost(x) => format!("≤ {x}"),
        Rule::MaxItems(n) => format!("nhiều nhất {n} dòng"),
    }
}
