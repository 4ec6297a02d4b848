//! Names of persons. Surnames by their shares in the north; middle and given names as seen in class lists.
use super::chance::{Chance, happens, pick, pick_weighted};
use super::people::Sex;
use unicode_normalization::UnicodeNormalization;

const SURNAMES: [(&str, f64); 29] = [
    ("Nguyễn", 38.4),
    ("Trần", 11.5),
    ("Lê", 9.5),
    ("Phạm", 7.0),
    ("Hoàng", 5.1),
    ("Phan", 4.5),
    ("Vũ", 3.9),
    ("Đặng", 2.1),
    ("Bùi", 2.0),
    ("Đỗ", 1.4),
    ("Hồ", 1.3),
    ("Ngô", 1.3),
    ("Dương", 1.0),
    ("Lý", 0.5),
    ("Đinh", 0.8),
    ("Phùng", 0.8),
    ("Tạ", 0.8),
    ("Lương", 0.8),
    ("Mai", 0.8),
    ("Trịnh", 0.8),
    ("Cao", 0.8),
    ("Lưu", 0.8),
    ("Đoàn", 0.8),
    ("Hà", 0.8),
    ("Đào", 0.8),
    ("Tống", 0.8),
    ("Lại", 0.8),
    ("Quách", 0.8),
    ("Vương", 0.8),
];
/// Mường families of Nho Quan and Cúc Phương.
const MUONG_SURNAMES: [(&str, f64); 4] = [("Bùi", 40.0), ("Đinh", 30.0), ("Quách", 20.0), ("Hà", 10.0)];

const GIRL_MIDDLE: [(&str, f64); 8] = [
    ("Thị", 25.0),
    ("Ngọc", 11.0),
    ("Thu", 11.0),
    ("Thanh", 11.0),
    ("Phương", 11.0),
    ("Khánh", 10.0),
    ("Bảo", 10.0),
    ("Minh", 11.0),
];
const GIRL_GIVEN: [&str; 14] =
    ["Anh", "Linh", "Chi", "Trang", "Hà", "Ngân", "Vy", "Nhi", "My", "Thảo", "Hương", "Mai", "Ngọc", "Hân"];
const BOY_MIDDLE: [(&str, f64); 9] = [
    ("Văn", 15.0),
    ("Minh", 11.0),
    ("Đức", 11.0),
    ("Quang", 11.0),
    ("Gia", 11.0),
    ("Tuấn", 10.0),
    ("Anh", 10.0),
    ("Bảo", 10.0),
    ("Hữu", 11.0),
];
const BOY_GIVEN: [&str; 15] = [
    "Anh", "Huy", "Minh", "Nam", "Khang", "Phong", "Đức", "Long", "Dũng", "Khôi", "Quân", "Bảo", "Hiếu",
    "Sơn", "Kiên",
];
const WOMAN_GIVEN: [&str; 14] = [
    "Hạnh", "Lan", "Hương", "Thủy", "Hoa", "Nga", "Hiền", "Dung", "Liên", "Huệ", "Tuyết", "Hằng", "Yến",
    "Nhung",
];
const MAN_GIVEN: [&str; 13] = [
    "Hùng", "Cường", "Tuấn", "Thắng", "Hải", "Bình", "Hòa", "Toàn", "Thành", "Chiến", "Tùng", "Đông", "Vinh",
];

/// A surname; Mường families have their own.
pub fn surname(rng: &mut Chance, muong: bool) -> &'static str {
    pick_weighted(rng, if muong { &MUONG_SURNAMES } else { &SURNAMES })
}

/// Full name of a child with this surname.
pub fn child(rng: &mut Chance, surname: &str, sex: Sex) -> String {
    match sex {
        Sex::Female => compose(rng, surname, &GIRL_MIDDLE, &GIRL_GIVEN),
        Sex::Male => compose(rng, surname, &BOY_MIDDLE, &BOY_GIVEN),
    }
}

/// Full name of an adult with this surname.
pub fn adult(rng: &mut Chance, surname: &str, sex: Sex) -> String {
    match sex {
        Sex::Female => compose(
            rng,
            surname,
            &[("Thị", 70.0), ("Thanh", 10.0), ("Thu", 10.0), ("Minh", 10.0)],
            &WOMAN_GIVEN,
        ),
        Sex::Male => compose(
            rng,
            surname,
            &[("Văn", 50.0), ("Đức", 15.0), ("Quang", 15.0), ("Xuân", 20.0)],
            &MAN_GIVEN,
        ),
    }
}

fn compose(rng: &mut Chance, surname: &str, middle: &[(&'static str, f64)], given: &[&str]) -> String {
    let given = *pick(rng, given);
    let mut parts = vec![surname];
    // A fifth has two middle names: Nguyễn Thị Ngọc Anh.
    for _ in 0..if happens(rng, 0.2) { 2 } else { 1 } {
        let middle = pick_weighted(rng, middle);
        if middle != given && !parts.contains(&middle) {
            parts.push(middle);
        }
    }
    parts.push(given);
    parts.join(" ")
}

/// Another given name of the same sex than the one that stands at the end.
pub fn misheard(rng: &mut Chance, full_name: &str, sex: Sex) -> String {
    let (front, last) = full_name.rsplit_once(' ').unwrap_or(("", full_name));
    let pool: &[&str] = if sex == Sex::Female { &GIRL_GIVEN } else { &BOY_GIVEN };
    let others: Vec<&str> = pool.iter().copied().filter(|g| *g != last && !front.ends_with(g)).collect();
    format!("{front} {}", pick(rng, &others))
}

/// Lower-case ASCII of a name, for addresses: "Đỗ Hằng" gives "do hang".
pub fn ascii(name: &str) -> String {
    let plain = name.to_lowercase().replace('đ', "d");
    plain.nfd().filter(|c| c.is_ascii()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::chance::chance;
    use super::*;

    #[test]
    fn names_pass_the_hubs_rules_and_fit() {
        let mut rng = chance(7, "names");
        for i in 0..5_000 {
            let sex = if i % 2 == 0 { Sex::Male } else { Sex::Female };
            let family = surname(&mut rng, i % 10 == 0);
            for name in [child(&mut rng, family, sex), adult(&mut rng, family, sex)] {
                assert!(unicode_normalization::is_nfc(&name) && name.chars().count() <= 50, "{name}");
                assert!(name.split(' ').count() >= 2 && !name.contains("  "), "{name}");
                assert_ne!(misheard(&mut rng, &name, sex), name);
            }
        }
        assert_eq!(ascii("Đỗ Thị Hằng"), "do thi hang");
    }

    #[test]
    fn surnames_have_their_shares() {
        let mut rng = chance(1, "surnames");
        let n = (0..20_000).filter(|_| surname(&mut rng, false) == "Nguyễn").count() as f64 / 20_000.0;
        assert!((n - 0.384).abs() < 0.02, "{n}");
    }
}
