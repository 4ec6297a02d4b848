//! Names of schools.
use super::chance::{Chance, pick};
use super::places::Commune;
use super::settings::Institution;
use std::collections::HashSet;

/// Namesakes of schools: kings, scholars, revolutionaries.
const NAMESAKES: [&str; 30] = [
    "Nguyễn Huệ",
    "Đinh Tiên Hoàng",
    "Trương Hán Siêu",
    "Lương Văn Tụy",
    "Trần Hưng Đạo",
    "Lê Hồng Phong",
    "Nguyễn Bỉnh Khiêm",
    "Lý Tự Trọng",
    "Quang Trung",
    "Ninh Tốn",
    "Vũ Duy Thanh",
    "Trần Quốc Toản",
    "Võ Thị Sáu",
    "Kim Đồng",
    "Nguyễn Trãi",
    "Lê Lợi",
    "Nguyễn Công Trứ",
    "Tạ Uyên",
    "Bùi Văn Dị",
    "Nguyễn Khuyến",
    "Nguyễn Du",
    "Chu Văn An",
    "Nguyễn Viết Xuân",
    "Lê Quý Đôn",
    "Phạm Văn Nghị",
    "Trần Bích San",
    "Ngô Quyền",
    "Đào Duy Từ",
    "Phan Bội Châu",
    "Nguyễn Văn Cừ",
];
/// Names of preschools.
const FLOWERS: [&str; 18] = [
    "Hoa Sen",
    "Sao Mai",
    "Họa Mi",
    "Ánh Dương",
    "Hoa Hồng",
    "Sơn Ca",
    "Hướng Dương",
    "Hoa Mai",
    "Bình Minh",
    "Tuổi Thơ",
    "Hoa Phượng",
    "Vành Khuyên",
    "Măng Non",
    "Hoa Cúc",
    "Bông Sen",
    "Tuổi Ngọc",
    "Ban Mai",
    "Thỏ Ngọc",
];

/// Gives names, none twice in one commune.
#[derive(Default)]
pub struct Titles {
    given: HashSet<(&'static str, String)>,
}

impl Titles {
    /// A name for a school of this kind: the commune's own first, then namesakes, then numbers.
    pub fn give(
        &mut self,
        rng: &mut Chance,
        commune: &Commune,
        kind: Institution,
        independent: bool,
    ) -> String {
        let prefix = prefix(kind, independent);
        let pool: &[&str] = if kind == Institution::Preschool { &FLOWERS } else { &NAMESAKES };
        let own = !independent && kind != Institution::UpperSecondary;
        let first = own.then(|| commune.bare().to_owned());
        let drawn: Vec<String> = (0..12).map(|_| (*pick(rng, pool)).to_owned()).collect();
        let numbered = (2..).map(|n| format!("{} {n}", commune.bare()));
        for tail in first.into_iter().chain(drawn).chain(numbered) {
            let name = format!("{prefix} {tail}");
            if self.given.insert((commune.code, name.clone())) {
                return name;
            }
        }
        prefix.to_owned() // not reached: the numbers do not end
    }
}

fn prefix(kind: Institution, independent: bool) -> &'static str {
    match kind {
        Institution::Preschool if independent => "Nhóm trẻ độc lập",
        Institution::Preschool => "Trường Mầm non",
        Institution::Primary => "Trường Tiểu học",
        Institution::LowerSecondary => "Trường THCS",
        Institution::UpperSecondary => "Trường THPT",
        Institution::Continuing => "Trung tâm GDNN-GDTX",
        Institution::InterLevel => "Trường TH và THCS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{chance::chance, places::communes};

    #[test]
    fn names_are_composed_and_unique_in_a_commune() {
        assert!(NAMESAKES.iter().chain(&FLOWERS).all(|n| unicode_normalization::is_nfc(n)));
        let (mut titles, mut rng, commune) = (Titles::default(), chance(1, "t"), communes()[0]);
        let names: Vec<_> =
            (0..40).map(|_| titles.give(&mut rng, &commune, Institution::Primary, false)).collect();
        assert_eq!(names[0], "Trường Tiểu học Phủ Lý");
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), 40);
    }
}
