//! What cells mean.
use eduhub_proto::common::v1::Level;
use eduhub_rules::fold;

/// Ways to write a level, longest first: of `trung hoc co so` not only `trung hoc` counts.
const LEVELS: [(&str, Option<Level>); 28] = [
    ("giao duc nghe nghiep giao duc thuong xuyen", Some(Level::Continuing)),
    ("giao duc thuong xuyen", Some(Level::Continuing)),
    ("trung hoc pho thong", Some(Level::UpperSecondary)),
    ("trung hoc co so", Some(Level::LowerSecondary)),
    ("gdnn gdtx", Some(Level::Continuing)),
    ("tieu hoc", Some(Level::Primary)),
    ("mau giao", Some(Level::Preschool)),
    ("nhom tre", Some(Level::Preschool)),
    ("mam non", Some(Level::Preschool)),
    ("nha tre", Some(Level::Preschool)),
    ("lien cap", None),
    ("cap 1", Some(Level::Primary)),
    ("cap 2", Some(Level::LowerSecondary)),
    ("cap 3", Some(Level::UpperSecondary)),
    ("gdtx", Some(Level::Continuing)),
    ("thcs", Some(Level::LowerSecondary)),
    ("thpt", Some(Level::UpperSecondary)),
    ("truong", None),
    ("01", Some(Level::Preschool)),
    ("02", Some(Level::Primary)),
    ("03", Some(Level::LowerSecondary)),
    ("04", Some(Level::UpperSecondary)),
    ("05", Some(Level::Continuing)),
    ("mn", Some(Level::Preschool)),
    ("th", Some(Level::Primary)),
    ("tx", Some(Level::Continuing)),
    ("cap", None),
    ("va", None),
];

/// The levels that a cell names, in its order; `None` when it has a word that names none. One digit is no level: in one system 1
/// is primary, in another preschool.
pub fn levels(text: &str) -> Option<Vec<Level>> {
    let folded = fold(text);
    let (mut rest, mut found) = (folded.as_str(), Vec::new());
    while !rest.is_empty() {
        let whole = |word: &str| rest.strip_prefix(word).filter(|r| r.is_empty() || r.starts_with(' '));
        let (level, after) = LEVELS.iter().find_map(|(word, level)| Some((*level, whole(word)?)))?;
        found.extend(level.filter(|l| !found.contains(l)));
        rest = after.trim_start();
    }
    (!found.is_empty()).then_some(found)
}

/// Whether a cell says yes; `None` when it says neither.
pub fn yes(text: &str) -> Option<bool> {
    if text.trim().is_empty() {
        return Some(false);
    }
    match fold(text).as_str() {
        "x" | "co" | "1" | "true" | "yes" | "dung" => Some(true),
        "khong" | "0" | "false" | "no" | "sai" => Some(false),
        _ => None,
    }
}

/// Whether a cell says that the Department is the direct superior: yes or no, or the name of the superior.
pub fn directly_managed(text: &str) -> Option<bool> {
    if text.trim().is_empty() {
        return None;
    }
    let words = format!(" {} ", fold(text));
    let says = |word: &str| words.contains(&format!(" {word} "));
    // Not the `so` of `cơ sở`.
    if words.starts_with(" so ") || words.contains(" so g") {
        return Some(true);
    }
    if says("xa") || says("phuong") || says("ubnd") {
        return Some(false);
    }
    yes(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Level::{Continuing, LowerSecondary, Preschool, Primary, UpperSecondary};

    #[test]
    fn levels_in_all_their_spellings() {
        for (text, expected) in [
            ("Tiểu học", vec![Primary]),
            ("TH&THCS", vec![Primary, LowerSecondary]),
            (
                "Liên cấp Tiểu học, Trung học cơ sở và Trung học phổ thông",
                vec![Primary, LowerSecondary, UpperSecondary],
            ),
            ("02;03", vec![Primary, LowerSecondary]),
            ("GDNN-GDTX", vec![Continuing]),
            ("Nhóm trẻ", vec![Preschool]),
            ("Cấp 2-3", vec![]),
            ("Cấp 2, cấp 3", vec![LowerSecondary, UpperSecondary]),
            ("THCS, THCS", vec![LowerSecondary]),
        ] {
            assert_eq!(levels(text).unwrap_or_default(), expected, "{text}");
        }
        for odd in ["", "1", "Đại học", "liên cấp", "phổ thông"] {
            assert_eq!(levels(odd), None, "{odd}");
        }
    }

    #[test]
    fn superiors() {
        for (text, expected) in [
            ("Sở GDĐT Ninh Bình", Some(true)),
            ("UBND phường Hoa Lư", Some(false)),
            ("Trực thuộc Sở Giáo dục và Đào tạo", Some(true)),
            ("cơ sở thuộc xã", Some(false)),
            ("x", Some(true)),
            ("Không", Some(false)),
            ("", None),
            ("Bộ", None),
        ] {
            assert_eq!(directly_managed(text), expected, "{text}");
        }
    }
}
