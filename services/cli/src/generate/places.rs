//! Communes of the province, and what their place says of the people there.
//!
//! Codes and names follow QĐ 19/2025/QĐ-TTg; the table was taken from vietnamadminunits 1.0.4 (see `data/NOTICE`).

/// Commune or ward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commune {
    /// Five digits.
    pub code: &'static str,
    /// Name with its kind, e.g. "Phường Hoa Lư".
    pub name: &'static str,
}

/// Ninh Bình; the number of birth registration keeps the provinces of before July 2025.
const COMMUNES_37: &str = include_str!("../../data/communes_37.tsv");

/// The communes of Ninh Bình in the order of their codes.
pub fn communes() -> Vec<Commune> {
    let line = |l: &'static str| l.split_once('\t').map(|(code, name)| Commune { code, name });
    COMMUNES_37.lines().skip(1).filter_map(line).collect()
}

impl Commune {
    /// Name without "Xã" or "Phường".
    pub fn bare(&self) -> &'static str {
        self.name.split_once(' ').map_or(self.name, |(_, bare)| bare)
    }

    fn number(&self) -> u32 {
        self.code.parse().unwrap_or_default()
    }

    /// Prefix of personal IDs of people registered here: Hà Nam 035, Nam Định 036, Ninh Bình 037. The commune codes
    /// of the three old provinces are three ranges.
    pub fn id_prefix(&self) -> &'static str {
        match self.number() {
            ..13669 => "035",
            13669..14329 => "036",
            _ => "037",
        }
    }

    /// Name of the province where births were registered before July 2025.
    pub fn old_province(&self) -> &'static str {
        match self.id_prefix() {
            "035" => "Hà Nam",
            "036" => "Nam Định",
            _ => "Ninh Bình",
        }
    }

    /// Hill communes around Nho Quan and Cúc Phương, where Mường live.
    pub fn hills(&self) -> bool {
        (14_389..=14_458).contains(&self.number())
    }

    /// Coastal south (Giao Thủy, Hải Hậu, Kim Sơn), where many are Catholic.
    pub fn coast(&self) -> bool {
        (14_161..14_329).contains(&self.number()) || (14_620..=14_698).contains(&self.number())
    }
}

/// Other prefixes of personal IDs with the province: people who moved here.
pub const ELSEWHERE: [(&str, &str); 8] = [
    ("001", "Hà Nội"),
    ("034", "Thái Bình"),
    ("038", "Thanh Hóa"),
    ("017", "Hòa Bình"),
    ("033", "Hưng Yên"),
    ("040", "Nghệ An"),
    ("030", "Hải Dương"),
    ("079", "TP Hồ Chí Minh"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_129_communes_and_their_old_provinces() {
        let all = communes();
        assert_eq!(all.len(), 129);
        let old = |p: &str| all.iter().filter(|c| c.id_prefix() == p).count();
        assert_eq!((old("035"), old("036"), old("037")), (33, 57, 39));
        let hoa_lu = all.iter().find(|c| c.code == "14329").unwrap();
        assert_eq!((hoa_lu.name, hoa_lu.bare(), hoa_lu.id_prefix()), ("Phường Hoa Lư", "Hoa Lư", "037"));
        assert!(all.iter().all(|c| unicode_normalization::is_nfc(c.name)));
    }
}
